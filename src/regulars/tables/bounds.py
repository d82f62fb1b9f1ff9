"""Bounds: what a value or a row may be: least and most, words, signs, and values that systems write where they know none."""

import datetime as dt
from collections.abc import Callable
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock.arrays import INSTANT
from regulars.tables.contracts import Column, Kind
from regulars.tables.intake import Intake
from regulars.tables.mapping import From
from regulars.tables.readings import Moments, Reading
from regulars.tables.verdict import Verdict
from regulars.tables.workspace import Settings

FUTURE_ALLOWED = dt.timedelta(days=1)
EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_BIRTHDAY = dt.date(1900, 1, 1)
_NO_DATES = tuple(
    dt.date.fromisoformat(day)
    for day in ("0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01", "9999-12-31")
)
"""The days with which clocks and calendars of systems begin and end: they stand for no day."""


def without_no_dates(column: Column, found: Moments, line: pa.Array, intake: Intake) -> Moments:
    """Moments without those that stand for none; where one is needed, that is a problem."""
    day = found.wall.cast(pa.date32(), safe=False)
    is_none = _is_no_date(day)
    if not pc.any(is_none).as_py():
        return found
    if not column.may_be_absent:
        is_epoch = pc.equal(day, pa.scalar(EARLIEST.date()))
        said = pc.if_else(
            is_epoch, pa.scalar("is missing: 1970-01-01 stands for no date"), pa.scalar("lies before 1970")
        )
        problem = pc.coalesce(found.problem, pc.if_else(is_none, said, pa.scalar(None, pa.string())))
        return found._replace(wall=_null_where(is_none, found.wall), problem=problem)
    intake.notes.add("dates_of_nothing", is_none, line, column=column.name)
    return found._replace(wall=_null_where(is_none, found.wall))


def without_placeholders(column: Column, values: pa.Array, line: pa.Array, intake: Intake) -> pa.Array:
    """Values without those that systems write where they know none, such as 0 guests at a table."""
    if column.nothing:
        values = _null_where(pc.is_in(values, pa.array(column.nothing, values.type)), values)
    if column.kind is Kind.DATE:
        is_none = _is_no_date(values)
        if column.is_birthday:
            is_odd = pc.or_(pc.greater(values, intake.now.date()), pc.less_equal(values, _FIRST_BIRTHDAY))
            is_none = pc.or_(is_none, pc.fill_null(is_odd, False))
        intake.notes.add("dates_of_nothing", is_none, line, column=column.name)
        values = _null_where(is_none, values)
    return values


def _is_no_date(day: pa.Array) -> pa.Array:
    return pc.is_in(day, pa.array(_NO_DATES, pa.date32()))


def _null_where(is_none: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(is_none, False), pa.scalar(None, values.type), values)


def stretched(reading: Reading, column: Column, origin: From) -> Reading:
    """Judgements and shares on the source's scale as ours."""
    if origin.scale is None or column.least is None or column.most is None:
        return reading
    low, high = origin.scale
    share = pc.divide(pc.subtract(reading.values, low), high - low)
    return Reading(pc.add(pc.multiply(share, column.most - column.least), column.least), reading.problem)


def check(column: Column, values: pa.Array, problem: pa.Array, verdict: Verdict, intake: Intake) -> None:
    """What is wrong with the values of one column."""
    name = column.name
    if not column.may_be_absent:
        is_missing = pc.and_(pc.is_null(values), pc.is_null(problem))
        verdict.add_where(name, is_missing, _missing(column, intake))
    mend = (
        "; if the source has another scale, say so in the mapping, such as scale = [0, 10]" if column.is_scale else ""
    )
    if column.least is not None:
        verdict.add_where(name, pc.less(values, column.least), f"is less than {column.least:g}{mend}")
    if column.most is not None:
        verdict.add_where(name, pc.greater(values, column.most), f"is more than {column.most:g}{mend}")
    if column.is_percent:
        _check_percent(column, values, verdict, intake)
    if column.kind is Kind.INSTANT:
        _check_instants(column, values, verdict, intake)
    if column.words:
        verdict.add(name, _no_word(column, values))
    if intake.contract.references.get(name) == "stores":
        verdict.add(name, _unknown_stores(values, intake))


def _missing(column: Column, intake: Intake) -> str:
    origin = intake.mapping.columns.get(column.name)
    if origin is None or not origin.only_store:
        return "is missing"
    stores = f"{len(intake.clocks)} stores" if intake.clocks else "no store"
    return f"is missing, and the workspace has {stores}; say which one this file is of, with --store or in a mapping"


