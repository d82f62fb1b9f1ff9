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
from regulars.tables.intake import LINE, REASONS, ROW, Intake
from regulars.tables.mapping import Mapping, default_combine
from regulars.tables.workspace import Workspace

_FIRST, _FIRST_LINE = "__first", "__first_line"
_IS_HELD = "__is_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Rows to be committed, in a Parquet file. has_updates: whether some of them replace others. gone: rows to be taken out."""

    rows: Path
    count: int
    has_updates: bool
    gone: pa.Table
    contract: Contract

    def commit(self, table: Path, transaction: delta.Transaction) -> None:
        """One atomic commit, also where nothing changed: then only the transaction is remembered."""
        schema = self.contract.schema
        batches = pq.ParquetFile(self.rows).iter_batches(columns=schema.names)
        reader = pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))
        if self.has_updates or len(self.gone):
            delta.upsert(table, reader, self.gone, self.contract.key, transaction)
        else:
            delta.append(table, reader, transaction)


class Staging(NamedTuple):
    """Where a load gathers what it read: three Parquet files in a folder that goes away with it."""

    folder: Path

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted.parquet"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected.parquet"

    @property
    def void(self) -> Path:
        return self.folder / "void.parquet"


class Settled(NamedTuple):
    """rows: accepted, one per key. rejects: in the shape of intake.REASONS. set_aside: what another row says never was."""

    rows: Frame
    rejects: pa.Table
    set_aside: dict[str, int]


def settle(staged: Staging, intake: Intake, workspace: Workspace, engine: Engine) -> Settled:
    """Look at the staged rows together: lines of one order agree, keys stand once, references are known."""
    contract, mapping = intake.contract, intake.mapping
    rejects = pq.read_table(staged.rejected)
    rows = engine.scan([str(staged.accepted)], staged_schema(contract))
    set_aside: dict[str, int] = {}
    if mapping.void:
        rows, set_aside = _without_void(rows, staged, mapping, engine)
    if mapping.one_row_per is not None:
        if contract.table == "orders" or _has_sums(intake):
            rows, rejects = _without(rows, _spoilt(rows, staged, contract, engine), rejects, engine)
        rows, rejects = _without(rows, _disagreeing(rows, intake), rejects, engine)
        rows = _one_row_per_key(rows, intake)
    else:
        rows, rejects = _without(rows, _repeated_keys(rows, contract), rejects, engine)
    for column, table in contract.references.items():
        if table != "stores":
            known = engine.scan(delta.files(workspace.table(table)), pa.schema([(column, pa.string())])).select(column)
            rows, rejects = _without(rows, _unknown(rows, column, table, known), rejects, engine)
    if contract.lasting and (files := delta.files(workspace.table(contract.table))):
        held = engine.scan(files, contract.schema)
        rows, rejects = _without(rows, _contradicting(rows, held, contract), rejects, engine)
    return Settled(rows, rejects, set_aside)


def find(rows: Frame, intake: Intake, workspace: Workspace, engine: Engine, staged: Staging) -> Changed:
    """The rows that are new to the table, or differ from what it holds, and those it holds that never were."""
    contract = intake.contract
    names, key = contract.schema.names, contract.key
    files = delta.files(workspace.table(contract.table))
    gone = contract.schema.empty_table()
    if not files:
        path = staged.folder / "new.parquet"
        engine.write(rows.select(names), path)
        count = pq.read_metadata(path).num_rows
        return Changed(rows=path, count=count, has_updates=False, gone=gone, contract=contract)
    table = engine.scan(files, contract.schema)
    if intake.mapping.void:
        void = _void(staged, intake.mapping, engine)
        gone = engine.stream(table.join(void, on=_void_key(intake.mapping), how="semi").select(names)).read_all()
    held = table.rename({name: f"held_{name}" for name in names})
    held = held.with_columns(nw.lit(True).alias(_IS_HELD))
    pairs = rows.join(held, left_on=list(key), right_on=[f"held_{name}" for name in key], how="left")
    is_new = nw.col(_IS_HELD).is_null()
    differs = nw.any_horizontal(*[_differs(name) for name in names if name not in key], ignore_nulls=True)
    path = staged.folder / "changed.parquet"
    engine.write(pairs.filter(is_new | differs).select(*names, is_new.alias("is_new")), path)
    marks = pq.read_table(path, columns=["is_new"])["is_new"].to_pylist()
    return Changed(
        rows=path, count=len(marks) + len(gone), has_updates=not all(marks), gone=gone, contract=contract
    )  # fmt: skip


