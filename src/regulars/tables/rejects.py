"""Rejects: the rows that a load refused, kept until they are mended."""

import datetime as dt

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.tables import delta
from regulars.tables.contracts import contract
from regulars.tables.engines import Engine, Frame
from regulars.tables.formats import Source
from regulars.tables.report import LoadReport
from regulars.tables.workspace import Workspace

_TRIES = 50
_IS_SETTLED = "__is_settled"
SCHEMA = pa.schema(
    [
        ("load_id", pa.string()),
        ("table", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("original", pa.string()),
        ("loaded_at", pa.timestamp("us", "UTC")),
        ("key", pa.string()),
        ("content", pa.string()),
    ]
)
"""key: of the row, where it could be read. content: what tells its file from any other."""


def frame(workspace: Workspace, engine: Engine) -> Frame:
    """All rejected rows of all loads."""
    return engine.scan(delta.files(workspace.table("rejects")), SCHEMA)


def with_originals(rejects: pa.Table, source: Source) -> pa.Table:
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


def keep(
    rejected: pa.Table,
    accepted: Frame,
    report: LoadReport,
    content: str | None,
    now: dt.datetime,
    workspace: Workspace,
    engine: Engine,
) -> None:
    """Keep the rows that a load rejected. Those of earlier loads go that are settled by it.

    Settled are those of the same file, however it was read then, and those whose key was accepted now; of tables whose rows come
    whole only where a file of the same name brought it, for another file may bring other rows of that key.
    """
    path = workspace.table("rejects")
    if not len(rejected) and not delta.files(path):
        return None
    delta.make(path, SCHEMA)
    same = {
        "load_id": report.load_id,
        "table": report.table,
        "file": report.source,
        "loaded_at": now,
        "content": content,
    }
    columns = [
        rejected[field.name].cast(field.type)
        if field.name not in same
        else pa.array([same[field.name]] * len(rejected), field.type)
        for field in SCHEMA
    ]
    mine = pa.Table.from_arrays(columns, schema=SCHEMA)
    for _ in range(_TRIES):
        version = delta.version(path)
        others = engine.scan(delta.files(path, version), SCHEMA).filter(nw.col("table") == report.table)
        left = engine.stream(_unsettled(others, accepted, report, content)).read_all().cast(SCHEMA)
        try:
            return delta.replace(path, pa.concat_tables([left, mine]), f"\"table\" = '{report.table}'", onto=version)
        except delta.OvertakenError:
            continue
    raise DataError(f"{path.name}: others keep writing to it; run it again")


def _unsettled(others: Frame, accepted: Frame, report: LoadReport, content: str | None) -> Frame:
    """The rejected rows of other loads that still wait to be mended."""
    rules = contract(report.table)
    others = others.filter(nw.col("load_id") != report.load_id)
    if content is not None:
        others = others.filter((nw.col("content") != content) | nw.col("content").is_null())
    keys = accepted.select(nw.col(rules.key[0]).cast(nw.String).alias("key")).unique()
    marked = others.join(keys.with_columns(nw.lit(True).alias(_IS_SETTLED)), on="key", how="left")
    is_left = nw.col(_IS_SETTLED).is_null()
    if rules.come_whole:
        is_left = is_left | (nw.col("file") != report.source)
    return marked.filter(is_left).select(SCHEMA.names)


def forget(load_id: str, workspace: Workspace) -> None:
    """Take out the rejected rows of a load."""
    path = workspace.table("rejects")
    if delta.files(path):
        delta.make(path, SCHEMA)
        delta.replace(path, SCHEMA.empty_table(), f"load_id = '{load_id}'")