def _check_percent(column: Column, values: pa.Array, verdict: Verdict, intake: Intake) -> None:
    """A share where a percentage is asked for: 0.95 may be 95 % or less than one."""
    origin = intake.mapping.columns.get(column.name)
    if origin is not None and origin.scale is not None:
        return
    is_share = pc.and_(pc.greater(values, 0), pc.less_equal(values, 1))
    mend = "is not more than one per cent: is it a share? write 95 for 95 %, or say scale = [0, 1] in the mapping"
    verdict.add_where(column.name, is_share, mend)


def _check_instants(column: Column, values: pa.Array, verdict: Verdict, intake: Intake) -> None:
    verdict.add_where(column.name, pc.less(values, pa.scalar(EARLIEST, INSTANT)), "lies before 1970")
    if not column.may_lie_ahead:
        is_late = pc.greater(values, pa.scalar(intake.now + FUTURE_ALLOWED, INSTANT))
        verdict.add_where(column.name, is_late, f"lies in the future (it is {intake.now:%Y-%m-%d %H:%M} UTC now)")


def in_our_words(column: Column, values: pa.Array) -> pa.Array:
    """Words in the form that ours have: small letters and underscores."""
    return pc.replace_substring_regex(pc.utf8_lower(values), r"[\s-]+", "_") if column.words else values


def _no_word(column: Column, values: pa.Array) -> pa.Array:
    """A sentence for each value that is none of the words a column may hold."""
    encoded = pc.dictionary_encode(values)
    allowed = f"{', '.join(column.words[:-1])} or {column.words[-1]}"
    said = [
        None if word is None or word in column.words else
        f"'{word[:80]}' is no {column.name}; write {allowed}, or say in the mapping which it is: values = {{ ... }}"
        for word in encoded.dictionary.to_pylist()
    ]  # fmt: skip
    return pa.array(said, pa.string()).take(encoded.indices)


def _unknown_stores(values: pa.Array, intake: Intake) -> pa.Array:
    stores = pc.dictionary_encode(values)
    said = [
        None if s is None or s in intake.clocks else f"store '{s}' is not in stores; load it there first"
        for s in stores.dictionary.to_pylist()
    ]
    return pa.array(said, pa.string()).take(stores.indices)


def check_table(table: str, columns: dict[str, pa.Array], verdict: Verdict, settings: Settings) -> None:
    """What is wrong with rows whose values do not go together."""
    if check := _TABLES.get(table):
        check(columns, verdict, settings)


def _check_orders(columns: dict[str, pa.Array], verdict: Verdict, settings: Settings) -> None:
    amount, is_refund = columns["amount_minor"], columns["is_refund"]
    is_unmarked = pc.and_(pc.less(amount, 0), pc.invert(is_refund))
    verdict.add_where("amount_minor", is_unmarked, "is negative and the order is not marked as a refund; map is_refund")
    is_positive = pc.and_(pc.greater(amount, 0), is_refund)
    verdict.add_where("amount_minor", is_positive, "is positive on a refund; a refund is written as -12.50")
    is_odd = pc.and_(pc.less(columns["discount_minor"], 0), pc.invert(is_refund))
    verdict.add_where("discount_minor", is_odd, _NEGATIVE_DISCOUNT)
    is_foreign = pc.not_equal(columns["currency"], settings.currency)
    currency = settings.currency
    verdict.add_where(
        "currency", is_foreign, f"is not {currency}, in which this workspace counts; load it into another"
    )


def _check_order_items(columns: dict[str, pa.Array], verdict: Verdict, settings: Settings) -> None:
    amount, quantity = columns["amount_minor"], columns["quantity"]
    is_odd = pc.and_(pc.less(amount, 0), pc.greater(quantity, 0))
    verdict.add_where(
        "amount_minor", is_odd, "is negative though the quantity is not; a returned line has both negative"
    )
    is_odd = pc.and_(pc.greater(amount, 0), pc.less(quantity, 0))
    verdict.add_where(
        "amount_minor", is_odd, "is positive though the quantity is negative; a returned line has both negative"
    )
    is_odd = pc.and_(pc.less(columns["discount_minor"], 0), pc.greater_equal(quantity, 0))
    verdict.add_where("discount_minor", is_odd, _NEGATIVE_DISCOUNT)


_NEGATIVE_DISCOUNT = (
    "is negative, which would be a surcharge; a discount of 2.00 is written as 2.00. Where the till writes it as -2.00, "
    'say discount_minor = { less = "COLUMN" } in the mapping'
)
_TABLES: MappingProxyType[str, Callable[[dict[str, pa.Array], Verdict, Settings], None]] = MappingProxyType(
    {"orders": _check_orders, "order_items": _check_order_items}
)