def staged_schema(contract: Contract) -> pa.Schema:
    """What a staged row holds: the contract's columns, and where it stood."""
    return contract.schema.append(pa.field(LINE, pa.int64())).append(pa.field(ROW, pa.int64()))


def void_schema(contract: Contract) -> pa.Schema:
    """What is kept of a row that never was: its key, and why."""
    return pa.schema([*(contract.schema.field(name) for name in contract.key), pa.field("because", pa.string())])


def _void_key(mapping: Mapping) -> list[str]:
    """What is void has the same key; where a row of the source becomes several, the whole order is."""
    return list(mapping.contract.key[:1] if mapping.each is not None else mapping.contract.key)


def _void(staged: Staging, mapping: Mapping, engine: Engine) -> Frame:
    """The keys that never were, each once. The refund of a void order is void as well."""
    key = _void_key(mapping)
    void = engine.scan([str(staged.void)], void_schema(mapping.contract))
    return void.group_by(*key).agg(nw.col("because").min())


def _without_void(rows: Frame, staged: Staging, mapping: Mapping, engine: Engine) -> tuple[Frame, dict[str, int]]:
    """Take out the rows that another row of the source says never were; how many there are, by reason."""
    hit = rows.join(_void(staged, mapping, engine), on=_void_key(mapping), how="inner")
    hit = hit.group_by(ROW).agg(nw.col("because").min())
    counted = engine.stream(hit.group_by("because").agg(nw.len().cast(nw.Int64).alias("n"))).read_all().to_pylist()
    return rows.join(hit.select(ROW), on=ROW, how="anti"), {row["because"]: row["n"] for row in counted}


def _differs(name: str) -> nw.Expr:
    new, held = nw.col(name), nw.col(f"held_{name}")
    return (new != held).fill_null(False) | (new.is_null() != held.is_null())


def _without(rows: Frame, wrong: Frame, rejects: pa.Table, engine: Engine) -> tuple[Frame, pa.Table]:
    """Take the wrong rows (row, line, column, reason) out of the rows and add them to the rejects, each once."""
    found = _each_once(engine.stream(wrong.select("row", "line", "column", "reason")).read_all())
    if not len(found):
        return rows, rejects
    for name in ("original", "key"):
        found = found.append_column(name, pa.nulls(len(found), pa.string()))
    left = rows.join(wrong.select(nw.col("row").alias(ROW)), on=ROW, how="anti")
    return left, pa.concat_tables([rejects, found.select(REASONS.names).cast(REASONS)])


def _each_once(found: pa.Table) -> pa.Table:
    """One row of the source may have become several that are wrong."""
    firsts = found.group_by("row").aggregate([(name, "min") for name in ("line", "column", "reason")])
    return firsts.select(["row", "line_min", "column_min", "reason_min"]).rename_columns(found.column_names)


def _wrong(rows: Frame, column: str, reason: nw.Expr) -> Frame:
    place = (nw.col(ROW).alias("row"), nw.col(LINE).alias("line"))
    return rows.select(*place, nw.lit(column).alias("column"), reason.alias("reason"))


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


def _has_sums(intake: Intake) -> bool:
    return any(how == "sum" and name in intake.mapping.columns for name, how in _combining(intake).items())


def _combining(intake: Intake) -> dict[str, str]:
    """How each column of the lines of one order becomes one value."""
    said = {name: origin.combine for name, origin in intake.mapping.columns.items()}
    others = [column for column in intake.contract.columns if column.name not in intake.contract.key]
    return {column.name: said.get(column.name) or default_combine(column.kind) for column in others}


