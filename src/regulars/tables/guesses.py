"""Guesses: what a column of a source holds and how it is written, by its name and first values."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.tables.contracts import Column, Contract, Kind
from regulars.tables.formats import Source
from regulars.tables.mapping import From
from regulars.tables.names import KNOWN, REFUND, STATES, TIME, UNIT_PRICE, VOID, plain
from regulars.tables.readings import Manner, read
from regulars.tables.shaping import text_of, words_of
from regulars.wording import Sentence

_DAYS = (
    "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
    "%Y年%m月%d日", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip
_TIMES = (" %H:%M:%S", " %H:%M", "", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S", ", %I:%M %p")
_FORMATS = tuple(day + time for day in _DAYS for time in _TIMES)
_FIRST_ROWS = 1_000
_WITH_COMMA, _WITH_POINT = r"\d,\d{1,2}\D*$", r"\d\.\d{1,2}\D*$"
_MOST_DIFFERENT, _MOST_STATES = 0.95, 30


def sample_of(source: Source) -> pa.RecordBatch:
    """The first rows of a source. Raises DataError where it has none."""
    with closing(source.batches()) as batches:
        first = next(batches, None)
    if first is None or not len(first.rows):
        raise DataError(f"{source.name}: has a header and no rows")
    return first.rows


def match(ours: str, names: list[str], table: str) -> str | None:
    """The source's name for one of our columns: the same, a known word for it, or one that contains it."""
    called = {plain(name): name for name in reversed(names)}
    wanted = [
        plain(word) for word in (ours, ours.removesuffix("_minor"), *KNOWN.get(f"{table}.{ours}", KNOWN.get(ours, ())))
    ]
    for word in wanted:
        if word in called:
            return called[word]
    return next((called[p] for word in wanted[:1] for p in called if len(word) > 4 and word in p), None)


def decimal_of(chosen: Contract, sample: pa.RecordBatch) -> str:
    """The decimal mark of the amounts: a comma where some are written with one, and none with a point."""
    names = [
        match(column.name, sample.schema.names, chosen.table) for column in chosen.columns if column.kind is Kind.MONEY
    ]
    texts = [
        sample.column(name) for name in names if name is not None and pa.types.is_string(sample.schema.field(name).type)
    ]
    return decimal_in(texts)


def decimal_in(texts: list[pa.Array]) -> str:
    """The decimal mark of amounts in text."""
    has_comma, has_point = (
        any(pc.any(pc.match_substring_regex(text, form)).as_py() for text in texts)
        for form in (_WITH_COMMA, _WITH_POINT)
    )
    return "," if has_comma and not has_point else "."


def is_readable(kind: Kind, values: pa.Array, decimal: str) -> bool:
    """Whether more than half of the values can be read as of a kind."""
    return bool(read(kind, values, Manner(decimal=decimal)).problem.null_count > len(values) / 2)


def might_be(kind: Kind, name: str, sample: pa.RecordBatch, decimal: str) -> bool:
    """Whether a column holds values of a kind, and hardly anything else."""
    values = sample.column(name)
    if kind in (Kind.INSTANT, Kind.DATE):
        return date(name, sample) is not None
    found = read(kind, values, Manner(decimal=decimal, is_major=True))
    return bool(found.values.null_count < len(values) / 2)


def paid(sample: pa.RecordBatch, decimal: str) -> From | None:
    """What was paid for a line, as the price of one times how many."""
    called = {plain(name): name for name in reversed(sample.schema.names)}
    price = next((called[word] for word in UNIT_PRICE if word in called), None)
    quantity = match("quantity", sample.schema.names, "order_items")
    if price is None:
        return None
    each = money(price, sample, decimal)
    return each if quantity is None else each.model_copy(update={"times": quantity})


def money(name: str, sample: pa.RecordBatch, decimal: str) -> From:
    values, said = sample.column(name), name.lower()
    is_minor = "minor" in said or "cents" in said
    origin = From(column=name, unit="minor" if is_minor else "major")
    if plain(name).startswith("discount") or name in KNOWN["discount_minor"]:
        amounts = read(Kind.MONEY, values, Manner(decimal=decimal, is_major=not is_minor)).values
        if (pc.min(amounts).as_py() or 0) < 0 and (pc.max(amounts).as_py() or 0) <= 0:
            return From(less=name, unit=origin.unit)
    return origin


def date(name: str, sample: pa.RecordBatch) -> From | None:
    """Where a time comes from, and its form: of two readings the one that puts the values closer together."""
    values, column = sample.column(name), name
    time = next((n for n in sample.schema.names if plain(n) in TIME and n != name), None)
    if time is not None and plain(name) not in TIME:
        joined = pc.binary_join_element_wise(text_of(values), text_of(sample.column(time)), " ")
        if (origin := _in_form((name, time), joined)) is not None:
            return origin
    return _in_form(column, values)


def _in_form(column: Any, values: pa.Array) -> From | None:
    if span(values, None) is not None:
        return From(column=column)
    few = values.slice(0, _FIRST_ROWS)
    spans = {
        form: width for form in _FORMATS if span(few, form) is not None and (width := span(values, form)) is not None
    }
    if not spans:
        return None
    first = next(iter(spans))
    return From(
        column=column, format=min((form for form in (first, swapped(first)) if form in spans), key=spans.__getitem__)
    )


def swapped(form: str) -> str:
    """The form with day and month the other way round."""
    return (
        form.translate({ord("d"): "m", ord("m"): "d"})
        if form.startswith(("%d/%m/", "%m/%d/", "%d-%m-", "%m-%d-"))
        else form
    )


