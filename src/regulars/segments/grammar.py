"""The grammar of rules: a line of text, parsed, checked against an allow-list and compiled into a condition.

What a condition is made of is given from outside, so that the same rule becomes one expression for every kind of frame, or
a pass over blocks of memory.
"""

import ast
import difflib
import math
import operator
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn, Protocol

from regulars.errors import DataError
from regulars.profiles import BIRTHDAY, FAVOURITE_CATEGORY

MAX_CHARACTERS = 4_000
MAX_DEPTH = 30
MAX_NODES = 1_500
MAX_DIVIDED = 3
_MOST_JOINED = 64

_SOURCES = {
    BIRTHDAY.name: "load guests with their birthdays",
    FAVOURITE_CATEGORY.name: "load order_items, and menu_items with their categories",
}
"""What brings the facts that a profile may lack."""


class Facts(Protocol):
    """What a rule is made of: facts by name, which know comparisons and arithmetic, and conditions that are joined.

    is_whole: None where the kind of its numbers is not known. double: a number in double precision, NaN included.
    known: with NaN as a missing fact.
    """

    def fact(self, name: str) -> Any: ...
    def is_whole(self, name: str) -> bool | None: ...
    def double(self, name: str) -> Any: ...
    def known(self, number: Any) -> Any: ...
    def every(self, conditions: Sequence[Any]) -> Any: ...
    def either(self, conditions: Sequence[Any]) -> Any: ...
    def unless_zero(self, value: Any) -> Any: ...


def compiled(text: str, kinds: dict[str, str], facts: Facts, *, is_complete: bool) -> tuple[Any, tuple[str, ...]]:
    """A rule as a condition over facts, and the names of those it speaks of, sorted.

    kinds: the kind of each fact, "" where it cannot be told. is_complete: whether these are all the facts there are.
    Raises DataError with the place, what is wrong there, and the mend.
    """
    compiler = _Compiler(text, kinds, is_complete, facts)
    condition = compiler.condition(parsed(text), negated=False)
    return condition, tuple(sorted(compiler.named))


