"""A rule over profiles: one line of text, checked and turned into one expression.

    visits >= 3 and recency_days > 45 and home_store == "S12"
    stage in ["slipping", "lost"] and not (discount_share > 0.5 or margin_minor / orders < 200)
    first_ordered_on >= "2026-01-01" and 0.5 <= lunch_share < 0.9 and gap_days is not None

What a rule may say: facts by their names; numbers, texts, True and False, dates as "2026-05-01" or date(2026, 5, 1);
== != < <= > >=, also chained; in [...] and not in [...]; is None and is not None; + - * / and unary minus on numbers;
and, or, not, parentheses. Nothing else is read, so nothing else can be reached.

A guest without a fact does not meet a comparison that names it, and not its negation either: `not (visits > 3)` means
`visits <= 3`, for guests whose visits are known. A division by zero has no value and so meets no comparison.
"""

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrame, IntoFrameT

from regulars.profiles import BIRTHDAY, COLUMNS
from regulars.segments.grammar import compiled, parsed

Known = IntoFrame | Mapping[str, str] | Collection[str]
"""What facts there are: a profile frame, kinds by name, or bare names (whose kinds are then not checked)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Guests who meet a rule.

    text: the rule. known: the facts there are; without it any name is taken, until a frame is filtered.
    expression: the rule as one narwhals expression, true or false for each row and never null.
    columns: the facts it names, sorted.
    Raises DataError with the place, what is wrong there, and the mend.

    >>> Segment("visits >= 3 and recency_days > 45").columns
    ('recency_days', 'visits')
    >>> Segment("visit >= 3", known=["visits", "recency_days"])
    Traceback (most recent call last):
    ...
    regulars.errors.DataError: rule, column 1: there is no fact `visit`; the nearest is `visits`
    """

    text: str
    known: Known | None = field(default=None, repr=False, compare=False)
    expression: nw.Expr = field(init=False, repr=False, compare=False)
    columns: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kinds, is_complete = kinds_of(self.known)
        expression, columns = compiled(self.text, kinds, _Columns(), is_complete=is_complete)
        object.__setattr__(self, "expression", expression)
        object.__setattr__(self, "columns", columns)

    def filter(self, frame: IntoFrameT) -> IntoFrameT:
        """The rows of a profile frame that meet the rule; what goes in comes out.

        Raises DataError if the frame lacks a fact, or holds another kind of value than the rule compares it with.

        >>> import pyarrow as pa
        >>> guests = pa.table({"guest_id": ["ann", "bob", "cat"], "visits": [5, 1, None]})
        >>> Segment("not visits > 3").filter(guests).to_pylist()
        [{'guest_id': 'bob', 'visits': 1}]
        """
        return as_brought(frame_of(frame).filter(Segment(self.text, known=frame).expression), like=frame)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions the rule joins by `and` at its top, as they are written.

        >>> Segment("visits > 3 and (is_member or stage == 'new')").conditions
        ('visits > 3', "is_member or stage == 'new'")
        """
        tree = parsed(self.text)
        parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
        return tuple(ast.get_source_segment(self.text.strip(), part) or "" for part in parts)


def frame_of(frame: Any) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """Any frame, a narwhals one included, as a narwhals frame."""
    return nw.from_native(frame)  # type: ignore[no-any-return]


def as_brought(frame: nw.DataFrame[Any] | nw.LazyFrame[Any], *, like: IntoFrameT) -> IntoFrameT:
    """A result as the kind of frame the caller brought."""
    if isinstance(like, (nw.DataFrame, nw.LazyFrame)):
        return frame  # type: ignore[return-value]
    return frame.to_native()  # type: ignore[no-any-return]


class _Columns:
    """Facts as narwhals expressions, for frames of every kind."""

    fact = staticmethod(nw.col)

    def every(self, conditions: Sequence[nw.Expr]) -> nw.Expr:
        return nw.all_horizontal(*conditions, ignore_nulls=False)

    def either(self, conditions: Sequence[nw.Expr]) -> nw.Expr:
        return nw.any_horizontal(*conditions, ignore_nulls=False)

    def unless_zero(self, value: nw.Expr) -> nw.Expr:
        return nw.when(value != 0).then(value)


def kinds_of(known: Known | None) -> tuple[dict[str, str], bool]:
    """The kind of each fact ("" if it cannot be told), and whether these are all the facts there are."""
    if known is None:
        return {column.name: _PLAIN.get(column.kind, column.kind) for column in (*COLUMNS, BIRTHDAY)}, False
    if isinstance(known, Mapping):
        return {name: _PLAIN.get(kind, kind) for name, kind in known.items()}, True
    if isinstance(known, (list, tuple, set, frozenset)):
        return dict.fromkeys(known, ""), True
    return {name: _kind_of_column(dtype) for name, dtype in frame_of(known).collect_schema().items()}, True


_PLAIN = {"integer": "number"}


def _kind_of_column(dtype: nw.dtypes.DType) -> str:
    if dtype.is_numeric():
        return "number"
    if isinstance(dtype, nw.Datetime):
        return "time" if dtype.time_zone is None else "zoned time"
    if dtype == nw.Date:
        return "date"
    if dtype == nw.Boolean:
        return "boolean"
    return "text" if dtype in (nw.String, nw.Categorical, nw.Enum) else ""
