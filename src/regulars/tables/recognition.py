"""Recognition: which tables a source holds, and by which mapping each of them is read.

A mapping that the workspace keeps goes before our own names, those before known exports, those before a proposal. Where a source could be
one of two tables it is refused, with the mend.
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.tables import guesses
from regulars.tables.contracts import CONTRACTS, Kind
from regulars.tables.formats import FrameSource, JsonLinesSource, Source
from regulars.tables.mapping import From, Mapping
from regulars.tables.names import has_same_names, ours_among, same_names
from regulars.tables.proposal import Proposal, nearest_proposal, propose_all
from regulars.tables.shaping import words_of
from regulars.tables.vendors import Export, recognise
from regulars.wording import Sentence

_LEAST_NEEDED = 2
_BESIDE_ORDERS = ("stores", "guests", "menu_items")


class Share(NamedTuple):
    """One table that a source holds.

    only_new: what the table holds already stays, for this source is about something else. also_read: columns that its other tables
    are read from. doubts: what a person should look at.
    """

    mapping: Mapping
    way: Literal["kept", "names", "export", "proposal"]
    export: str | None = None
    only_new: bool = False
    also_read: tuple[str, ...] = ()
    doubts: tuple[Sentence, ...] = ()

    @property
    def table(self) -> str:
        return self.mapping.table


class Known(NamedTuple):
    """What decides how a source is read. kept: mappings of the workspace. choose: of exports with the same columns, the one that fits.

    store: the one that the source is of, where that was said. has_stores: whether there are any.
    """

    kept: dict[str, Mapping]
    choose: Callable[[list[Export], Source], Export]
    store: str | None
    has_stores: bool


def plan_of(sources: Iterable[Source], known: Known) -> list[tuple[Source, Share]]:
    """What to load from each source: what one is about before what another only mentions.

    Stores that orders name are made only where no source is about stores. Raises DataError where it cannot be told what one holds.
    """
    found = [
        (_readable_twice(source), share) for source in sources for share in shares_of(_readable_twice(source), known)
    ]
    if any(share.table == "stores" and not share.only_new for _, share in found):
        found = [
            (source, share)
            for source, share in found
            if share.table != "stores" or not (share.only_new and share.way == "names")
        ]
    return sorted(found, key=lambda one: one[1].only_new)


def _readable_twice(source: Source) -> Source:
    if isinstance(source, FrameSource) and isinstance(source.data, pa.RecordBatchReader):
        raise DataError(
            f"{source.name}: can be read once only, so its table cannot be found first; name it: lake.load(TABLE, ...)"
        )
    return source


def shares_of(source: Source, known: Known) -> list[Share]:
    """The tables that a source holds, in the order in which they are loaded. Raises DataError where that cannot be told."""
    kept = [Share(one, "kept") for one in known.kept.values() if _fits(one, source)]
    found = _by_names(source, known, is_sure=True) or _by_export(source, known) or (
        [] if kept else _by_names(source, known, is_sure=False) or _by_proposal(source)
    )  # fmt: skip
    by_table = {share.table: share for share in [*found, *kept]}
    if "orders" in by_table and not known.has_stores and "stores" not in by_table and known.store is None:
        by_table |= {share.table: share for share in _stores_of(by_table["orders"].mapping, source)}
    if {"orders", "order_items"} & by_table.keys():
        by_table = {
            name: share._replace(only_new=name in _BESIDE_ORDERS and share.way != "kept")
            for name, share in by_table.items()
        }
    chosen = [by_table[table] for table in CONTRACTS if table in by_table]
    read = tuple(dict.fromkeys(name for share in chosen for name in share.mapping.sources))
    return [share._replace(also_read=read if share is _main(chosen) else tuple(source.columns)) for share in chosen]


def _main(chosen: list[Share]) -> Share:
    """What a source is about."""
    return next((share for share in chosen if share.table not in _BESIDE_ORDERS), chosen[0])


def _fits(mapping: Mapping, source: Source) -> bool:
    try:
        mapping.require(source.columns, source.name)
    except DataError:
        return False
    return True


def _by_export(source: Source, known: Known) -> list[Share]:
    by_table: dict[str, list[Export]] = {}
    for export in recognise(source.columns):
        by_table.setdefault(export.table, []).append(export)
    chosen = [known.choose(exports, source) if len(exports) > 1 else exports[0] for exports in by_table.values()]
    return [Share(in_its_manner(one.mapping, source), "export", one.export) for one in chosen]


def in_its_manner(mapping: Mapping, source: Source) -> Mapping:
    """The mapping of an export with the decimal mark and the form of dates that the source has, for both are those of a country.

    Raises DataError where its dates can be read with the day first as well as with the month first.
    """
    if isinstance(source, FrameSource) or (isinstance(source, JsonLinesSource) and mapping.only is not None):
        return mapping
    sample = guesses.sample_of(source)
    money = {column.name for column in mapping.contract.columns if column.kind is Kind.MONEY} & mapping.columns.keys()
    names = {name for ours in money for name in mapping.columns[ours].sources if name in sample.schema.names}
    texts = [sample.column(name) for name in sorted(names) if pa.types.is_string(sample.schema.field(name).type)]
    changed: dict[str, object] = {"decimal": ","} if guesses.decimal_in(texts) == "," else {}
    if (at := mapping.refunded_at) is not None:
        changed["refunded_at"] = _in_its_form(at, sample)
    times = {name: origin for name, origin in mapping.columns.items() if name in _TIMES[mapping.table]}
    formed = {name: _in_its_form(origin, sample) for name, origin in times.items()}
    if doubt := next(guesses.doubts(formed, sample), None):
        raise _doubtful(source, mapping.table, doubt)
    return mapping.model_copy(update={**changed, "columns": {**mapping.columns, **formed}})


_TIMES = {table: [column.name for column in rules.instants] for table, rules in CONTRACTS.items()}


def _in_its_form(origin: From, sample: pa.RecordBatch) -> From:
    """Where a time comes from, with its form where the mapping leaves that open and it is not ISO 8601."""
    if origin.format is not None or not isinstance(origin.column, str) or origin.column not in sample.schema.names:
        return origin
    found = guesses.date(origin.column, sample)
    return (
        origin if found is None or found.column != origin.column else origin.model_copy(update={"format": found.format})
    )


def _doubtful(source: Source, table: str, doubt: Sentence) -> DataError:
    return DataError(
        f"{source.name}: {doubt} `regulars map {source.name} --table {table} --save` keeps the likelier reading for you to check; "
        "then load it"
    )


def _by_names(source: Source, known: Known, *, is_sure: bool) -> list[Share]:
    """The tables whose names the columns have. Sure are those that need several of them."""
    columns = [*source.columns, *(["store_id"] if known.store and is_sure else [])]
    there = {table: len(ours_among(table, columns)) for table in CONTRACTS if has_same_names(table, columns)}
    there = {table: count for table, count in there.items() if (_needed(table) >= _LEAST_NEEDED) == is_sure}
    if not there:
        return []
    best = [table for table, count in there.items() if count == max(there.values())]
    if "orders" in there and "order_items" in there:
        return _with_lines(source, columns)
    if len(best) > 1:
        raise _ambiguous(source, best)
    if guess := _better_guess(source, best[0], there[best[0]]):
        return guess
    return [Share(_ours(best[0], columns), "names")]


def _needed(table: str) -> int:
    return sum(not column.may_be_absent for column in CONTRACTS[table].columns)


def _ours(table: str, columns: Iterable[str]) -> Mapping:
    return same_names(table, columns)


def _with_lines(source: Source, columns: list[str]) -> list[Share]:
    """Orders and their lines by our own names, where the file has a row for each line."""
    orders, sample = _ours("orders", columns), guesses.sample_of(source)
    if not guesses.repeats(orders.columns["order_id"], sample):
        return [Share(orders, "names"), Share(_ours("order_items", columns), "names")]
    key, named = orders.columns["order_id"], CONTRACTS["orders"].by_name
    combined = {name: guesses.combined(named[name], origin, key, sample) for name, origin in orders.columns.items()}
    whole = orders.model_copy(update={"one_row_per": "order_id", "columns": combined})
    found = [Share(whole, "names"), Share(_ours("order_items", columns), "names")]
    if has_same_names("menu_items", columns):
        found.append(Share(_each_once(_ours("menu_items", columns)), "names"))
    return found


def _each_once(mapping: Mapping) -> Mapping:
    """A mapping of a table whose keys stand on many rows of a source that is about something else."""
    key = mapping.contract.key[0]
    columns = {
        name: origin if name == key else origin.model_copy(update={"combine": "first"})
        for name, origin in mapping.columns.items()
    }
    return mapping.model_copy(update={"one_row_per": key, "columns": columns})


def _better_guess(source: Source, table: str, explained: int) -> list[Share]:
    """What a source is rather than the table whose names it has by chance: such as the lines of orders rather than of the kitchen."""
    guess = propose_all(source)
    if not guess or guess[0].table == table or max(one.explained for one in guess) <= explained:
        return []
    return _shares(source, guess)


def _by_proposal(source: Source) -> list[Share]:
    """What a source seems to hold. Raises DataError where that is in doubt, or something is missing."""
    return _shares(source, propose_all(source) or [nearest_proposal(source)])


def _shares(source: Source, guess: list[Proposal]) -> list[Share]:
    for one in guess:
        if (doubt := one.open_question) is not None:
            raise _doubtful(source, one.table, doubt)
    return [Share(one.mapping, "proposal", doubts=one.doubts) for one in guess]


def _stores_of(orders: Mapping, source: Source) -> list[Share]:
    """The stores that orders name, where the workspace has none yet."""
    origin = orders.columns["store_id"]
    named = [name for name in origin.added if name in source.columns]
    if not named or not names_stores(orders, source):
        return []
    columns = {"store_id": origin.model_copy(update={"combine": None, "only_store": False})}
    columns["name"] = From(column=named[0], combine="first")
    kept = orders.model_dump(include={"decimal", "encoding", "delimiter", "sheet", "fill_down"}, exclude_defaults=True)
    said = {named[0]: True} if len(named) == 1 else None
    return [Share(Mapping(table="stores", one_row_per="store_id", columns=columns, only=said, **kept), "names")]


def names_stores(mapping: Mapping, source: Source) -> bool:
    """Whether the first rows of a source name a store."""
    origin = mapping.columns.get("store_id")
    if origin is None or origin.value is not None:
        return True
    sample = guesses.sample_of(source)
    named = [name for name in origin.sources if name in sample.schema.names]
    return any(pc.any(pc.not_equal(words_of(sample.column(name)), "")).as_py() for name in named)


def _ambiguous(source: Source, tables: list[str]) -> DataError:
    several = " or ".join(tables)
    mend = " or ".join(f"`regulars load {table} {source.name}`" for table in tables)
    return DataError(f"{source.name}: its columns fit {several} equally well; say which it is: {mend}")


def of_store(mapping: Mapping, store: str, columns: Iterable[str]) -> Mapping:
    """A mapping for a source of one store, in which a column may name it all the same."""
    origin = mapping.columns.get("store_id")
    if origin is not None and set(origin.sources) & set(columns):
        return mapping
    return mapping.model_copy(update={"columns": {**mapping.columns, "store_id": From(value=store)}})
