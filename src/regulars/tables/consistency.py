"""Consistency: what can only be seen when the rows of a source are looked at together, and beside the lake.

Lines of one order agree, a key stands once, references are known; and what the source no longer has goes.
"""

from typing import NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.tables import delta
from regulars.tables.changes import Dropped, Held, Settled, differs
from regulars.tables.combining import combining, one_row_per_key
from regulars.tables.contracts import Contract
from regulars.tables.engines import Engine, Frame
from regulars.tables.intake import LINE, REASONS, ROW, Intake
from regulars.tables.mapping import Mapping
from regulars.tables.refunds import order_name, refund_name
from regulars.tables.staging import Staging
from regulars.tables.workspace import Workspace

_FIRST, _FIRST_LINE, _ORDER = "__first", "__first_line", "__order"
_REFUND, _REFUNDS, _IS_KNOWN = "__refund", "__refunds", "__is_known"


class Rows(NamedTuple):
    """rows: what stands so far. rejects: in the shape of intake.REASONS."""

    rows: Frame
    rejects: pa.Table

    def without(self, wrong: Frame, engine: Engine) -> "Rows":
        """Take out what is wrong (row, line, column, reason, key) and keep it with the rejects, each once."""
        found = _each_once(engine.stream(wrong).read_all())
        if not len(found):
            return self
        found = found.append_column("original", pa.nulls(len(found), pa.string()))
        left = self.rows.join(wrong.select(nw.col("row").alias(ROW)), on=ROW, how="anti")
        return Rows(left, pa.concat_tables([self.rejects, found.select(REASONS.names).cast(REASONS)]))


def settle(staged: Staging, intake: Intake, held: Held, workspace: Workspace, engine: Engine) -> Settled:
    """What stands of the staged rows, one row for each key, and what the table holds that goes with them."""
    contract, mapping = intake.contract, intake.mapping
    found = Rows(staged.rows(contract, engine), pq.read_table(staged.rejected))
    set_aside: dict[str, int] = {}
    if mapping.void and not _is_of_lines(mapping):
        rows, set_aside = _without_void(found.rows, staged, mapping, engine)
        found = found._replace(rows=rows)
    if mapping.refund is not None and contract.table == "order_items":
        orders = engine.scan(delta.files(workspace.table("orders")), pa.schema([("order_id", pa.string())]))
        found = found._replace(rows=_of_their_refunds(found.rows, orders.select("order_id")))
    if mapping.one_row_per is not None:
        if contract.table == "orders" or _has_sums(intake):
            found = found.without(_spoilt(found.rows, staged, contract, engine), engine)
        found = found.without(_disagreeing(found.rows, intake), engine)
        found = found._replace(rows=one_row_per_key(found.rows, intake))
    else:
        found = found.without(_repeated_keys(found.rows, contract), engine)
    for column, table in contract.references.items():
        if table != "stores":
            known = engine.scan(delta.files(workspace.table(table)), pa.schema([(column, pa.string())])).select(column)
            found = found.without(_unknown(found.rows, column, table, known, contract), engine)
    if contract.lasting and held.rows is not None:
        found = found.without(_contradicting(found.rows, held.rows, contract), engine)
    dropped = [] if held.rows is None else _dropped(found, staged, mapping, held.rows, engine)
    return Settled(rows=found.rows, rejects=found.rejects, set_aside=set_aside, dropped=dropped)


def _named(rows: Frame, mapping: Mapping) -> Frame:
    """Rows with the order that each belongs to, a refund to the one that it refunds."""
    first = mapping.contract.key[0]
    return rows.with_columns((order_name(nw.col(first)) if first == "order_id" else nw.col(first)).alias(_ORDER))


def _dropped(found: Rows, staged: Staging, mapping: Mapping, held: Frame, engine: Engine) -> list[Dropped]:
    """What the table holds and the source says is no more: void, refunds that were taken back, lines that an order lost."""
    contract = mapping.contract
    dropped = []
    if mapping.void:
        names, void = list(contract.key), _void(staged, mapping, engine)
        gone = _named(held.select(names), mapping).join(void, on=_void_key(mapping), how="semi")
        dropped.append(Dropped(gone.select(names), names))
    if mapping.refunded is not None:
        dropped.append(Dropped(_refunds_lost(found.rows), ["order_id"]))
    if contract.come_whole and not pc.any(pc.is_null(found.rejects["key"])).as_py():
        dropped.append(Dropped(_lines_lost(found, staged, contract, held, engine), list(contract.key)))
    return dropped


