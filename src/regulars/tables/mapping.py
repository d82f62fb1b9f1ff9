"""Mappings: from a source's columns to ours, as a TOML file that stays with the workspace.

table = "orders"
one_row_per = "order_id"

[columns]
order_id = "basket_id"
amount_minor = { column = "sales_value", unit = "major" }
ordered_at = { column = ["date", "time"], zone = "America/New_York" }
channel = { value = "dine-in" }
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Named
from pathlib import Path
from typing import Any, Literal

import pydantic

from regulars.clock import zones
from regulars.documents import Document, nearest, parse, read_text
from regulars.errors import DataError
from regulars.tables.contracts import Contract, Kind, contract

Scalar = str | int | float | bool
Words = bool | str | tuple[str, ...]
Condition = dict[str, Words]
_NUMERIC = (Kind.MONEY, Kind.NUMBER, Kind.INTEGER)


class From(Document):
    """Where one of our columns comes from: source columns, a constant, or the place of the row.

    column: one name, or several: amounts are added, anything else is joined by a space.
    first_of: the first of several columns that is filled; those that the source lacks are passed over.
    times, less: columns by which an amount is multiplied, and which are then taken off; `less` may stand alone.
    count_per: 1, 2, 3 for the rows that agree in these source columns; with `each`, for what stands in one list.
    only_store: where there is nothing else, the workspace's store, if it has just one.
    unit: "major" for 12.50, "minor" for 1250. format: strptime format, or several; "iso" is ISO 8601.
    zone_column: names the zone of each time. values: words of the source -> ours. lower_emails: e-mail addresses in small
    letters. scale: the least and the most of the source's own scale, such as [0, 10], stretched to ours.
    combine: how lines of one order make one row, where the mapping has `one_row_per`. nothing: words that stand for no value,
    such as Walk-in.
    """

    column: str | tuple[str, ...] | None = None
    first_of: tuple[str, ...] | None = None
    less: str | tuple[str, ...] | None = None
    times: str | None = None
    value: Scalar | None = None
    line_number: bool = False
    count_per: str | tuple[str, ...] | None = None
    only_store: bool = False
    unit: Literal["major", "minor"] = "minor"
    format: str | tuple[str, ...] | None = None
    zone: str | None = None
    zone_column: str | None = None
    values: dict[str, Scalar] | None = None
    lower_emails: bool = False
    scale: tuple[float, float] | None = None
    combine: Literal["sum", "same", "first", "least", "most"] | None = None
    nothing: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _has_one_origin(self) -> "From":
        given = (self.column, self.first_of, self.value, self.line_number or None, self.count_per)
        origins = sum(origin is not None for origin in given)
        if origins != 1 and (origins or not (self.less or self.only_store)):
            raise ValueError("give exactly one of column, first_of, value, line_number and count_per")
        if self.zone is not None and self.zone_column is not None:
            raise ValueError("give zone or zone_column, not both")
        if self.scale is not None and not self.scale[0] < self.scale[1]:
            raise ValueError("scale is the least and the most of the source's own, such as [0, 10]")
        if self.zone is not None and self.zone not in zones():
            raise ValueError(f"'{self.zone}' is no time zone{nearest(self.zone, zones())}")
        if clash := _day_and_month_first(self.format):
            raise ValueError(
                f"{clash[0]} and {clash[1]} read the same date as two days; give the one that the source writes"
            )
        return self

    @property
    def added(self) -> tuple[str, ...]:
        """The source columns that make the value, before anything is taken off."""
        return self.first_of or _several(self.column)

    @property
    def taken_off(self) -> tuple[str, ...]:
        return _several(self.less)

    @property
    def counted_by(self) -> tuple[str, ...]:
        return _several(self.count_per)

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source column that is looked at."""
        more = [name for name in (self.times, self.zone_column) if name is not None]
        return (*self.added, *self.taken_off, *self.counted_by, *more)

    @property
    def needed(self) -> tuple[str, ...]:
        """The source columns without which there is no value."""
        return tuple(name for name in self.sources if name not in (self.first_of or ()))