def parsed(text: str) -> ast.expr:
    if not isinstance(text, str):
        raise TypeError(f"a rule is one line of text, not {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise DataError(f"rule: {len(text)} characters; keep it under {MAX_CHARACTERS}, or make two segments of it")
    if not text.strip():
        raise DataError('rule: it is empty; write a condition, such as "visits >= 3"')
    if place := re.search(r"[\n\r\\#\0]", text):
        raise DataError(f"rule, column {place.start() + 1}: {place[0]!r} has no place in a rule; take it out")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        place_found = (error.offset or 1) + len(text) - len(text.lstrip())
        raise DataError(f"rule, column {place_found}: cannot be read ({error.msg}); {_HOW}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"rule: cannot be read ({error}); {_HOW}") from error
    _check_size(tree)
    return tree


_HOW = "compare with ==, join with and, or, not, put texts in quotes, and ask for a missing fact with `is None`"


def _check_size(tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    nodes = depth = 0
    while level:
        nodes, depth = nodes + len(level), depth + 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise DataError(
                f"rule: nested or listed too far (over {MAX_DEPTH} deep or {MAX_NODES} parts); split it in two"
            )
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def names_in(text: str) -> frozenset[str]:
    """All names that stand in a rule, facts or not. Raises DataError as `compiled` does for what cannot be read."""
    return frozenset(node.id for node in ast.walk(parsed(text)) if isinstance(node, ast.Name))


class _Value(NamedTuple):
    """One side of a comparison. A constant has `constant` and no `expression`; `name` is set for a bare fact.

    divided: how many divisions stand below one another; each asks twice for what it divides by, once whether that is zero.
    """

    node: ast.expr
    kind: str
    expression: Any = None
    constant: Any = None
    name: str = ""
    divided: int = 0

    def operand(self) -> Any:
        return self.constant if self.expression is None else self.expression


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_NEGATIONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.LtE: ast.Gt, ast.Gt: ast.LtE,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.Eq, ast.NotEq: ast.NotEq, ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class _Compiler:
    """Turns a checked tree into a condition. Negations are pushed down to the comparisons, where the nulls are."""

    def __init__(self, text: str, kinds: dict[str, str], is_complete: bool, facts: Facts) -> None:
        self.text, self.kinds, self.is_complete, self.facts = text, kinds, is_complete, facts
        self.named: set[str] = set()

    def condition(self, node: ast.expr, *, negated: bool) -> Any:
        match node:
            case ast.BoolOp(op=joint, values=values):
                conditions = [self.condition(value, negated=negated) for value in values]
                is_all = isinstance(joint, ast.And) is not negated
                return self.facts.every(conditions) if is_all else self.facts.either(conditions)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self.condition(inner, negated=not negated)
            case ast.Compare():
                return self._chain(node, negated=negated)
            case ast.Name():
                return self._flag(self._name(node), negated=negated)
        return self._refuse(node, "is no condition", 'compare a fact with something, such as "visits >= 3"')

    def _chain(self, node: ast.Compare, *, negated: bool) -> Any:
        pairs = zip(pairwise([node.left, *node.comparators]), node.ops, strict=True)
        links = [self._link(left, right, type(op), negated=negated) for (left, right), op in pairs]
        if len(links) == 1:
            return links[0]
        return self.facts.either(links) if negated else self.facts.every(links)

    def _link(self, left: ast.expr, right: ast.expr, op: type[ast.cmpop], *, negated: bool) -> Any:
        op = _NEGATIONS[op] if negated else op
        if op in (ast.Is, ast.IsNot):
            return self._presence(left, right, is_missing=op is ast.Is)
        if op in (ast.In, ast.NotIn):
            return self._membership(left, right, is_in=op is ast.In)
        return self._comparison(self._value(left), self._value(right), op)

    def _flag(self, value: _Value, *, negated: bool) -> Any:
        if value.kind not in ("boolean", ""):
            self._refuse(value.node, f"is a {value.kind}, no condition", "compare it with something")
        return self._met(value.operand() == (not negated))

    def _comparison(self, left: _Value, right: _Value, op: type[ast.cmpop]) -> Any:
        if left.expression is None and right.expression is None:
            self._refuse(left.node, "is compared with another constant", "name a fact on one side")
        if left.expression is None:
            left, right, op = right, left, _SWAPPED[op]
        left, right = self._alike(left, right)
        if left.kind == "boolean" and op not in (ast.Eq, ast.NotEq):
            self._refuse(left.node, "is true or false and has no order", "use == or !=")
        if isinstance(right.constant, date) and left.kind == "time":
            return self._on_day(left, right.constant, op)
        return self._answer(*self._numbers(left, right, op))

    def _answer(self, left: _Value, right: _Value, op: type[ast.cmpop]) -> Any:
        answer = _COMPARISONS[op](left.operand(), right.operand())
        return self._met(answer, *(left, right) if op is ast.NotEq else ())

    def _numbers(self, left: _Value, right: _Value, op: type[ast.cmpop]) -> tuple[_Value, _Value, type[ast.cmpop]]:
        """Whole facts beside a broken constant are compared with the whole number below it; two facts as what both can be."""
        is_whole = self._is_whole(left)
        if left.kind != "number" or (is_whole and self._is_whole(right)):
            return left, right, op
        if right.expression is not None:
            return self._as_double(left), self._as_double(right), op
        if is_whole is False:
            return self._as_double(left), right._replace(constant=float(right.constant)), op
        if not is_whole or not isinstance(right.constant, float):
            return left, right, op
        below = math.floor(right.constant)
        if below == right.constant:
            return left, right._replace(constant=below), op
        if op in (ast.Eq, ast.NotEq):
            return left, left, _NEGATIONS[op]  # no whole number is a broken one
        return left, right._replace(constant=below), ast.LtE if op in (ast.Lt, ast.LtE) else ast.Gt

    def _is_whole(self, value: _Value) -> bool | None:
        return self.facts.is_whole(value.name) if value.name else False

    def _as_double(self, value: _Value) -> _Value:
        return value._replace(expression=self.facts.known(self._term(value)))

    def _on_day(self, value: _Value, day: date, op: type[ast.cmpop]) -> Any:
        """A time beside a date: whether the day it is on is that day, before it or after it."""
        first, last = (value._replace(expression=None, constant=at) for at in _span(day))
        match op:
            case ast.Eq:
                return self.facts.every([self._answer(value, first, ast.GtE), self._answer(value, last, ast.LtE)])
            case ast.NotEq:
                return self.facts.either([self._answer(value, first, ast.Lt), self._answer(value, last, ast.Gt)])
            case ast.Lt | ast.GtE:
                return self._answer(value, first, op)
        return self._answer(value, last, op)

    def _membership(self, left: ast.expr, right: ast.expr, *, is_in: bool) -> Any:
        value = self._value(left)
        if value.expression is None:
            self._refuse(left, "stands before `in` and is no fact", "put the fact before `in`, the list after")
        if not isinstance(right, (ast.List, ast.Tuple)) or not right.elts:
            self._refuse(right, "is no list", 'write the values in brackets, such as ["S1", "S2"]')
        members = [self._alike(self._value(element), value)[0] for element in right.elts]
        for member in members:
            if member.expression is not None:
                self._refuse(member.node, "is a fact inside a list", "list constants only")
        if value.kind == "text":
            found = value.expression.is_in([member.constant for member in members])
            return self._met(found) if is_in else self._met(~found, value)
        return self._one_of(value, members) if is_in else self._none_of(value, members)

    def _one_of(self, value: _Value, members: list[_Value]) -> Any:
        return self._split([self._comparison(value, member, ast.Eq) for member in members], self.facts.either)

    def _none_of(self, value: _Value, members: list[_Value]) -> Any:
        return self._split([self._comparison(value, member, ast.NotEq) for member in members], self.facts.every)

    def _split(self, conditions: list[Any], join: Callable[[Sequence[Any]], Any]) -> Any:
        """Many conditions as a tree that is no deeper than engines can follow."""
        if len(conditions) <= _MOST_JOINED:
            return join(conditions)
        half = len(conditions) // 2
        return join([self._split(conditions[:half], join), self._split(conditions[half:], join)])

    def _met(self, answer: Any, *present: _Value) -> Any:
        """A comparison that is met only where it has an answer; `present` where an engine would answer for a missing fact."""
        known = [~value.expression.is_null() for value in present if value.expression is not None]
        return self.facts.every([answer.fill_null(False), *known]) if known else answer.fill_null(False)

    def _presence(self, left: ast.expr, right: ast.expr, *, is_missing: bool) -> Any:
        if not (isinstance(right, ast.Constant) and right.value is None):
            self._refuse(right, "stands after `is`", "`is` asks only for None; compare with ==")
        if not isinstance(left, ast.Name):
            self._refuse(left, "is no fact", "ask `is None` of a fact by its name")
        missing = self.facts.fact(self._name(left).name).is_null()
        return missing if is_missing else ~missing

    def _value(self, node: ast.expr) -> _Value:
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Constant():
                return self._constant(node)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                value = self._number(inner)
                if value.expression is None:
                    return value._replace(node=node, constant=-value.constant)
                return _Value(node, "number", expression=-self._term(value), divided=value.divided)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return self._sum(node, self._number(left), type(op), self._number(right))
            case ast.Call(func=ast.Name(id="date"), args=parts, keywords=[]):
                return self._date(node, parts)
        return self._refuse(node, "is not part of the rule language", _mend(node))

    def _name(self, node: ast.Name) -> _Value:
        name = node.id
        if self.is_complete and name not in self.kinds:
            raise DataError(f"rule, column {self._place(node)}: there is no fact `{name}`; {self._what_there_is(name)}")
        self.named.add(name)
        return _Value(node, self.kinds.get(name, ""), expression=self.facts.fact(name), name=name)

    def _what_there_is(self, name: str) -> str:
        if source := next((source for word, source in _SOURCES.items() if name.startswith(word)), None):
            return f"{source}, then work out the profiles again"
        nearest = difflib.get_close_matches(name, self.kinds, n=1, cutoff=0.5)
        return f"the nearest is `{nearest[0]}`" if nearest else f"there are {', '.join(sorted(self.kinds)) or 'none'}"

    def _constant(self, node: ast.Constant) -> _Value:
        match node.value:
            case bool():
                return _Value(node, "boolean", constant=node.value)
            case int() | float() if abs(node.value) < 2**63 and math.isfinite(node.value):
                return _Value(node, "number", constant=node.value)
            case str():
                return _Value(node, "text", constant=node.value)
            case None:
                return self._refuse(node, "cannot be compared", "ask `is None` or `is not None`")
        return self._refuse(node, "is no value a fact can have", "use a number of at most 63 bits, a text or a date")

    def _number(self, node: ast.expr) -> _Value:
        value = self._value(node)
        if value.kind not in ("number", ""):
            self._refuse(node, f"is a {value.kind}, and arithmetic is for numbers", "use facts that are numbers")
        return value

    def _sum(self, node: ast.expr, left: _Value, op: type[ast.operator], right: _Value) -> _Value:
        if op is ast.Div and right.expression is None and right.constant == 0:
            self._refuse(node, "divides by zero", "divide by something else")
        if left.expression is None and right.expression is None:
            result = _ARITHMETIC[op](left.constant, right.constant)
            return self._constant(ast.copy_location(ast.Constant(result), node))
        one, other = self._term(left), self._term(right)
        divided = right.divided + 1 if op is ast.Div and right.expression is not None else right.divided
        if divided > MAX_DIVIDED:
            self._refuse(node, "divides by what was divided before, over and over", "write a / (b / c) as a * c / b")
        if divided > right.divided:
            other = self.facts.unless_zero(other)
        expression = _ARITHMETIC[op](one, other)
        return _Value(node, "number", expression=expression, divided=max(left.divided, divided))

    def _term(self, value: _Value) -> Any:
        """What arithmetic takes: a double. It may be NaN, which comparisons leave out."""
        if value.expression is None:
            return float(value.constant)
        return self.facts.double(value.name) if value.name else value.expression

    def _date(self, node: ast.expr, parts: list[ast.expr]) -> _Value:
        numbers = [part.value for part in parts if isinstance(part, ast.Constant) and type(part.value) is int]
        try:
            return _Value(node, "date", constant=date(*numbers if len(numbers) == len(parts) else ()))
        except (ValueError, OverflowError, TypeError):
            return self._refuse(node, "is no date", 'write it as date(2026, 5, 1) or "2026-05-01"')

    def _alike(self, left: _Value, right: _Value) -> tuple[_Value, _Value]:
        """Both sides as one kind, or a refusal. A text beside a date is read as one."""
        left, right = self._beside(left, right.kind), self._beside(right, left.kind)
        if left.kind and right.kind and left.kind != right.kind and {left.kind, right.kind} != {"date", "time"}:
            wrong, other = (left, right) if left.expression is None else (right, left)
            self._refuse(wrong.node, f"is a {wrong.kind}, compared with a {other.kind}", "compare things of one kind")
        return left, right

    def _beside(self, value: _Value, kind: str) -> _Value:
        if value.expression is not None:
            return value
        return self._date_from_text(value) if value.kind == "text" and kind in ("date", "time") else value

    def _date_from_text(self, value: _Value) -> _Value:
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", value.constant, re.ASCII):
                raise ValueError(value.constant)
            return value._replace(kind="date", constant=date.fromisoformat(value.constant))
        except ValueError:
            return self._refuse(value.node, "is no date", 'write it as year-month-day, such as "2026-05-01"')

    def _place(self, node: ast.expr) -> int:
        stripped = self.text.strip()
        before = stripped.encode()[: node.col_offset].decode(errors="ignore")
        return len(self.text) - len(self.text.lstrip()) + len(before) + 1

    def _refuse(self, node: ast.expr, wrong: str, mend: str) -> NoReturn:
        said = ast.get_source_segment(self.text.strip(), node) or ""
        shown = said if len(said) <= 40 else f"{said[:37]}..."
        raise DataError(f"rule, column {self._place(node)}: `{shown}` {wrong}; {mend}")


def _span(day: date) -> tuple[datetime, datetime]:
    """The first instant of a day and the last."""
    return datetime.combine(day, time.min), datetime.combine(day, time.max)


def _mend(node: ast.expr) -> str:
    match node:
        case ast.Call():
            return "only date(2026, 5, 1) may be called"
        case ast.Attribute() | ast.Subscript():
            return "name the fact alone, without dots or brackets"
        case ast.BinOp():
            return "use + - * /"
        case ast.BoolOp() | ast.Compare() | ast.UnaryOp():
            return "put each condition in parentheses and join them with and, or, not"
    return "use facts, numbers, texts and dates"
