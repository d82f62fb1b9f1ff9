"""Proposals: mappings guessed from a source's names and first values, for a person to check.

What is found is proposed; of what is needed and not found, the columns that might be it are named.
"""

from collections.abc import Iterable
from collections.abc import Mapping as Named
from dataclasses import dataclass, replace

import pyarrow as pa

from regulars.errors import DataError
from regulars.tables import guesses
from regulars.tables.contracts import CONTRACTS, Column, Contract, Kind, contract
from regulars.tables.formats import Source
from regulars.tables.guesses import match
from regulars.tables.mapping import From, Mapping, file_of, toml_of
from regulars.wording import Sentence

_LINES = ("line", "line_number", "line_no", "position")
_MOST_CANDIDATES = 5
_NEARLY_WHOLE = 2 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A mapping as far as it could be guessed. settings: its other fields.

    missing: what the table needs and no column seems to hold, and which columns might be it. doubts: what a person should decide.
    """

    table: str
    columns: Named[str, From]
    settings: Named[str, object]
    missing: Named[str, tuple[str, ...]]
    doubts: tuple[Sentence, ...] = ()
    source: str = ""

    @property
    def explained(self) -> int:
        """How many columns of the source it looks at."""
        return len({name for origin in self.columns.values() for name in origin.sources})

    @property
    def open_question(self) -> Sentence | None:
        """What has to be decided before anything is loaded by it."""
        return next((doubt for doubt in self.doubts if doubt.code == "dates_fit_both"), None)

    @property
    def mapping(self) -> Mapping:
        """The whole mapping. Raises DataError naming what is missing, and which columns might be it."""
        if self.missing:
            raise DataError(f"{self.source}: {'; '.join(self.lacks)}. {self.mend}")
        return Mapping.model_validate({"table": self.table, "columns": dict(self.columns), **self.settings})

    @property
    def lacks(self) -> list[str]:
        return [
            f"{name} of {self.table} is not found" + (f"; candidates: {', '.join(map(repr, names))}" if names else "")
            for name, names in self.missing.items()
        ]

    @property
    def mend(self) -> str:
        """What to do about a proposal that is not whole."""
        return (
            f"`regulars map {self.source} --table {self.table} > mapping.toml` writes what was found; say there where the rest "
            "comes from, then load the file with `--mapping mapping.toml`"
        )

    def as_plain(self) -> dict[str, object]:
        """As plain values, what is missing with its candidates."""
        columns = {name: origin.model_dump(exclude_defaults=True) for name, origin in self.columns.items()}
        found = {"table": self.table, "columns": columns, **self.settings}
        return found | ({"missing": dict(self.missing)} if self.missing else {})

    def to_toml(self) -> str:
        """The text of a mapping file; what is missing stands in it as comments."""
        lines = [f"# {lack}" for lack in self.lacks]
        lines += [f"# {name} = {toml_of(names[0] if names else '...')}" for name, names in self.missing.items()]
        return file_of(self.table, self.settings, self.columns, lines)


def propose(source: Source, table: str | None = None) -> Proposal:
    """A mapping for a source, as far as it can be guessed; `table` None takes the table that fits best."""
    sample = guesses.sample_of(source)
    candidates = [contract(table)] if table else list(CONTRACTS.values())
    chosen = max(candidates, key=lambda one: _fit(one, source.columns))
    found = _proposal(chosen, sample, source.name)
    if not found.explained and not any(found.missing.values()):
        raise DataError(
            f"{source.name}: no column looks like {', '.join(found.missing)} of {chosen.table}; it has {', '.join(source.columns)}. "
            "Is it another --table, or another file?"
        )
    return found


def propose_all(source: Source) -> list[Proposal]:
    """Proposals for every table that a source seems to hold whole: orders with what goes with them, else the one that fits best."""
    sample = guesses.sample_of(source)
    orders = _proposal(CONTRACTS["orders"], sample, source.name)
    if orders.missing:
        whole = [_proposal(one, sample, source.name) for one in CONTRACTS.values() if one.table != "orders"]
        whole = [one for one in whole if not one.missing and _is_telling(one, source)]
        best = max(whole, key=lambda one: one.explained, default=None)
        return [] if best is None else [best]
    found = [orders]
    if "one_row_per" in orders.settings and (lines := _lines_of(orders, sample)) is not None:
        found += [lines, *_dishes_of(sample, source.name)]
    return found


def _is_telling(found: Proposal, source: Source) -> bool:
    """Whether a source is hardly anything else: it is not of stores because it names one."""
    return _needs(contract(found.table)) > 1 or 2 * found.explained >= len(source.columns)


def _needs(chosen: Contract) -> int:
    return sum(not column.may_be_absent for column in chosen.columns)


def nearest_proposal(source: Source) -> Proposal:
    """The proposal of which most is there, of a table that needs several columns: of orders unless another is nearly whole."""
    several = [one for one in CONTRACTS.values() if _needs(one) > 1]
    chosen = max(several, key=lambda one: _fit(one, source.columns))
    if _fit(chosen, source.columns) < _NEARLY_WHOLE:
        chosen = CONTRACTS["orders"]
    return _proposal(chosen, guesses.sample_of(source), source.name)


def _proposal(chosen: Contract, sample: pa.RecordBatch, source: str) -> Proposal:
    decimal = guesses.decimal_of(chosen, sample)
    found = {column.name: _origin(column, sample, decimal, chosen.table) for column in chosen.columns}
    columns = {name: origin for name, origin in found.items() if origin is not None}
    columns |= _by_need(chosen, columns)
    settings: dict[str, object] = {} if decimal == "." else {"decimal": decimal}
    if chosen.table == "orders" and "is_refund" not in columns:
        settings |= guesses.states(sample)
    if chosen.table == "orders" and "order_id" in columns:
        columns["order_id"] = guesses.whole_key(columns, sample)
    if chosen.table == "orders" and guesses.repeats(columns.get("order_id"), sample):
        settings["one_row_per"] = "order_id"
        named, key = chosen.by_name, columns["order_id"]
        columns = {name: guesses.combined(named[name], origin, key, sample) for name, origin in columns.items()}
    elif chosen.table in ("menu_items", "stores") and guesses.repeats(columns.get(chosen.key[0]), sample):
        settings["one_row_per"] = chosen.key[0]
        columns = {
            n: o if n == chosen.key[0] else o.model_copy(update={"combine": "first"}) for n, o in columns.items()
        }
    lacking = [column for column in chosen.columns if not column.may_be_absent and column.name not in columns]
    used = {name for origin in columns.values() for name in origin.sources}
    missing = {column.name: _candidates(column, sample, used, decimal) for column in lacking}
    doubts = (*guesses.doubts(columns, sample), *guesses.whole_amounts(columns, sample))
    return Proposal(
        table=chosen.table, columns=columns, settings=settings, missing=missing, doubts=doubts, source=source
    )  # fmt: skip


def _fit(chosen: Contract, names: list[str]) -> float:
    found = [match(column.name, names, chosen.table) is not None for column in chosen.columns]
    needed = [is_found for column, is_found in zip(chosen.columns, found, strict=True) if not column.may_be_absent]
    return sum(needed) / len(needed) + 0.1 * sum(found) / len(found)


def _origin(column: Column, sample: pa.RecordBatch, decimal: str, table: str) -> From | None:
    name = match(column.name, sample.schema.names, table)
    if name is None:
        return guesses.paid(sample, decimal) if column.name == "amount_minor" and table != "offers" else None
    match column.kind:
        case Kind.MONEY:
            return guesses.money(name, sample, decimal)
        case Kind.INSTANT | Kind.DATE:
            return guesses.date(name, sample)
        case Kind.ID if column.name == "guest_id" and "mail" in name.lower():
            return From(column=name, lower_emails=True)
    return From(column=name) if guesses.is_readable(column.kind, sample.column(name), decimal) else None


def _candidates(column: Column, sample: pa.RecordBatch, used: Iterable[str], decimal: str) -> tuple[str, ...]:
    """Columns that are not used and hold values of the kind, those with more different values first."""
    open_ones = [name for name in sample.schema.names if name not in set(used)]
    fitting = [name for name in open_ones if guesses.might_be(column.kind, name, sample, decimal)]
    if column.kind is Kind.ID:
        fitting.sort(key=lambda name: -len(sample.column(name).unique()))
    return tuple(fitting[:_MOST_CANDIDATES])


def _by_need(chosen: Contract, found: dict[str, From]) -> dict[str, From]:
    """What can be filled in where nothing was found: the only store, numbered lines."""
    if chosen.table == "stores" and "store_id" in found and "name" not in found:
        return {"name": From(column=found["store_id"].column)}
    if chosen.table in ("orders", "reviews") and "store_id" not in found:
        return {"store_id": From(only_store=True)}
    if chosen.table == "order_items" and "order_id" in found and not _has_lines(found):
        return {"line": From(count_per=found["order_id"].sources)}
    return {}


def _has_lines(found: dict[str, From]) -> bool:
    return "line" in found and found["line"].column in _LINES


def _lines_of(orders: Proposal, sample: pa.RecordBatch) -> Proposal | None:
    """The lines of orders that have a row for each; none where no column names what was ordered, or what a line cost."""
    lines, key = _proposal(CONTRACTS["order_items"], sample, orders.source), orders.columns["order_id"]
    if lines.missing:
        return None
    if lines.columns["line"].count_per is not None:
        lines = replace(lines, columns={**lines.columns, "order_id": key, "line": From(count_per=key.sources)})
    amount, settings = orders.columns["amount_minor"], dict(lines.settings)
    if amount.combine == "same" and lines.columns["amount_minor"].sources == amount.sources:
        return None
    settings |= {name: orders.settings[name] for name in ("void", "refund") if name in orders.settings}
    if "refund" in settings:
        at = orders.columns["ordered_at"].model_copy(update={"combine": None})
        settings["refunded_at"] = at.model_dump(exclude_defaults=True)
    return replace(lines, settings=settings)


def _dishes_of(sample: pa.RecordBatch, source: str) -> list[Proposal]:
    """The menu, from its dishes' names on the lines."""
    dishes = _proposal(CONTRACTS["menu_items"], sample, source)
    return [] if dishes.missing else [dishes]
