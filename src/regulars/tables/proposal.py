"""Proposals: a mapping guessed from a source's names and first values, for a person to check."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.tables.contracts import CONTRACTS, Column, Contract, Kind
from regulars.tables.formats import Source
from regulars.tables.mapping import From, Mapping
from regulars.tables.names import KNOWN, plain
from regulars.tables.readings import Manner, read
from regulars.wording import Sentence

_FORMATS = tuple(
    day + time
    for day in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%y", "%Y年%m月%d日")
    for time in (" %H:%M:%S", " %H:%M", "", " %I:%M %p")
)


def propose(source: Source, table: str | None = None) -> Mapping:
    """A mapping for a source; `table` None takes the table that fits best.

    Raises DataError naming what no column seems to hold.
    """
    sample = _sample(source)
    candidates = [CONTRACTS[table]] if table else list(CONTRACTS.values())
    chosen = max(candidates, key=lambda contract: _fit(contract, source.columns))
    found = {column.name: _origin(column, sample) for column in chosen.columns}
    origins = {name: origin for name, origin in found.items() if origin is not None}
    origins |= _by_need(chosen, origins, sample)
    missing = [c.name for c in chosen.columns if not c.may_be_absent and c.name not in origins]
    if missing:
        raise DataError(
            f"{source.name}: no column looks like {', '.join(missing)} of {chosen.table}; it has {', '.join(source.columns)}. "
            f"Write mappings/{chosen.table}.toml by hand, or name another --table"
        )
    key = chosen.key[0]
    return Mapping(table=chosen.table, columns=origins, one_row_per=key if _repeats(chosen, origins, sample) else None)


def _sample(source: Source) -> pa.RecordBatch:
    first = next(source.batches(), None)
    if first is None or not len(first.rows):
        raise DataError(f"{source.name}: has a header and no rows")
    return first.rows


def _fit(contract: Contract, names: list[str]) -> float:
    found = [_match(column.name, names) is not None for column in contract.columns]
    needed = [is_found for column, is_found in zip(contract.columns, found, strict=True) if not column.may_be_absent]
    return sum(needed) / len(needed) + 0.1 * sum(found) / len(found)


def _match(ours: str, names: list[str]) -> str | None:
    """The source's name for one of our columns: the same, a known word for it, or one that contains it."""
    called = {plain(name): name for name in reversed(names)}
    wanted = [plain(word) for word in (ours, ours.removesuffix("_minor"), *KNOWN.get(ours, ()))]
    for word in wanted:
        if word in called:
            return called[word]
    return next((called[p] for word in wanted[:1] for p in called if len(word) > 4 and word in p), None)


def _origin(column: Column, sample: pa.RecordBatch) -> From | None:
    name = _match(column.name, sample.schema.names)
    if name is None:
        return None
    values = sample.column(name)
    match column.kind:
        case Kind.MONEY:
            return From(column=name, unit="major" if _is_major(name, values) else "minor")
        case Kind.INSTANT | Kind.DATE:
            return _date_origin(name, sample)
    is_readable = read(column.kind, values, Manner()).problem.null_count > len(values) / 2
    return From(column=name) if is_readable else None


def _is_major(name: str, values: pa.Array) -> bool:
    if "minor" in name.lower() or "cents" in name.lower():
        return False
    return not pa.types.is_integer(values.type)


def _date_origin(name: str, sample: pa.RecordBatch) -> From | None:
    values = sample.column(name)
    time = next((n for n in sample.schema.names if plain(n) == "time" and n != name), None)
    if time is not None and plain(name) == "date":
        return From(column=(name, time))
    if _span(values, None) is not None:
        return From(column=name)
    spans = {form: span for form in _FORMATS if (span := _span(values, form)) is not None}
    if not spans:
        return None
    first = next(iter(spans))
    return From(
        column=name, format=min((form for form in (first, swapped(first)) if form in spans), key=spans.__getitem__)
    )


def swapped(form: str) -> str:
    """The form with day and month the other way round."""
    return form.translate({ord("d"): "m", ord("m"): "d"}) if form.startswith(("%d/%m/", "%m/%d/")) else form


def doubts(source: Source, mapping: Mapping) -> Iterator[Sentence]:
    """What a person should decide: dates that can be read with the day first as well as with the month first."""
    sample = _sample(source)
    for name, origin in mapping.columns.items():
        if not isinstance(origin.column, str) or not isinstance(origin.format, str):
            continue
        other = swapped(origin.format)
        if other != origin.format and _span(sample.column(origin.column), other) is not None:
            yield Sentence("dates_fit_both", column=name, origin=origin.column, form=origin.format, other=other)


def _span(values: pa.Array, form: str | None) -> int | None:
    """Over how many microseconds a column goes if read so; None where it cannot be. Of two readings the closer is likelier."""
    reading = read(Kind.INSTANT, values, Manner(format=form))
    if reading.problem.null_count <= 0.9 * len(values) or reading.values.null_count == len(values):
        return None
    ends = pc.min_max(reading.values.cast(pa.int64()))
    return int(ends["max"].as_py() - ends["min"].as_py())


def _by_need(contract: Contract, found: dict[str, From], sample: pa.RecordBatch) -> dict[str, From]:
    """What can be filled in where nothing was found: one store of its own, numbered lines."""
    needs: dict[str, From] = {}
    if contract.table in ("orders", "reviews") and "store_id" not in found:
        needs["store_id"] = From(value="S1")
    if contract.table == "order_items" and "line" not in found:
        needs["line"] = From(line_number=True)
    return needs


def _repeats(contract: Contract, origins: dict[str, From], sample: pa.RecordBatch) -> bool:
    """Whether a file of orders has a row for each line of them."""
    sources = origins[contract.key[0]].sources
    if contract.table != "orders" or len(sources) != 1:
        return False
    return int(pc.count_distinct(sample.column(sources[0])).as_py()) < 0.95 * len(sample)