def _refunds_lost(rows: Frame) -> Frame:
    """The refunds of orders that the source has without one."""
    sales = rows.filter(~nw.col("is_refund")).select(refund_name(nw.col("order_id")).alias("order_id"))
    return sales.join(rows.select("order_id"), on="order_id", how="anti")


def _lines_lost(found: Rows, staged: Staging, contract: Contract, held: Frame, engine: Engine) -> Frame:
    """The lines that the table holds of orders of which the source has some line again, but not these.

    Orders with a rejected line keep theirs; a file with other lines only adds to an order.
    """
    key, order = list(contract.key), contract.key[0]
    rejected = engine.scan([_kept(found.rejects.select(["key"]), staged)], pa.schema([("key", pa.string())]))
    again = found.rows.select(*key).join(held.select(*key), on=key, how="semi").select(order).unique()
    again = again.join(rejected.select(nw.col("key").alias(order)).unique(), on=order, how="anti")
    return held.select(*key).join(again, on=order, how="semi").join(found.rows.select(*key), on=key, how="anti")


def _kept(table: pa.Table, staged: Staging) -> str:
    path = staged.folder / "keys.parquet"
    pq.write_table(table, path)
    return str(path)


def _of_their_refunds(rows: Frame, orders: Frame) -> Frame:
    """Lines of refunds, of which the time is not that of any; where the order has one refund, they are of it."""
    base = order_name(nw.col("order_id"))
    refunds = orders.with_columns(base.alias(_ORDER)).filter(nw.col(_ORDER) != nw.col("order_id"))
    alone = refunds.group_by(_ORDER).agg(nw.len().alias(_REFUNDS), nw.col("order_id").min().alias(_REFUND))
    alone = alone.filter(nw.col(_REFUNDS) == 1).select(_ORDER, _REFUND)
    known = orders.with_columns(nw.lit(True).alias(_IS_KNOWN))
    names = rows.collect_schema().names()
    found = rows.with_columns(base.alias(_ORDER)).join(alone, on=_ORDER, how="left").join(known, "order_id", "left")
    is_lost = nw.col(_IS_KNOWN).is_null() & (nw.col(_ORDER) != nw.col("order_id")) & ~nw.col(_REFUND).is_null()
    order_id = nw.when(is_lost).then(nw.col(_REFUND)).otherwise(nw.col("order_id")).alias("order_id")
    return found.with_columns(order_id).select(names)


def _is_of_lines(mapping: Mapping) -> bool:
    """Whether each row of the source is a line, several of which make an order."""
    return mapping.one_row_per is not None and mapping.each is None


def _void_key(mapping: Mapping) -> list[str]:
    """What is void is the same in these; where a row of the source becomes several, the whole order is."""
    return [_ORDER, *(() if mapping.each is not None else mapping.contract.key[1:])]


def _void(staged: Staging, mapping: Mapping, engine: Engine) -> Frame:
    """What never was, each once. The refund of a void order is void as well; an order of lines is if all of them are."""
    contract = mapping.contract
    void = _named(staged.void_keys(contract, engine), mapping)
    void = void.group_by(*_void_key(mapping)).agg(nw.col("because").min())
    if not _is_of_lines(mapping):
        return void
    rejected = staged.rejects(engine).filter(~nw.col("key").is_null()).select(nw.col("key").alias(contract.key[0]))
    for left in (staged.rows(contract, engine).select(contract.key[0]), rejected):
        void = void.join(_named(left, mapping).select(_ORDER).unique(), on=_ORDER, how="anti")
    return void


def _without_void(rows: Frame, staged: Staging, mapping: Mapping, engine: Engine) -> tuple[Frame, dict[str, int]]:
    """Take out the rows that another row of the source says never were; how many there are, by reason."""
    hit = _named(rows, mapping).join(_void(staged, mapping, engine), on=_void_key(mapping), how="inner")
    hit = hit.group_by(ROW).agg(nw.col("because").min())
    counted = engine.stream(hit.group_by("because").agg(nw.len().cast(nw.Int64).alias("n"))).read_all().to_pylist()
    return rows.join(hit.select(ROW), on=ROW, how="anti"), {row["because"]: row["n"] for row in counted}


def _each_once(found: pa.Table) -> pa.Table:
    """One row of the source may have become several that are wrong."""
    names = [name for name in found.column_names if name != "row"]
    firsts = found.group_by("row").aggregate([(name, "min") for name in names])
    return firsts.select(["row", *(f"{name}_min" for name in names)]).rename_columns(["row", *names])


