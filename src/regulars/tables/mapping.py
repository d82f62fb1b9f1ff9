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
from pathlib import Path
from typing import Any, Literal

import pydantic

from regulars.documents import Document, nearest, parse, read_text
from regulars.errors import DataError
from regulars.tables.contracts import Contract, Kind, contract
from regulars.tables.readings import zones

Scalar = str | int | float | bool


class From(Document):
    """Where one of our columns comes from: source columns, a constant, or the line number.

    column: one name, or several: amounts are added, anything else is joined by a space.
    unit: "major" for 12.50, "minor" for 1250. format: strptime format. values: words of the source -> ours.
    combine: how lines of one order make one row, where the mapping has `one_row_per`.
    """

    column: str | tuple[str, ...] | None = None
    value: Scalar | None = None
    line_number: bool = False
    unit: Literal["major", "minor"] = "minor"
    format: str | None = None
    zone: str | None = None
    values: dict[str, Scalar] | None = None
    combine: Literal["sum", "same", "first", "least", "most"] | None = None

    @pydantic.model_validator(mode="after")
    def _has_one_origin(self) -> "From":
        if (self.column is not None) + (self.value is not None) + self.line_number != 1:
            raise ValueError("give exactly one of column, value and line_number")
        if self.zone is not None and self.zone not in zones():
            raise ValueError(f"'{self.zone}' is no time zone{nearest(self.zone, zones())}")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        if self.column is None:
            return ()
        return (self.column,) if isinstance(self.column, str) else self.column


class Mapping(Document):
    """How one kind of file becomes one of our tables.

    one_row_per: one of our columns; rows of the source that agree in it become one row (amounts are added).
    decimal: the decimal mark of amounts. encoding, delimiter: of text files, None to find out.
    """

    table: str
    columns: dict[str, From]
    one_row_per: str | None = None
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    delimiter: str | None = None

    @pydantic.field_validator("columns", mode="before")
    @classmethod
    def _plain_names(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {name: {"column": origin} if isinstance(origin, str) else origin for name, origin in columns.items()}

    @pydantic.model_validator(mode="after")
    def _fits_the_contract(self) -> "Mapping":
        try:
            target = contract(self.table)
        except DataError as error:
            raise ValueError(str(error)) from None
        for name in self.columns:
            if name not in target.by_name:
                raise ValueError(f"columns.{name}: {self.table} has no such column{nearest(name, target.by_name)}")
        missing = [
            column.name for column in target.columns if not column.may_be_absent and column.name not in self.columns
        ]
        if missing:
            raise ValueError(f"{self.table} needs {', '.join(missing)}; say under [columns] where each comes from")
        if self.one_row_per is not None and (self.one_row_per,) != target.key:
            raise ValueError(f"one_row_per must be the key of {self.table}, which is {', '.join(target.key)}")
        return self

    @property
    def contract(self) -> Contract:
        return contract(self.table)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same file would be read differently."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def require(self, available: list[str], source: str) -> None:
        """Raise DataError unless the source has every column that the mapping names."""
        for ours, origin in self.columns.items():
            for name in origin.sources:
                if name not in available:
                    raise DataError(
                        f"{source}: has no column '{name}', from which {self.table}.{ours} comes{nearest(name, available)}; "
                        f"it has {', '.join(available)}. `regulars map {source}` proposes a mapping"
                    )

    def to_toml(self) -> str:
        """The mapping as the text of its file."""
        lines = [f"table = {_toml(self.table)}"]
        given = self.model_dump(exclude_defaults=True, exclude={"table", "columns"})
        lines += [f"{name} = {_toml(value)}" for name, value in given.items()]
        lines += ["", "[columns]"]
        lines += [f"{name} = {_origin(origin)}" for name, origin in self.columns.items()]
        return "\n".join(lines) + "\n"


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises DataError with file, line, field and mend."""
    return parse(read_text(path), Mapping, name=path.name)


def same_names(table: str, available: list[str]) -> Mapping:
    """The mapping of a source whose columns already have our names. Raises DataError when it lacks one it needs."""
    target = contract(table)
    missing = [c.name for c in target.columns if not c.may_be_absent and c.name not in available]
    if missing:
        raise DataError(
            f"the source has no column {', '.join(missing)}, which {table} needs; it has {', '.join(available)}. "
            f"`regulars map FILE --table {table}` proposes a mapping"
        )
    return Mapping(table=table, columns={c.name: From(column=c.name) for c in target.columns if c.name in available})


def default_combine(kind: Kind) -> Literal["sum", "same"]:
    """How a column of the lines of one order is combined unless the mapping says otherwise."""
    return "sum" if kind is Kind.MONEY else "same"


def _origin(origin: From) -> str:
    given = origin.model_dump(exclude_defaults=True)
    if set(given) == {"column"} and isinstance(given["column"], str):
        return _toml(given["column"])
    return _toml(given)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(key)} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _toml_key(key: str) -> str:
    return (
        key
        if key.replace("_", "").replace("-", "").isalnum() and key.isascii()
        else json.dumps(key, ensure_ascii=False)
    )
