"""Loading: a source into a table, wholly or not at all.

    raw batches -> shaping -> intake -> staged rows -> one row per key -> known references -> what changed -> one commit

Every row of the source ends accepted or rejected with its reason. Nothing is visible before the commit; whatever stops a
load before it (Ctrl-C, kill, a full disk) leaves the table as it was.
"""

import datetime as dt
import hashlib
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.tables import changes, delta
from regulars.tables.changes import Staging
from regulars.tables.engines import Engine, Frame
from regulars.tables.formats import Source
from regulars.tables.intake import REASONS, Intake
from regulars.tables.shaping import Shaper
from regulars.tables.workspace import Workspace

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


class LoadReport(NamedTuple):
    """What a load did. accepted + rejected + those set aside = rows of the source.

    changed: rows of the table that are new, different or gone now. set_aside: rows that are not meant for the table, by what
    they are, such as {"voided": 12}. read_as: the known export that the source is, where it was loaded as one.
    """

    table: str
    source: str
    accepted: int
    rejected: int
    changed: int
    is_repeated: bool
    set_aside: dict[str, int]
    read_as: str | None = None


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
    table = intake.contract.table
    before = delta.remembered(workspace.table(table), identity_of(source, intake))
    if not before or before["rejected"]:
        return None
    return LoadReport(table, source.name, before["accepted"], 0, 0, True, before.get("set_aside", {}))


def load(
    source: Source, intake: Intake, workspace: Workspace, engine: Engine, progress: Callable[[int], None] | None = None
) -> LoadReport:
    """Load a source. `progress` is told the rows read so far.

    Raises DataError where the source breaks off, or where storage refuses; the table is then as it was.
    """
    mapping = intake.mapping
    load_id = identity_of(source, intake)
    with _staging(workspace) as staging:
        rows, set_aside = _stage(source, intake, staging, progress)
        settled = changes.settle(staging, intake, workspace, engine)
        changed = changes.find(settled.rows, intake, workspace, engine, staging)
        rejected = _with_originals(settled.rejects, source)
        set_aside.update(settled.set_aside)
        report = LoadReport(
            mapping.table, source.name, rows - len(rejected) - set_aside.total(), len(rejected), changed.count, False,
            {reason: count for reason, count in sorted(set_aside.items()) if count},
        )  # fmt: skip
        metadata: dict[str, Any] = {
            "source": source.name, "loaded_at": intake.now.isoformat(), "accepted": report.accepted,
            "rejected": report.rejected, "changed": report.changed, "set_aside": report.set_aside,
        }  # fmt: skip
        _commit_rejects(rejected, report, load_id, intake.now, workspace)
        changed.commit(workspace.table(mapping.table), delta.Transaction(load_id, metadata))
    return report


@contextmanager
def _staging(workspace: Workspace) -> Iterator[Staging]:
    folder = workspace.scratch / f"load-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True)
        yield Staging(folder)
    except OSError as error:
        if not delta.is_no_room(error):
            raise
        raise DataError(
            f"{workspace.path}: no space left on the disk; nothing was changed. Free some, then run it again"
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stage(
    source: Source, intake: Intake, staging: Staging, progress: Callable[[int], None] | None
) -> tuple[int, Counter[str]]:
    """Read the whole source into the staging files; returns its number of rows, and how many of them are set aside."""
    shaper, set_aside = Shaper(intake.mapping), Counter[str]()
    with (
        pq.ParquetWriter(staging.accepted, changes.staged_schema(intake.contract)) as accepted,
        pq.ParquetWriter(staging.rejected, REASONS) as rejected,
        pq.ParquetWriter(staging.void, changes.void_schema(intake.contract)) as void,
    ):
        for raw in source.batches():
            parted = shaper.shape(raw)
            taken = intake.take(parted.kept)
            accepted.write_batch(taken.accepted)
            rejected.write_batch(taken.rejected)
            void.write_batch(intake.void(parted))
            set_aside.update(parted.set_aside)
            if progress is not None:
                progress(shaper.total)
    if not shaper.total:
        raise DataError(f"{source.name}: has a header and no rows")
    return shaper.total, set_aside


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


def _commit_rejects(
    rejects: pa.Table, report: LoadReport, load_id: str, now: dt.datetime, workspace: Workspace
) -> None:
    """Keep the rejected rows, in the place of those of an earlier try of the same load."""
    path = workspace.table("rejects")
    if not len(rejects) and not delta.exists(path):
        return
    same = {"load_id": load_id, "table": report.table, "file": report.source, "loaded_at": now}
    columns = [
        rejects[field.name].cast(field.type)
        if field.name not in same
        else pa.array([same[field.name]] * len(rejects), field.type)
        for field in REJECTS
    ]
    delta.replace(path, pa.Table.from_arrays(columns, schema=REJECTS).to_reader(), predicate=f"load_id = '{load_id}'")


def rejects_frame(workspace: Workspace, engine: Engine) -> Frame:
    """All rejected rows of all loads."""
    return engine.scan(delta.files(workspace.table("rejects")), REJECTS)