def _wrong(rows: Frame, column: str, reason: nw.Expr, contract: Contract) -> Frame:
    place = (nw.col(ROW).alias("row"), nw.col(LINE).alias("line"))
    key = nw.col(contract.key[0]).cast(nw.String).alias("key")
    return rows.select(*place, nw.lit(column).alias("column"), reason.alias("reason"), key)


def _spoilt(rows: Frame, staged: Staging, contract: Contract, engine: Engine) -> Frame:
    """Lines of orders of which another line was rejected: their sums would be wrong."""
    key = contract.key[0]
    rejected = staged.rejects(engine).filter(~nw.col("key").is_null())
    keys = rejected.group_by(nw.col("key").alias(key)).agg(nw.col("line").min().alias(_FIRST))
    place = nw.col(_FIRST).cast(nw.String)
    reason = nw.concat_str(nw.lit("line "), place, nw.lit(" of the same order was rejected; mend that first"))
    return _wrong(rows.join(keys, on=key, how="inner"), key, reason, contract)


def _disagreeing(rows: Frame, intake: Intake) -> Frame:
    """Lines of orders that do not agree in a column in which all lines of an order must."""
    contract = intake.contract
    key = contract.key[0]
    names = [name for name, how in combining(intake).items() if how == "same"]
    spans = rows.group_by(key).agg(*_spans(names))
    unlike = {name: nw.col(f"{name}_least") != nw.col(f"{name}_most") for name in names}
    spread = spans.filter(nw.any_horizontal(*unlike.values(), ignore_nulls=True))
    said = nw.concat_str(*[nw.when(d).then(nw.lit(f"{n} ")).otherwise(nw.lit("")) for n, d in unlike.items()])
    reason = nw.concat_str(nw.lit("the lines of this order do not agree in "), said)
    return _wrong(rows.join(spread.with_columns(reason.alias("__why")), on=key), key, nw.col("__why"), contract)


def _spans(names: list[str]) -> list[nw.Expr]:
    return [e for n in names for e in (nw.col(n).min().alias(f"{n}_least"), nw.col(n).max().alias(f"{n}_most"))]


def _has_sums(intake: Intake) -> bool:
    return any(how == "sum" and name in intake.mapping.columns for name, how in combining(intake).items())


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
    is_other = nw.any_horizontal(*map(differs, others), ignore_nulls=True)
    ending = nw.when(is_other).then(_other_content(contract)).otherwise(nw.lit(" with the same content"))
    beginning = nw.lit(f"this {' and '.join(key)} stands on line ")
    reason = nw.concat_str(beginning, nw.col(_FIRST_LINE).cast(nw.String), nw.lit(" already,"), ending)
    return _wrong(pairs, ", ".join(key), reason, contract)


def _other_content(contract: Contract) -> nw.Expr:
    """What to do about two rows of one key."""
    keep = nw.lit(" with other content; keep one of them")
    if not contract.place:
        return keep
    begun_anew = (
        f" of another store or day; where numbers begin anew, make {contract.key[0]} of several columns in the mapping, "
        f'such as {contract.key[0]} = {{ column = ["date", "number"] }}'
    )
    is_moved = nw.any_horizontal(*map(differs, contract.place), ignore_nulls=True)
    return nw.when(is_moved).then(nw.lit(begun_anew)).otherwise(keep)


def _contradicting(rows: Frame, held: Frame, contract: Contract) -> Frame:
    """Rows that say of a key the table holds what it cannot have become: such as a guest in another arm of the campaign."""
    key, names = list(contract.key), contract.lasting
    before = held.select(*key, *names).rename({name: f"held_{name}" for name in names})
    is_other = nw.any_horizontal(*map(differs, names), ignore_nulls=True)
    pairs = rows.join(before, on=key, how="inner").filter(is_other)
    said = [nw.concat_str(nw.lit(f" {n} "), nw.col(f"held_{n}").cast(nw.String).fill_null("none")) for n in names]
    mend = f", and stays so; take this row out, or load it under another {key[0]}"
    reason = nw.concat_str(nw.lit("this was loaded before with"), *said, nw.lit(mend))
    return _wrong(pairs, ", ".join(names), reason, contract)


def _unknown(rows: Frame, column: str, table: str, known: Frame, contract: Contract) -> Frame:
    """Rows that speak of something that its table does not hold."""
    orphans = rows.filter(~nw.col(column).is_null()).join(known, on=column, how="anti")
    reason = nw.concat_str(
        nw.lit("'"), nw.col(column), nw.lit(f"' is not in {table}; load it there first, then this file again")
    )
    return _wrong(orphans, column, reason, contract)
