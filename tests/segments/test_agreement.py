"""Every kind of frame, the counting in blocks, and an obvious slow reading of the same rule say the same of every guest.

The rows hold what frames disagree on: NaN beside null, -0.0, whole numbers beyond 53 bits and sums beyond 63, times beside dates.
"""

import datetime as dt
import math
import operator
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from frames import MAKERS, Maker, rows_of
from regulars.errors import DataError
from regulars.segments import Segment, changes, counts, members
from regulars.segments.columns import columns_of

NAN, INF = float("nan"), float("inf")
WHOLE = [0, 1, 2, 3, -3, 7, None, 2**53, 2**53 + 1, 2**62, -(2**62), None]
SHARE = [0.0, -0.0, 0.5, 1.0, NAN, None, 2.5, 3.0, -1.0, 1e300, INF, 0.1]
DAY = dt.date(2026, 5, 1)
DAYS = [DAY, None, dt.date(2026, 4, 30), dt.date(2026, 5, 2), DAY, dt.date(1970, 1, 1)] * 2
TIMES = [dt.datetime(2026, 5, 1, 12), None, dt.datetime(2026, 4, 30, 23, 59, 59), dt.datetime(2026, 5, 2), dt.datetime(2026, 5, 1),
         dt.datetime(1970, 1, 1)] * 2  # fmt: skip
ROWS = len(WHOLE)
GUESTS = pa.table({
    "guest_id": [f"G{place:02}" for place in range(ROWS)],
    "visits": pa.array(WHOLE, pa.int64()), "orders": pa.array(WHOLE[3:] + WHOLE[:3], pa.int64()),
    "few": pa.array([*range(-3, 8), None], pa.int32()),
    "share": pa.array(SHARE, pa.float64()), "part": pa.array(SHARE[4:] + SHARE[:4], pa.float64()),
    "stage": ["new", "lost", None, "", "Lost", "new", "näh", "食", "lost", None, "new", " new"],
    "home": ["new", "S1", None, "", "Lost", "x", "näh", "a", "lost", "b", None, " new"],
    "is_member": pa.array([True, False, None, True] * 3), "last_on": pa.array(DAYS, pa.date32()),
    "seen_at": pa.array(TIMES, pa.timestamp("us")),
})  # fmt: skip
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
Guest = dict[str, Any]
Answer = Callable[[Guest], bool | None]


class Rule(NamedTuple):
    """A rule, and what it says of one guest: yes, no, or nothing, where a fact is missing."""

    text: str
    answer: Answer


class Number(NamedTuple):
    """A number of a rule."""

    text: str
    value: Callable[[Guest], Any]
    is_constant: bool = False


def known(value: Any) -> Any:
    return None if value is None or value != value else value


def fact(draw: random.Random) -> Number:
    name = draw.choice(["visits", "orders", "few", "share", "part"])
    return Number(name, lambda guest: known(guest[name]))


def constant(draw: random.Random) -> Number:
    value = draw.choice([0, 1, 2, 3, -3, 0.5, 2.5, 0.0, 1.0, 3.0, 0.1, 2**53, 2**53 + 1, 2**62, -(2**62), 100])
    return Number(repr(value), lambda guest: value, True)


def computed(draw: random.Random, depth: int = 2) -> Number:
    """A sum, difference, product or quotient of facts and constants, at least one fact among them."""
    left = computed(draw, depth - 1) if depth and draw.random() < 0.5 else fact(draw)
    right = draw.choice([fact, constant])(draw)
    sign = draw.choice("+-*/")
    if sign == "/" and right.text in ("0", "0.0"):
        sign = "+"

    def value(guest: Guest) -> float | None:
        one, two = left.value(guest), right.value(guest)
        if one is None or two is None or (sign == "/" and two == 0):
            return None
        return arithmetic(float(one), sign, float(two))

    return Number(f"({left.text} {sign} {right.text})", value)


def arithmetic(one: float, sign: str, two: float) -> float:
    how = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[sign]
    try:
        return float(how(one, two))
    except OverflowError:
        return math.copysign(INF, one) * math.copysign(1, two)