class Mapping(Document):
    """How one kind of file becomes one of our tables.

    one_row_per: one of our columns; rows of the source that agree in it become one row (amounts are added).
    only: what a row must say to be meant for this table; others are set aside. void: by name, what says that a row never was
    an order or a line: it is set aside, and what was loaded under its key is taken out.
    once_per: a source column that names each row, such as messageId; a row whose name came before is set aside as sent twice.
    refund: what says that a row gives money back; refunded_at: when each did, by which the refunds of one order are told apart
    (of orders, `ordered_at`). refunded: an amount of an order that was given back, as a refund of its own.
    fill_down: a source column that names the order -> columns that only its first row fills.
    each: a source column that holds a list, such as properties.products; every element becomes a row.
    decimal: the decimal mark of amounts. encoding, delimiter: of text files, None to find out. sheet: of a workbook, None for the
    first that has rows.
    """

    table: str
    columns: dict[str, From]
    one_row_per: str | None = None
    only: Condition | None = None
    void: dict[str, Condition] = pydantic.Field(default_factory=dict)
    once_per: str | None = None
    refund: Condition | None = None
    refunded_at: From | None = None
    refunded: From | None = None
    fill_down: dict[str, tuple[str, ...]] | None = None
    each: str | None = None
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None

    @pydantic.field_validator("columns", mode="before")
    @classmethod
    def _plain_names(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {name: {"column": origin} if isinstance(origin, str) else origin for name, origin in columns.items()}

    @pydantic.field_validator("refunded", "refunded_at", mode="before")
    @classmethod
    def _plain_name(cls, origin: Any) -> Any:
        return {"column": origin} if isinstance(origin, str) else origin

    @pydantic.model_validator(mode="after")
    def _fits_the_contract(self) -> "Mapping":
        try:
            target = contract(self.table)
        except DataError as error:
            raise ValueError(str(error)) from None
        for name, origin in self.columns.items():
            if name not in target.by_name and name != "business_date":
                raise ValueError(f"columns.{name}: {self.table} has no such column{nearest(name, target.by_name)}")
            if (origin.less or origin.times) and target.by_name[name].kind not in _NUMERIC:
                raise ValueError(f"columns.{name}: less and times are for amounts and numbers")
            if origin.scale is not None and not (name in target.by_name and target.by_name[name].is_scale):
                raise ValueError(f"columns.{name}: scale is for judgements, such as rating")
        missing = [
            column.name for column in target.columns if not column.may_be_absent and column.name not in self.columns
        ]
        if missing:
            raise ValueError(f"{self.table} needs {', '.join(missing)}; say under [columns] where each comes from")
        if self.one_row_per is not None and (self.one_row_per,) != target.key:
            raise ValueError(f"one_row_per must be the key of {self.table}, which is {', '.join(target.key)}")
        self._check_refunds()
        return self

    def _check_refunds(self) -> None:
        if self.refund is not None and (self.table not in ("orders", "order_items") or "is_refund" in self.columns):
            raise ValueError("refund is for orders and order_items, in the place of a column is_refund")
        if self.refunded is not None and self.table != "orders":
            raise ValueError("refunded is for orders")
        if self.refunded_at is not None and self.refund is None:
            raise ValueError("refunded_at goes with refund, which says which rows give money back")
        if self.fill_down is not None and len(self.fill_down) != 1:
            raise ValueError("fill_down names one column, and those that are filled within it")

    @property
    def contract(self) -> Contract:
        return contract(self.table)

    @property
    def manner(self) -> dict[str, Any]:
        """How a source has to be opened for this mapping."""
        return {
            "encoding": self.encoding, "delimiter": self.delimiter, "decimal": self.decimal, "sheet": self.sheet
        }  # fmt: skip

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same file would be read differently."""
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()[:16]

    def require(self, available: list[str], source: str) -> None:
        """Raise DataError unless the source has every column that the mapping needs."""
        for name, use in self._needs(set(available)):
            if name not in available and not (self.each and name.startswith(f"{self.each}.")):
                raise DataError(
                    f"{source}: has no column '{name}', {use}{nearest(name, available)}; "
                    f"it has {', '.join(available)}. `regulars map {source}` proposes a mapping"
                )

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source column that is looked at."""
        origins = [*self.columns.values(), *(one for one in (self.refunded, self.refunded_at) if one)]
        conditions = [*self.void.values(), self.only or {}, self.refund or {}]
        named = [name for origin in origins for name in origin.sources] + [name for c in conditions for name in c]
        single = [name for name in (self.each, self.once_per) if name is not None]
        filled = [name for group, names in (self.fill_down or {}).items() for name in (group, *names)]
        return tuple(dict.fromkeys([*named, *filled, *single]))

    def _needs(self, available: set[str]) -> Iterator[tuple[str, str]]:
        """The source columns without which nothing can be read, and what each is for."""
        for ours, origin in self.columns.items():
            use = f"from which {self.table}.{ours} comes"
            yield from ((name, use) for name in origin.needed)
            is_needed = ours in self.contract.by_name and not self.contract.by_name[ours].may_be_absent
            if is_needed and origin.first_of and not origin.only_store and not available & set(origin.first_of):
                yield origin.first_of[0], use
        for condition in (*self.void.values(), self.only or {}, self.refund or {}):
            yield from ((name, "by which rows are told apart") for name in condition)
        yield from ((name, "which names the order of each row") for name in self.fill_down or {})
        if self.each is not None:
            yield self.each, "whose elements become rows"
        if self.once_per is not None:
            yield self.once_per, "by which rows that were sent twice are known"

    def to_toml(self) -> str:
        """The mapping as the text of its file."""
        return file_of(self.table, self.model_dump(exclude_defaults=True, exclude={"table", "columns"}), self.columns)


def file_of(table: str, settings: Named[str, Any], columns: Named[str, From], more: Sequence[str] = ()) -> str:
    """The text of a mapping file; `more` are lines under its columns."""
    lines = [f"table = {toml_of(table)}"]
    lines += [f"{name} = {toml_of(value)}" for name, value in settings.items()]
    lines += ["", "[columns]"]
    lines += [f"{name} = {_origin(origin)}" for name, origin in columns.items()]
    return "\n".join([*lines, *more]) + "\n"


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises DataError with file, line, field and mend."""
    return parse(read_text(path), Mapping, name=path.name)


def default_combine(kind: Kind) -> Literal["sum", "same"]:
    """How a column of the lines of one order is combined unless the mapping says otherwise."""
    return "sum" if kind is Kind.MONEY else "same"


def _day_and_month_first(forms: str | tuple[str, ...] | None) -> tuple[str, str] | None:
    """Two forms that differ only in whether day or month comes first."""
    plain = {form.replace("-", "").replace("%d", "%#").replace("%m", "%#"): form for form in _several(forms)}
    for form in _several(forms):
        other = plain[form.replace("-", "").replace("%d", "%#").replace("%m", "%#")]
        if other != form:
            return form, other
    return None


def _several(names: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names or ()


def _origin(origin: From) -> str:
    given = origin.model_dump(exclude_defaults=True)
    if set(given) == {"column"} and isinstance(given["column"], str):
        return toml_of(given["column"])
    return toml_of(given)


def toml_of(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(key)} = {toml_of(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_of(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _toml_key(key: str) -> str:
    return (
        key
        if key.replace("_", "").replace("-", "").isalnum() and key.isascii()
        else json.dumps(key, ensure_ascii=False)
    )
