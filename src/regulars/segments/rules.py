"""A rule over profiles: one line of text, checked and turned into one expression.

    visits >= 3 and recency_days > 45 and home_store == "S12"
    stage in ["slipping", "lost"] and not (discount_share > 0.5 or margin_minor / orders < 200)
    first_ordered_on >= "2026-01-01" and 0.5 <= lunch_share < 0.9 and gap_days is not None

What a rule may say: facts by their names; numbers, texts, True and False, dates as "2026-05-01" or date(2026, 5, 1);
== != < <= > >=, also chained; in [...] and not in [...]; is None and is not None; + - * / and unary minus on numbers;
and, or, not, parentheses. Nothing else is read, so nothing else can be reached.

A guest without a fact does not meet a comparison that names it, and not its negation either: `not (visits > 3)` means
`visits <= 3`, for guests whose visits are known. A division by zero has no value and so meets no comparison. A time beside a
date is the day it is on. Arithmetic is done in double precision, which is exact for whole numbers of up to 53 bits.
"""

import ast
from dataclasses import dataclass, field

import narwhals as nw
from narwhals.typing import IntoFrameT

from regulars.segments.columns import Known, as_brought, columns_of, rows_where, typed
from regulars.segments.grammar import compiled, names_in, parsed


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
        facts, kinds, is_complete = columns_of(self.known)
        expression, columns = compiled(self.text, kinds, facts, is_complete=is_complete)
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
        known = typed(frame, names_in(self.text))
        return as_brought(rows_where(frame, known, Segment(self.text, known=known).expression), like=frame)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions the rule joins by `and` at its top, as they are written.

        >>> Segment("visits > 3 and (is_member or stage == 'new')").conditions
        ('visits > 3', "is_member or stage == 'new'")
        """
        tree = parsed(self.text)
        parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
        return tuple(ast.get_source_segment(self.text.strip(), part) or "" for part in parts)
