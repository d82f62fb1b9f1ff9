"""Changes: which of the staged rows stand, and which of them the table does not hold yet."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.tables import delta
from regulars.tables.contracts import Contract, Kind
from regulars.tables.engines import Engine, Frame
from regulars.tables.intake import LINE, REASONS, Intake
from regulars.tables.mapping import default_combine
from regulars.tables.workspace import Workspace

_FIRST = "__first"
_IS_HELD = "__is_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Rows to be committed, in a Parquet file. has_updates: whether some of them replace others."""

    rows: Path
    count: int
    has_updates: bool
    contract: Contract

    def commit(self, table: Path, transaction: delta.Transaction) -> None:
        """One atomic commit, also where nothing changed: then only the transaction is remembered."""
        schema = self.contract.schema
        batches = pq.ParquetFile(self.rows).iter_batches(columns=schema.names)
        reader = pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))
        if self.has_updates:
            delta.upsert(table, reader, self.contract.key, transaction)
        else:
            delta.append(table, reader, transaction)


class Staging(NamedTuple):
    """Where a load gathers what it read: two Parquet files in a folder that goes away with it."""

    folder: Path

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted.parquet"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected.parquet"


class Settled(NamedTuple):
    """rows: accepted, one per key. rejects: everything else, in the shape of intake.REASONS."""

    rows: Frame
    rejects: pa.Table


def settle(staged: Staging, intake: Intake, workspace: Workspace, engine: Engine) -> Settled:
    """Look at the staged rows together: lines of one order agree, keys stand once, references are known."""
    contract, mapping = intake.contract, intake.mapping
    rejects = pq.read_table(staged.rejected)
    rows = engine.scan([str(staged.accepted)], contract.schema.append(pa.field(LINE, pa.int64())))
    if mapping.one_row_per is not None:
        rows, rejects = _without(rows, _spoilt(rows, staged, contract, engine), rejects, engine)
        rows, rejects = _without(rows, _disagreeing(rows, intake), rejects, engine)
        rows = _one_row_per_key(rows, intake)
    else:
        rows, rejects = _without(rows, _repeated_keys(rows, contract), rejects, engine)
    for column, table in contract.references.items():
        if table != "stores":
            known = engine.scan(delta.files(workspace.table(table)), pa.schema([(column, pa.string())])).select(column)
            rows, rejects = _without(rows, _unknown(rows, column, table, known), rejects, engine)
    return Settled(rows, rejects)


def find(rows: Frame, contract: Contract, workspace: Workspace, engine: Engine, folder: Path) -> Changed:
    """The rows that are new to the table, or differ from what it holds."""
    names, key = contract.schema.names, contract.key
    files = delta.files(workspace.table(contract.table))
    if not files:
        path = folder / "new.parquet"
        engine.write(rows.select(names), path)
        return Changed(rows=path, count=pq.read_metadata(path).num_rows, has_updates=False, contract=contract)
    held = engine.scan(files, contract.schema).rename({name: f"held_{name}" for name in names})
    held = held.with_columns(nw.lit(True).alias(_IS_HELD))
    pairs = rows.join(held, left_on=list(key), right_on=[f"held_{name}" for name in key], how="left")
    is_new = nw.col(_IS_HELD).is_null()
    differs = nw.any_horizontal(*[_differs(name) for name in names if name not in key], ignore_nulls=True)
    path = folder / "changed.parquet"
    engine.write(pairs.filter(is_new | differs).select(*names, is_new.alias("is_new")), path)
    marks = pq.read_table(path, columns=["is_new"])["is_new"].to_pylist()
    return Changed(rows=path, count=len(marks), has_updates=not all(marks), contract=contract)


def _differs(name: str) -> nw.Expr:
    new, held = nw.col(name), nw.col(f"held_{name}")
    return (new != held).fill_null(False) | (new.is_null() != held.is_null())


def _without(rows: Frame, wrong: Frame, rejects: pa.Table, engine: Engine) -> tuple[Frame, pa.Table]:
    """Take the wrong rows (line, column, reason) out of the rows and add them to the rejects."""
    found = engine.stream(wrong.select("line", "column", "reason")).read_all()
    if not len(found):
        return rows, rejects
    for name in ("original", "key"):
        found = found.append_column(name, pa.nulls(len(found), pa.string()))
    left = rows.join(wrong.select(nw.col("line").alias(LINE)), on=LINE, how="anti")
    return left, pa.concat_tables([rejects, found.select(REASONS.names).cast(REASONS)])


def _wrong(rows: Frame, column: str, reason: nw.Expr) -> Frame:
    return rows.select(nw.col(LINE).alias("line"), nw.lit(column).alias("column"), reason.alias("reason"))