def _one_row_per_key(rows: Frame, intake: Intake) -> Frame:
    key = intake.contract.key[0]
    ways = _combining(intake)
    expressions = [_combine(name, how) for name, how in ways.items() if how != "first"]
    expressions += [nw.col(column.name).min() for column in intake.contract.derived]
    money = [column.name for column in intake.contract.columns if column.kind is Kind.MONEY]
    known = [nw.col(name).count().alias(f"{name}_known") for name in money]
    combined = rows.group_by(key).agg(*expressions, nw.col(LINE).min(), nw.col(ROW).min(), *known)
    if firsts := [name for name, how in ways.items() if how == "first"]:
        combined = combined.join(_of_first_row(rows, key, firsts), on=key, how="left")
    sums = [nw.when(nw.col(f"{name}_known") > 0).then(nw.col(name).cast(nw.Int64)).alias(name) for name in money]
    return combined.with_columns(*sums) if sums else combined


def _of_first_row(rows: Frame, key: str, names: list[str]) -> Frame:
    """What the first row of each key says; written out because Spark has no ordered first."""
    first = rows.group_by(key).agg(nw.col(ROW).min())
    return rows.join(first, on=[key, ROW], how="inner").group_by(key).agg(*[nw.col(name).min() for name in names])


def _combine(name: str, how: str) -> nw.Expr:
    match how:
        case "sum":
            return nw.col(name).sum()
        case "most":
            return nw.col(name).max()
        case _:
            return nw.col(name).min()


def _repeated_keys(rows: Frame, contract: Contract) -> Frame:
    """Rows whose key stands on an earlier line already."""
    key = list(contract.key)
    firsts = (
        rows.group_by(*key)
        .agg(nw.col(ROW).min().alias(_FIRST), nw.len().alias("__times"))
        .filter(nw.col("__times") > 1)
    )
    others = [name for name in contract.schema.names if name not in key]
    held = rows.rename({name: f"held_{name}" for name in others} | {ROW: _FIRST, LINE: _FIRST_LINE})
    pairs = (
        rows.join(firsts, on=key, how="inner")
        .filter(nw.col(ROW) > nw.col(_FIRST))
        .join(held, on=[*key, _FIRST], how="inner")
    )
    differs = nw.any_horizontal(*[_differs(name) for name in others], ignore_nulls=True)
    ending = (
        nw.when(differs)
        .then(nw.lit(" with other content; keep one of them"))
        .otherwise(nw.lit(" with the same content"))
    )
    beginning = nw.lit(f"this {' and '.join(key)} stands on line ")
    reason = nw.concat_str(beginning, nw.col(_FIRST_LINE).cast(nw.String), nw.lit(" already,"), ending)
    return _wrong(pairs, ", ".join(key), reason)


def _contradicting(rows: Frame, held: Frame, contract: Contract) -> Frame:
    """Rows that say of a key the table holds what it cannot have become: such as a guest in another arm of the campaign."""
    key, names = list(contract.key), contract.lasting
    before = held.select(*key, *names).rename({name: f"held_{name}" for name in names})
    differs = nw.any_horizontal(*[_differs(name) for name in names], ignore_nulls=True)
    pairs = rows.join(before, on=key, how="inner").filter(differs)
    said = [nw.concat_str(nw.lit(f" {n} "), nw.col(f"held_{n}").cast(nw.String).fill_null("none")) for n in names]
    mend = f", and stays so; take this row out, or load it under another {key[0]}"
    reason = nw.concat_str(nw.lit("this was loaded before with"), *said, nw.lit(mend))
    return _wrong(pairs, ", ".join(names), reason)


def _unknown(rows: Frame, column: str, table: str, known: Frame) -> Frame:
    """Rows that speak of something that its table does not hold."""
    orphans = rows.filter(~nw.col(column).is_null()).join(known, on=column, how="anti")
    reason = nw.concat_str(
        nw.lit("'"), nw.col(column), nw.lit(f"' is not in {table}; load it there first, then this file again")
    )
    return _wrong(orphans, column, reason)
