"""Loading: a source into a table, wholly or not at all.

    raw batches -> shaping -> intake -> staged rows -> one row per key -> known references -> what changed -> one commit

Every row of the source ends accepted or rejected with its reason. Nothing is visible before the commit; whatever stops a
load before it (Ctrl-C, kill, a full disk) leaves the table as it was.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.tables import batch, changes, consistency, delta, rejects
from regulars.tables.changes import Held
from regulars.tables.contracts import Column
from regulars.tables.engines import Engine
from regulars.tables.formats import Source
from regulars.tables.intake import REASONS, Intake
from regulars.tables.remarks import remarks, unread
from regulars.tables.report import LoadReport
from regulars.tables.shaping import Shaper
from regulars.tables.staging import Staging, staged_schema, staging, void_schema
from regulars.tables.workspace import Workspace

_TRIES = 20
SHOWN = 8
"""How many letters of its identity a load is known by."""


def identity_of(source: Source, intake: Intake) -> str:
    """The identity of a load: the same content, read in the same way."""
    settings, content = intake.settings, source.identity or uuid.uuid4().hex
    clocks = sorted(intake.clocks.items()) if "stores" in intake.contract.references.values() else []
    manner = (
        settings.currency,
        settings.zone,
        settings.day_closes_at,
        clocks,
        *([intake.store] if intake.store else []),
    )
    return hashlib.sha256(f"{content}\0{intake.mapping.fingerprint}\0{manner}".encode()).hexdigest()[:32]


def content_of(source: Source) -> str | None:
    """What tells the content of a source from any other; None where it is only known by reading it."""
    return None if source.identity is None else hashlib.sha256(source.identity.encode()).hexdigest()[:32]


def repeated(source: Source, intake: Intake, workspace: Workspace) -> LoadReport | None:
    """The report of a load that was done before and left nothing to mend, else None."""
    if source.identity is None:
        return None
    table, load_id = intake.contract.table, identity_of(source, intake)
    before = _standing(workspace.table(table), load_id, content_of(source))
    if before is None or before["rejected"]:
        return None
    return LoadReport(
        table, source.name, before["accepted"], 0, 0, True, before.get("set_aside", {}), intake.vendor,
        load=before.get("load", load_id[:SHOWN]), load_id=load_id,
    )  # fmt: skip


def _standing(path: Path, load_id: str, content: str | None) -> dict[str, Any] | None:
    """What is remembered of a load that stands: since then nothing was taken back, nor its file read in another way."""
    if not delta.has_applied(path, load_id):
        return None
    for _, said in delta.commits(path):
        if said["load_id"] == load_id:
            return said
        if "undone" in said or (content is not None and said.get("content") == content):
            return None
    return None


def load(
    source: Source, intake: Intake, workspace: Workspace, engine: Engine, progress: Callable[[int], None] | None = None
) -> LoadReport:
    """Load a source. `progress` is told the rows read so far.

    Raises DataError where the source breaks off, or where storage refuses; the table is then as it was.
    """
    load_id = identity_of(source, intake)
    path = workspace.table(intake.contract.table)
    delta.make(path, intake.contract.schema)
    with staging(workspace) as staged:
        rows, set_aside = _stage(source, intake, staged, progress)
        read = _Read(source, intake, staged, rows, set_aside, load_id)
        for _ in range(_TRIES):
            try:
                return repeated(source, intake, workspace) or _compare_and_commit(read, path, workspace, engine)
            except delta.OvertakenError:
                continue
    raise DataError(f"{path.name}: others keep loading into it; nothing was changed, run it again")


class _Read(NamedTuple):
    """A source that has been read: `rows` of them, and those set aside, by reason."""

    source: Source
    intake: Intake
    staged: Staging
    rows: int
    set_aside: Counter[str]
    load_id: str


def _compare_and_commit(read: _Read, path: Path, workspace: Workspace, engine: Engine) -> LoadReport:
    """Compare what was read with the table as it is, and commit. Raises OvertakenError where another load came between."""
    intake, contract = read.intake, read.intake.contract
    held = Held.now(path, contract, engine)
    settled = consistency.settle(read.staged, intake, held, workspace, engine)
    changed = changes.find(settled, contract, held, engine, read.staged.folder, only_new=intake.only_new)
    rejected = rejects.with_originals(settled.rejects, read.source)
    set_aside = read.set_aside + Counter(settled.set_aside)
    report = LoadReport(
        contract.table, read.source.name, read.rows - len(rejected) - set_aside.total(), len(rejected), changed.count,
        False, dict(sorted(set_aside.items())), load=intake.load or read.load_id[:SHOWN], load_id=read.load_id,
        new=changed.new, replaced=changed.replaced, moved=changed.moved, gone=len(changed.gone), read_as=intake.vendor,
        unread=unread(read.source, intake), notes=remarks(read.source, intake, settled, changed, engine),
    )  # fmt: skip
    rejects.keep(rejected, settled.rows, report, content_of(read.source), intake.now, workspace, engine)
    changed.commit(path, read.load_id, _remembered(report, read.source, intake))
    return report


def _remembered(report: LoadReport, source: Source, intake: Intake) -> dict[str, Any]:
    """What the commit of a load says of it."""
    kept = ("load", "source", "accepted", "rejected", "changed", "set_aside", "new", "replaced", "moved", "gone")
    said = report._asdict()
    manner = {"loaded_at": intake.now.isoformat(), "content": content_of(source), "only_new": intake.only_new}
    return manner | {name: said[name] for name in kept}


def _stage(
    source: Source, intake: Intake, staged: Staging, progress: Callable[[int], None] | None
) -> tuple[int, Counter[str]]:
    """Read the whole source into the staging files; returns its number of rows, and how many of them are set aside."""
    shaper, set_aside = Shaper(intake.mapping, intake.notes), Counter[str]()
    with (
        pq.ParquetWriter(staged.accepted, staged_schema(intake.contract)) as accepted,
        pq.ParquetWriter(staged.rejected, REASONS) as rejected,
        pq.ParquetWriter(staged.void, void_schema(intake.contract)) as void,
    ):
        for raw in source.batches():
            parted = shaper.shape(raw)
            taken = batch.take(parted.kept, intake)
            accepted.write_batch(taken.accepted)
            rejected.write_batch(taken.rejected)
            void.write_batch(batch.void(parted, intake))
            set_aside.update(parted.set_aside)
            if progress is not None:
                progress(shaper.total)
    if not shaper.total:
        raise DataError(f"{source.name}: has a header and no rows")
    for column in intake.contract.instants:
        if intake.holds_dates(column):
            _put_on_their_days(staged, intake, column)
    return shaper.total, set_aside


def _put_on_their_days(staged: Staging, intake: Intake, column: Column) -> None:
    """Read the times of a column, all of them at midnight, as the dates that they are."""
    before = staged.accepted.rename(staged.folder / "at-midnight.parquet")
    with pq.ParquetFile(before) as file, pq.ParquetWriter(staged.accepted, file.schema_arrow) as accepted:
        for rows in file.iter_batches():
            accepted.write_batch(intake.on_their_days(rows, column))