def _spoilt(rows: Frame, staged: Staging, contract: Contract, engine: Engine) -> Frame:
    """Lines of orders of which another line was rejected: their sums would be wrong."""
    key = contract.key[0]
    rejected = engine.scan([str(staged.rejected)], REASONS).filter(~nw.col("key").is_null())
    keys = rejected.group_by(nw.col("key").alias(key)).agg(nw.col("line").min().alias(_FIRST))
    place = nw.col(_FIRST).cast(nw.String)
    reason = nw.concat_str(nw.lit("line "), place, nw.lit(" of the same order was rejected; mend that first"))
    return _wrong(rows.join(keys, on=key, how="inner"), key, reason)


def _disagreeing(rows: Frame, intake: Intake) -> Frame:
    """Lines of orders that do not agree in a column in which all lines of an order must."""
    key = intake.contract.key[0]
    names = [name for name, how in _combining(intake).items() if how == "same"]
    spans = rows.group_by(key).agg(*_spans(names))
    differs = {name: nw.col(f"{name}_least") != nw.col(f"{name}_most") for name in names}
    spread = spans.filter(nw.any_horizontal(*differs.values(), ignore_nulls=True))
    said = nw.concat_str(*[nw.when(d).then(nw.lit(f"{n} ")).otherwise(nw.lit("")) for n, d in differs.items()])
    reason = nw.concat_str(nw.lit("the lines of this order do not agree in "), said)
    return _wrong(rows.join(spread.with_columns(reason.alias("__why")), on=key, how="inner"), key, nw.col("__why"))


def _spans(names: list[str]) -> list[nw.Expr]:
    return [e for n in names for e in (nw.col(n).min().alias(f"{n}_least"), nw.col(n).max().alias(f"{n}_most"))]


def _combining(intake: Intake) -> dict[str, str]:
    """How each column of the lines of one order becomes one value."""
    said = {name: origin.combine for name, origin in intake.mapping.columns.items()}
    others = [column for column in intake.contract.columns if column.name not in intake.contract.key]
    return {column.name: said.get(column.name) or default_combine(column.kind) for column in others}


def _one_row_per_key(rows: Frame, intake: Intake) -> Frame:
    key = intake.contract.key[0]
    expressions = [_combine(name, how) for name, how in _combining(intake).items()]
    expressions += [nw.col(column.name).min() for column in intake.contract.derived]
    money = [column.name for column in intake.contract.columns if column.kind is Kind.MONEY]
    known = [nw.col(name).count().alias(f"{name}_known") for name in money]
    combined = rows.group_by(key).agg(*expressions, nw.col(LINE).min(), *known)
    sums = [nw.when(nw.col(f"{name}_known") > 0).then(nw.col(name).cast(nw.Int64)).alias(name) for name in money]
    return combined.with_columns(*sums)


def _combine(name: str, how: str) -> nw.Expr:
    match how:
        case "sum":
            return nw.col(name).sum()
        case "first":
            return nw.col(name).first(order_by=LINE)
        case "most":
            return nw.col(name).max()
        case _:
            return nw.col(name).min()


def _repeated_keys(rows: Frame, contract: Contract) -> Frame:
    """Rows whose key stands on an earlier line already."""
    key = list(contract.key)
    firsts = (
        rows.group_by(*key)
        .agg(nw.col(LINE).min().alias(_FIRST), nw.len().alias("__times"))
        .filter(nw.col("__times") > 1)
    )
    others = [name for name in contract.schema.names if name not in key]
    held = rows.rename({name: f"held_{name}" for name in others} | {LINE: _FIRST})
    pairs = (
        rows.join(firsts, on=key, how="inner")
        .filter(nw.col(LINE) > nw.col(_FIRST))
        .join(held, on=[*key, _FIRST], how="inner")
    )
    differs = nw.any_horizontal(*[_differs(name) for name in others], ignore_nulls=True)
    ending = (
        nw.when(differs)
        .then(nw.lit(" with other content; keep one of them"))
        .otherwise(nw.lit(" with the same content"))
    )
    beginning = nw.lit(f"this {' and '.join(key)} stands on line ")
    reason = nw.concat_str(beginning, nw.col(_FIRST).cast(nw.String), nw.lit(" already,"), ending)
    return _wrong(pairs, ", ".join(key), reason)


def _unknown(rows: Frame, column: str, table: str, known: Frame) -> Frame:
    """Rows that speak of something that its table does not hold."""
    orphans = rows.filter(~nw.col(column).is_null()).join(known, on=column, how="anti")
    reason = nw.concat_str(
        nw.lit("'"), nw.col(column), nw.lit(f"' is not in {table}; load it there first, then this file again")
    )
    return _wrong(orphans, column, reason)
