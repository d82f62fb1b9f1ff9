"""Loading: a source into a table, wholly or not at all.

    raw batches -> shaping -> intake -> staged rows -> one row per key -> known references -> what changed -> one commit

Every row of the source ends accepted or rejected with its reason. Nothing is visible before the commit; whatever stops a
load before it (Ctrl-C, kill, a full disk) leaves the table as it was.
"""

import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.tables import batch, changes, consistency, delta
from regulars.tables.changes import Held
from regulars.tables.contracts import Column
from regulars.tables.engines import Engine, Frame
from regulars.tables.formats import Source
from regulars.tables.intake import REASONS, Intake
from regulars.tables.remarks import remarks, unread
from regulars.tables.report import LoadReport
from regulars.tables.shaping import Shaper
from regulars.tables.staging import Staging, staged_schema, staging, void_schema
from regulars.tables.workspace import Workspace

_TRIES = 20
REJECTS = pa.schema(
    [
        ("load_id", pa.string()),
        ("table", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("original", pa.string()),
        ("loaded_at", pa.timestamp("us", "UTC")),
    ]
)


def identity_of(source: Source, intake: Intake) -> str:
    """The identity of a load: the same content, read in the same way."""
    settings, content = intake.settings, source.identity or uuid.uuid4().hex
    clocks = sorted(intake.clocks.items()) if "stores" in intake.contract.references.values() else []
    manner = (settings.currency, settings.zone, settings.day_closes_at, clocks)
    return hashlib.sha256(f"{content}\0{intake.mapping.fingerprint}\0{manner}".encode()).hexdigest()[:32]


def repeated(source: Source, intake: Intake, workspace: Workspace) -> LoadReport | None:
    """The report of a load that was done before and left nothing to mend, else None."""
    if source.identity is None:
        return None
    table, load_id = intake.contract.table, identity_of(source, intake)
    before = delta.remembered(workspace.table(table), load_id)
    if not before or before["rejected"]:
        return None
    return LoadReport(
        table, source.name, before["accepted"], 0, 0, True, before.get("set_aside", {}), intake.vendor, load_id=load_id
    )


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
    changed = changes.find(settled, contract, held, engine, read.staged.folder)
    rejected = _with_originals(settled.rejects, read.source)
    set_aside = read.set_aside + Counter(settled.set_aside)
    report = LoadReport(
        contract.table, read.source.name, read.rows - len(rejected) - set_aside.total(), len(rejected), changed.count,
        False, dict(sorted(set_aside.items())), load_id=read.load_id,
        new=changed.new, replaced=changed.replaced, moved=changed.moved, gone=len(changed.gone), read_as=intake.vendor,
        unread=unread(read.source, intake), notes=remarks(read.source, intake, settled, changed, engine),
    )  # fmt: skip
    _commit_rejects(rejected, report, intake.now, workspace)
    changed.commit(path, read.load_id, _remembered(report, intake.now))
    return report


def _remembered(report: LoadReport, now: dt.datetime) -> dict[str, Any]:
    """What the commit of a load says of it."""
    kept = ("source", "accepted", "rejected", "changed", "set_aside", "new", "replaced", "moved", "gone")
    said = report._asdict()
    return {"loaded_at": now.isoformat(), **{name: said[name] for name in kept}}


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


def _with_originals(rejects: pa.Table, source: Source) -> pa.Table:
    """Fill in what stood in the source, for rows that were rejected only after they had been read."""
    lacking = rejects.filter(pc.is_null(rejects["original"]))["row"]
    if not len(lacking):
        return rejects
    found: dict[int, str] = {}
    first = 0
    for raw in source.batches():
        numbers = pa.array(np.arange(first, first + len(raw.rows)), pa.int64())
        first += len(raw.rows)
        is_wanted = pc.is_in(numbers, lacking)
        rows = numbers.filter(is_wanted).to_pylist()
        found.update(zip(rows, map(source.written, raw.rows.filter(is_wanted).to_pylist()), strict=True))
    original = [old if old is not None else found.get(row) for old, row in zip(*_pair(rejects), strict=True)]
    return rejects.set_column(rejects.schema.get_field_index("original"), "original", pa.array(original, pa.string()))


def _pair(rejects: pa.Table) -> tuple[list[str | None], list[int]]:
    return rejects["original"].to_pylist(), rejects["row"].to_pylist()


def _commit_rejects(rejects: pa.Table, report: LoadReport, now: dt.datetime, workspace: Workspace) -> None:
    """Keep the rejected rows, in the place of those of an earlier try of the same load."""
    path = workspace.table("rejects")
    if not len(rejects) and not delta.exists(path):
        return
    delta.make(path, REJECTS)
    same = {"load_id": report.load_id, "table": report.table, "file": report.source, "loaded_at": now}
    columns = [
        rejects[field.name].cast(field.type)
        if field.name not in same
        else pa.array([same[field.name]] * len(rejects), field.type)
        for field in REJECTS
    ]
    delta.replace(path, pa.Table.from_arrays(columns, schema=REJECTS), predicate=f"load_id = '{report.load_id}'")


def rejects_frame(workspace: Workspace, engine: Engine) -> Frame:
    """All rejected rows of all loads."""
    return engine.scan(delta.files(workspace.table("rejects")), REJECTS)