def compared(left: Number, sign: str, right: Number) -> Rule:
    def answer(guest: Guest) -> bool | None:
        one, two = known(left.value(guest)), known(right.value(guest))
        if one is None or two is None:
            return None
        is_double = any(isinstance(n, float) for n, side in ((one, left), (two, right)) if not side.is_constant)
        return SIGNS[sign](float(one), float(two)) if is_double else SIGNS[sign](one, two)

    return Rule(f"{left.text} {sign} {right.text}", answer)


def numbers(draw: random.Random) -> Rule:
    left = draw.choice([fact, fact, computed])(draw)
    right = draw.choice([constant, constant, fact, computed])(draw)
    if right.is_constant and draw.random() < 0.3:
        left, right = right, left
    return compared(left, draw.choice(list(SIGNS)), right)


def listed(draw: random.Random) -> Rule:
    left, members = draw.choice([fact, computed])(draw), [constant(draw) for _ in range(draw.randint(1, 4))]
    parts = [compared(left, "==", member) for member in members]

    def answer(guest: Guest) -> bool | None:
        found = [part.answer(guest) for part in parts]
        return None if None in found else any(found)

    return Rule(f"{left.text} in [{', '.join(member.text for member in members)}]", answer)


def between(name: str, values: list[Any], written: Callable[[Any], str], signs: list[str]) -> Callable[..., Rule]:
    """Comparisons of one column with constants of its kind."""

    def made(draw: random.Random) -> Rule:
        value, sign = draw.choice(values), draw.choice([*signs, "in"])

        def answer(guest: Guest) -> bool | None:
            found = guest[name]
            found = found.date() if isinstance(found, dt.datetime) else found
            return None if found is None else SIGNS["==" if sign == "in" else sign](found, value)

        said = f"[{written(value)}]" if sign == "in" else written(value)
        return Rule(f"{name} {sign} {said}", answer)

    return made


def missing(draw: random.Random) -> Rule:
    name = draw.choice([column for column in GUESTS.column_names if column != "guest_id"])
    return Rule(f"{name} is None", lambda guest: known(guest[name]) is None)


def beside(draw: random.Random) -> Rule:
    sign = draw.choice(["==", "!="])

    def answer(guest: Guest) -> bool | None:
        one, two = guest["stage"], guest["home"]
        return None if one is None or two is None else SIGNS[sign](one, two)

    return Rule(f"stage {sign} home", answer)


KINDS = [
    numbers, numbers, listed, missing, beside,
    between("stage", ["new", "lost", "", "食", "nowhere"], repr, ["==", "!="]),
    between("is_member", [True, False], repr, ["==", "!="]),
    between("last_on", [*filter(None, DAYS[:4])], lambda day: f'"{day}"', list(SIGNS)),
    between("seen_at", [*filter(None, DAYS[:4]), dt.date.max], lambda day: f"date({day.year}, {day.month}, {day.day})", list(SIGNS)),
]  # fmt: skip


def rule(draw: random.Random, depth: int = 3) -> Rule:
    if not depth or draw.random() < 0.4:
        return draw.choice(KINDS)(draw)
    inner = rule(draw, depth - 1)
    if draw.random() < 0.3:
        return Rule(f"not ({inner.text})", lambda guest: None if (a := inner.answer(guest)) is None else not a)
    other, joint = rule(draw, depth - 1), draw.choice(["and", "or"])

    def answer(guest: Guest) -> bool | None:
        found = {inner.answer(guest), other.answer(guest)}
        settled = joint == "or"
        return settled if settled in found else None if None in found else not settled

    return Rule(f"({inner.text} {joint} {other.text})", answer)


def rules(seed: int, count: int) -> list[Rule]:
    draw = random.Random(seed)
    return [rule(draw) for _ in range(count)]


def whom(one: Rule, guests: list[Guest] | None = None) -> list[str]:
    return [guest["guest_id"] for guest in guests or GUESTS.to_pylist() if one.answer(guest) is True]


@pytest.mark.parametrize("seed", range(3))
def test_every_frame_says_what_a_slow_reading_says(as_frame: Maker, seed: int) -> None:
    """Of what each frame holds: pandas has whole numbers with gaps as doubles, Spark has instants and so no days."""
    frame, tried = as_frame(GUESTS), {f"rule {place}": one for place, one in enumerate(rules(seed, 60))}
    if columns_of(frame)[1]["seen_at"] == "zoned time":
        tried = {name: one for name, one in tried.items() if "seen_at" not in one.text}
    found, held = rows_of(members(frame, {name: one.text for name, one in tried.items()})), rows_of(frame)
    wrong = {
        one.text: (said, whom(one, held))
        for name, one in tried.items()
        if (said := [row["guest_id"] for row in found if row[name]]) != whom(one, held)
    }
    assert wrong == {}