def span(values: pa.Array, form: str | None) -> int | None:
    """Over how many microseconds a column goes if read so; None where it cannot be. Of two readings the closer is likelier."""
    reading = read(Kind.INSTANT, values, Manner(format=form))
    if reading.problem.null_count <= 0.9 * len(values) or reading.values.null_count == len(values):
        return None
    ends = pc.min_max(reading.values.cast(pa.int64()))
    return int(ends["max"].as_py() - ends["min"].as_py())


def whole_amounts(columns: Mapping[str, From], sample: pa.RecordBatch) -> Iterator[Sentence]:
    """What is said of amounts that are all whole: they may be in minor units."""
    origin = columns.get("amount_minor")
    if origin is None or origin.unit == "minor" or not origin.added:
        return
    texts = [text_of(sample.column(name)) for name in origin.added]
    if not any(pc.any(pc.match_substring_regex(text, r"[.,]\d{1,2}\D*$")).as_py() for text in texts):
        yield Sentence("amounts_whole", column="amount_minor", origin=" + ".join(origin.added))


def doubts(columns: Mapping[str, From], sample: pa.RecordBatch) -> Iterator[Sentence]:
    """What a person should decide: dates that can be read with the day first as well as with the month first."""
    for name, origin in columns.items():
        if origin.column is None or not isinstance(origin.format, str):
            continue
        other = swapped(origin.format)
        if other != origin.format and span(_joined(origin, sample), other) is not None:
            said = " + ".join(origin.added)
            yield Sentence("dates_fit_both", column=name, origin=said, form=origin.format, other=other)


def _joined(origin: From, sample: pa.RecordBatch) -> pa.Array:
    parts = [text_of(sample.column(one)) for one in origin.added]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, " ")


def repeats(origin: From | None, sample: pa.RecordBatch) -> bool:
    """Whether a key stands on several rows, as where a file has a row for each line of an order."""
    if origin is None or not origin.sources:
        return False
    return int(pc.count_distinct(_joined(origin, sample)).as_py()) < _MOST_DIFFERENT * len(sample)


def whole_key(columns: Mapping[str, From], sample: pa.RecordBatch) -> From:
    """What tells orders apart: their number, and the store and the day where numbers begin anew there."""
    number, store, at = (columns.get(name) for name in ("order_id", "store_id", "ordered_at"))
    key = number
    if key is None or len(key.sources) != 1:
        return key or From(value="")
    if store is not None and len(store.sources) == 1 and _is_of_line(_joined(store, sample), _joined(key, sample)):
        key = From(column=(*store.sources, *key.sources))
    if at is not None and _has_several_days(at, _joined(key, sample), sample) and len(at.added) > 1:
        key = From(column=(at.added[0], *key.added))
    return key


def _has_several_days(at: From, keys: pa.Array, sample: pa.RecordBatch) -> bool:
    """Whether rows of one key are of different days."""
    moments = read(Kind.DATE, _joined(at, sample), Manner(format=at.format)).values
    return _is_of_line(moments.cast(pa.string()), keys)


def combined(column: Column, origin: From, key: From, sample: pa.RecordBatch) -> From:
    """How the rows of an order make one value, where they do not agree as a matter of course.

    Amounts that are the same on all rows of each order are the order's, others are added. Of times on one day the first counts.
    """
    if not origin.sources or column.name == "order_id":
        return origin
    keys, values = _joined(key, sample), sample.column(origin.sources[0])
    if column.kind is Kind.MONEY:
        is_of_order = len(origin.sources) == 1 and _is_of_order(values, keys)
        return origin.model_copy(update={"combine": "same"}) if is_of_order else origin
    if column.kind is Kind.INSTANT:
        is_spread = _is_of_line(_joined(origin, sample), keys) and not _has_several_days(origin, keys, sample)
        return origin.model_copy(update={"combine": "least"}) if is_spread else origin
    is_free = column.kind in (Kind.TEXT, Kind.INTEGER) and column.may_be_absent and column.name != "currency"
    return origin.model_copy(update={"combine": "first"}) if is_free and _is_of_line(values, keys) else origin


def _spread(values: pa.Array, keys: pa.Array) -> pa.Table:
    """Of each key with several rows, how many values it has, and one of them."""
    table = pa.table({"key": words_of(keys), "value": words_of(values)})
    by_key = table.group_by("key").aggregate([("value", "count_distinct"), ("value", "count"), ("value", "min")])
    return by_key.filter(pc.greater(by_key["value_count"], 1))


def _is_of_order(values: pa.Array, keys: pa.Array) -> bool:
    """Whether rows of one key always have one value, and keys of several rows have other values than each other."""
    several = _spread(values, keys)
    is_one = pc.max(several["value_count_distinct"]).as_py() == 1
    return len(several) > 1 and is_one and len(several["value_min"].unique()) > 1


def _is_of_line(values: pa.Array, keys: pa.Array) -> bool:
    """Whether rows of one key have different values somewhere."""
    return (pc.max(_spread(values, keys)["value_count_distinct"]).as_py() or 1) > 1


def states(sample: pa.RecordBatch) -> dict[str, Any]:
    """What says that a row gives money back, or never was an order, where a column says so in words that tills use."""
    found: dict[str, Any] = {}
    for name in sample.schema.names:
        if plain(name) not in STATES:
            continue
        words = [word for word in words_of(sample.column(name)).unique().to_pylist() if word][:_MOST_STATES]
        back = [word for word in words if word.lower() in REFUND]
        void = [word for word in words if word.lower() in VOID]
        if back and len(back) < len(words):
            found.setdefault("refund", {name: back})
        if void:
            found.setdefault("void", {}).setdefault("void", {name: void})
    return found