@pytest.mark.parametrize("maker", [lambda table: table, pl.from_arrow], ids=["arrow", "polars"])
def test_counting_in_blocks_says_the_same(maker: Maker) -> None:
    tried = {f"rule {place}": one for place, one in enumerate(rules(7, 400)) if "seen_at" not in one.text}
    found = counts(maker(GUESTS), {name: one.text for name, one in tried.items()})
    assert {tried[name].text: n for name, n in found.items()} == {one.text: len(whom(one)) for one in tried.values()}


def test_thousands_of_rules_agree_on_one_frame(is_whole: bool) -> None:
    frame = pl.from_arrow(GUESTS)
    for seed in range(100, 120 if is_whole else 101):
        some = {f"{place}": one for place, one in enumerate(rules(seed, 500))}
        found = members(frame, {name: one.text for name, one in some.items()})
        for name, one in some.items():
            assert found.filter(pl.col(name))["guest_id"].to_list() == whom(one), one.text


def as_it_comes(table: pa.Table) -> pd.DataFrame:
    """As pandas makes it without being asked: dates and flags with gaps are Python objects, whole numbers with gaps are broken."""
    return table.to_pandas()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('last_on == "2026-05-01"', "aegk"), ('last_on > "2026-05-01"', "dj"), ("is_member", "adehil"), ("not is_member", "bfj"),
        ("gone > 3", ""), ("gone is None", "abcdefghijkl"), ('stage in ["new", "lost"]', "abfik"),
    ],
)  # fmt: skip
def test_columns_of_python_objects_have_the_kind_of_what_they_hold(text: str, expected: str) -> None:
    frame = as_it_comes(GUESTS.append_column("gone", pa.nulls(ROWS)))
    frame.index = [7] * ROWS
    kept = Segment(text).filter(frame)
    assert [*kept["guest_id"]] == [f"G{'abcdefghijkl'.index(letter):02}" for letter in expected]
    assert counts(frame, {"a": text}) == {"a": len(expected)}
    assert [*kept.dtypes] == [*frame.dtypes]
    assert set(kept.index) <= {7}


def test_columns_of_several_kinds_are_refused() -> None:
    frame = pd.DataFrame({"guest_id": ["a", "b"], "odd": [1, "x"], "visits": [1, 2]})
    with pytest.raises(DataError, match="column odd holds things of several kinds"):
        Segment("odd > 0").filter(frame)
    assert len(Segment("visits > 1").filter(frame)) == 1


def test_changes_know_columns_of_python_objects() -> None:
    before, after = (
        as_it_comes(GUESTS.set_column(8, "is_member", pa.array(flags)))
        for flags in ([True, None] * 6, [None, True] * 6)
    )
    assert [*changes(before, after, "is_member")["change"]].count("entered") == 6


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["new", "lost"])])
def test_categories_are_texts(kind: Any) -> None:
    frame = pl.DataFrame({"stage": ["new", None, "lost"]}, schema={"stage": kind})
    for text, count in (('stage == "new"', 1), ('stage != "nowhere"', 2), ('stage in ["nowhere", "lost"]', 1)):
        assert len(Segment(text).filter(frame)) == count
        assert counts(frame, {"a": text}) == {"a": count}


@pytest.mark.parametrize("kind", ["duckdb", "polars"])
def test_a_long_list_of_numbers_is_no_deeper_than_an_engine_can_follow(kind: str) -> None:
    text = f"few in [{','.join(str(2 * (place % 5)) for place in range(1_400))}]"
    assert [row["few"] for row in rows_of(Segment(text).filter(MAKERS[kind](GUESTS)))] == [0, 2, 4, 6]


def test_the_first_and_the_last_day_there_are() -> None:
    frame = nw.from_native(pa.table({"at": pa.array([dt.datetime.max, dt.datetime.min], pa.timestamp("us"))}))
    for text, count in (("at <= date(9999, 12, 31)", 2), ("at > date(9999, 12, 31)", 0), ("at >= date(1, 1, 1)", 2)):
        assert len(Segment(text).filter(frame)) == count
