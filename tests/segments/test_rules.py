"""A rule means what it says on every engine, and reaches nothing but the facts it names (I11)."""

import operator
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames import Maker, rows_of
from regulars.errors import DataError
from regulars.segments import MAX_CHARACTERS, Segment

GUESTS = pa.table(
    {
        "guest_id": ["ann", "bob", "cat", "dan"],
        "visits": pa.array([5, 1, None, 3], pa.int64()),
        "orders": pa.array([5, 0, 0, 6], pa.int64()),
        "spend_minor": pa.array([10_000, 500, None, 9_000], pa.int64()),
        "lunch_share": pa.array([0.5, None, 1.0, 0.0], pa.float64()),
        "home_store": pa.array(["S12", "S1", None, "S2"], pa.string()),
        "last_ordered_on": pa.array([date(2026, 5, 1), date(2026, 4, 30), None, date(2026, 5, 2)], pa.date32()),
        "is_member": pa.array([True, False, None, True], pa.bool_()),
    }
)


@pytest.fixture(scope="module")
def guests(as_frame: Maker) -> Any:
    return as_frame(GUESTS)


def members(rule: str, frame: Any = GUESTS) -> str:
    """The initials of the guests a rule keeps."""
    return "".join(row["guest_id"][0] for row in rows_of(Segment(rule).filter(frame)))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("visits >= 3", "ad"),
        ("not visits >= 3", "b"),
        ("visits != 5", "bd"),
        ("not visits == 5", "bd"),
        ("not visits != 5", "a"),
        ("1 <= visits < 5", "bd"),
        ("not 1 <= visits < 5", "a"),
        ("visits >= 3 and orders > 5", "d"),
        ("visits > 4 or orders > 5", "ad"),
        ("not (visits > 4 or orders > 5)", "b"),
        ("visits > 4 or orders == 0", "abc"),
        ('home_store == "S12"', "a"),
        ('home_store != "S12"', "bd"),
        ('home_store in ["S12", "S1"]', "ab"),
        ('home_store not in ("S12", "S1")', "d"),
        ('not home_store in ["S12", "S1"]', "d"),
        ("visits in [1, 5]", "ab"),
        ("home_store is None", "c"),
        ("not home_store is None", "abd"),
        ("home_store is not None", "abd"),
        ('last_ordered_on >= "2026-05-01"', "ad"),
        ("date(2026, 5, 1) > last_ordered_on", "b"),
        ('last_ordered_on in ["2026-05-01"]', "a"),
        ('last_ordered_on not in ["2026-05-01"]', "bd"),
        ("spend_minor / orders > 1600", "a"),
        ("not spend_minor / orders > 1600", "d"),
        ("spend_minor / orders != 2000", "d"),
        ("spend_minor - 500 * 2 == 9 * 1000", "a"),
        ("-visits < -(2 + 2)", "a"),
        ("is_member", "ad"),
        ("not is_member", "b"),
        ("is_member == False", "b"),
        ("is_member != False", "ad"),
        ("lunch_share < 0.5", "d"),
        ("guest_id >= 'cat'", "cd"),
        ("visits < orders", "d"),
        ("visits >= 0 or visits is None", "abcd"),
    ],
)
def test_a_rule_keeps_whom_it_says_on_every_engine(rule: str, expected: str, guests: Any) -> None:
    assert members(rule, guests) == expected


def test_what_goes_in_comes_out(guests: Any) -> None:
    assert type(Segment("visits >= 3").filter(guests)) is type(guests)
    assert isinstance(Segment("visits >= 3").filter(nw.from_native(GUESTS)), nw.DataFrame)


def test_the_expression_is_true_or_false_and_never_null(guests: Any) -> None:
    rules = ["visits > 3", "not visits > 3", "spend_minor / orders != 1", "is_member", 'home_store not in ["S1"]']
    for rule in rules:
        frame = nw.from_native(guests).lazy().select(met=Segment(rule).expression).collect("pyarrow")
        assert frame["met"].null_count() == 0


def test_a_segment_names_its_facts_and_equals_its_text() -> None:
    segment = Segment("visits / orders > 2 and not is_member or visits is None")
    assert segment.columns == ("is_member", "orders", "visits")
    assert segment == Segment(segment.text)
    assert repr(segment) == f"Segment(text={segment.text!r})"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("recency_day > 4", "column 1: there is no fact `recency_day`; the nearest is `recency_days`"),
        ('  home_store == "S1" and visit > 2', "column 26: there is no fact `visit`; the nearest is `visits`"),
        ('visits > "three"', 'column 10: `"three"` is a text, compared with a number'),
        ('last_ordered_on > "May"', 'column 19: `"May"` is no date; write it as year-month-day'),
        ('last_ordered_on > "2026-02-30"', "is no date"),
        ("last_ordered_on > date(2026, 2, 30)", "is no date"),
        ("last_ordered_on > date(2026, visits, 1)", "is no date"),
        ("last_ordered_on > date()", "is no date"),
        ("last_ordered_on > 20260501", "is a number, compared with a date"),
        ("visits = 3", r"column \d+: cannot be read"),
        ("visits >= 3 AND home_store == 'S1'", "column 13: cannot be read"),
        ("visits >= 3 &&", "cannot be read"),
        ("visits", "is a number, no condition"),
        ("3", "is no condition"),
        ("1 < 2", "is compared with another constant"),
        ("visits == None", "ask `is None`"),
        ("visits is 3", "`is` asks only for None"),
        ("3 is None", "is no fact"),
        ("visits in 3", "is no list"),
        ("visits in []", "is no list"),
        ("visits in [1, orders]", "is a fact inside a list"),
        ('visits in [1, "S1"]', "is a text, compared with a number"),
        ("3 in [visits]", "stands before `in`"),
        ("is_member > False", "has no order"),
        ("home_store + 1 > 2", "arithmetic is for numbers"),
        ("visits ** 9 > 2", r"is not part of the rule language; use \+ - \* /"),
        ("visits % 2 == 0", r"use \+ - \* /"),
        ("visits & 1 == 1", r"use \+ - \* /"),
        ("visits / 0 > 1", "divides by zero"),
        ("visits / (2 - 2) > 1", "divides by zero"),
        ("visits > 1e999", "is no value a fact can have"),
        ("visits > 99999999999999999999", "is no value"),
        ("visits > 9e307 * 9e307", "is no value"),
        ("visits > 3j", "is no value"),
        ("home_store == b'S1'", "is no value"),
        ("visits > ...", "is no value"),
        ("len(home_store) > 2", r"only date\(2026, 5, 1\) may be called"),
        ("home_store.upper() == 'S1'", "may be called"),
        ("home_store.name == 'S1'", "without dots or brackets"),
        ("home_store[0] == 'S'", "without dots or brackets"),
        ("(visits > 3) > 1", "put each condition in parentheses"),
        ("visits > 3 if orders else 1", "is no condition"),
        ("visits > 3\nand orders > 3", "has no place in a rule"),
        ("visits > 3 # and orders > 3", "has no place in a rule"),
        ("", "it is empty"),
        ("   ", "it is empty"),
        ("visits > 3" + " and visits > 3" * 400, f"keep it under {MAX_CHARACTERS}"),
        ("not " * 200 + "is_member", "nested or listed too far"),
        ("(" * 150 + "visits" + ")" * 150, "is a number"),
        ("(" * 1000 + "visits" + ")" * 1000, "cannot be read"),
        ("visits in [" + "1," * 1600 + "]", "nested or listed too far"),
        ("\ud800 > 3", "cannot be read"),
        ("食物 > 3", "there is no fact `食物`"),
        ("'食物' in visits", "column 1: `'食物'` stands before"),
        ("home_store == '食物' and visit > 1", "column 24: there is no fact `visit`"),
    ],
)
def test_a_wrong_rule_is_refused_with_place_fault_and_mend(rule: str, message: str) -> None:
    known = {
        "visits": "integer", "orders": "integer", "recency_days": "integer", "home_store": "text",
        "last_ordered_on": "date", "is_member": "boolean",
    }  # fmt: skip
    with pytest.raises(DataError, match=message):
        Segment(rule, known=known)


def test_facts_a_frame_lacks_are_named_when_it_is_filtered() -> None:
    segment = Segment("recency_day > 3")
    with pytest.raises(DataError, match="there is no fact `recency_day`"):
        segment.filter(GUESTS)


def test_without_any_fact_alike_all_are_listed() -> None:
    with pytest.raises(DataError, match="there are orders, visits"):
        Segment("zzz > 3", known=["visits", "orders"])


def test_a_zoned_instant_is_not_compared_with_a_date() -> None:
    table = pa.table({"joined_at": pa.array([datetime(2026, 5, 1)], pa.timestamp("us", "UTC"))})
    with pytest.raises(DataError, match="is a date, compared with a zoned time"):
        Segment("joined_at > date(2026, 5, 1)").filter(table)


def test_a_text_that_looks_like_sql_stays_a_text() -> None:
    connection = duckdb.connect()
    connection.execute("create table guests as select 'x'' or 1=1 --' as home_store, 1 as visits")
    table = connection.table("guests")
    for text in ["' or 1=1 --", "'; drop table guests; --", '"); drop table guests; --', "%", "_"]:
        rule = f"home_store == {text!r}"
        assert Segment(rule).filter(table).fetchall() == []
        assert Segment(f"home_store in [{text!r}]").filter(table).fetchall() == []
    assert Segment('home_store == "x\' or 1=1 --"').filter(table).fetchall() == [("x' or 1=1 --", 1)]
    assert connection.execute("select count(*) from guests").fetchall() == [(1,)]


def test_a_text_that_is_also_the_name_of_a_fact_stays_a_text(guests: Any) -> None:
    assert members('home_store != "visits"', guests) == "abd"
    assert members('home_store in ["visits", "S1"]', guests) == "b"


PAYLOADS = [
    "__import__('os').system('true')", "().__class__.__bases__[0].__subclasses__()", "(lambda: 1)()", "[x for x in [1]]",
    "{1: 2}", "{1, 2}", "f'{visits}'", "visits := 3", "(visits := 3) > 1", "await visits", "yield", "print(visits)",
    "*visits", "visits if 1 else 2", "open('x')", "eval('1')", "exec('1')", "globals()", "visits.__class__", "date.today()",
    "date(2026, 1, 1).__class__", "visits[0]", "visits[0:1]", "lambda visits: 1", "not (yield)", "visits @ orders",
    "~visits > 1", "visits << 64 > 1", "visits // 1 > 1", "10 ** 10 ** 10 > visits", "'a' * 10 ** 9 == home_store",
    "1; drop table guests", "visits > 1; import os", "visits > 1 -- comment", "visits > 1 /* c */", "1 = 1", "visits > $1",
    "visits > ?", "visits > @@version", "visits > (select 1)", "exists (select 1)", "visits > 1 union select 1",
    "visits > `id`", "visits > {{ 7 * 7 }}", "visits > %s", "date(*[2026, 1, 1]) > last_ordered_on", "date(year=2026) > 1",
    "date('2026-01-01') > last_ordered_on", "date(True, True, True) > last_ordered_on", "date > date(2026, 1, 1).x",
    "visits > nan()", "visits in range(10 ** 9)", "visits in [*range(9)]", "visits in {1, 2}", "visits in 'abc'",
    "home_store in home_store", "visits is visits", "visits is not 3", "True", "None", "...", "'text'", "not None", "not 1",
    "visits and orders", "visits or 1", "True and False", "visits > True", "visits > 'a' 'b'", "visits > -'a'", "+visits > 1",
    "visits > \x00", "visits\t>\r3", "visits > 1\\\n", "\ufeffvisits[0]", "ｖisits.real > 1", "visits > 0x1p3", "visits > 1_000j",
    "visits > " + "9" * 3999, "visits > " + "-" * 3000 + "1", "(" * 199 + ")" * 199, "[" * 500, "not " * 990 + "x",
]  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_i11_an_injection_is_refused_as_data(payload: str) -> None:
    with pytest.raises(DataError, match="rule"):
        Segment(
            payload, known={"visits": "integer", "orders": "integer", "home_store": "text", "last_ordered_on": "date"}
        )


FRAGMENTS = [
    "visits", "orders", "home_store", "last_ordered_on", "is_member", "__import__", "__class__", "date", "eval", "os", "self",
    "1", "0", "-1", "1.5", "1e400", "'S1'", "'; drop table guests; --'", '"x"', "None", "True", "False", "2026", "...", "0j",
    "==", "!=", "<", "<=", ">", ">=", "=", ":=", "in", "not in", "is", "is not", "and", "or", "not", "if", "else", "for",
    "lambda", "lambda:", "await", "yield", "+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "~", "<<", "->", "(", ")",
    "[", "]", "{", "}", "()", "[]", ",", ".", ":", ";", "f'{visits}'", "b'x'", "*", "**", "select", "union", "--", "#", "\\",
]  # fmt: skip
PLAIN_WORDS = {"visits", "orders", "home_store", "last_ordered_on", "is_member"}
RELATION = duckdb.from_arrow(GUESTS)


def is_harmless(rule: str) -> bool:
    """Refused as data, or a segment of known facts whose rows are rows of the frame."""
    try:
        segment = Segment(rule, known=GUESTS)
    except DataError:
        return True
    kept = Segment(rule).filter(GUESTS)
    return set(segment.columns) <= PLAIN_WORDS | {"spend_minor"} and kept.num_rows <= GUESTS.num_rows


def test_i11_five_thousand_random_rules_reach_nothing() -> None:
    generator = np.random.default_rng(11)
    accepted = 0
    for _ in range(5_000):
        rule = " ".join(generator.choice(FRAGMENTS, generator.integers(1, 9)))
        assert is_harmless(rule)
    words = np.array([*sorted(PLAIN_WORDS), "1", "2", "'S1'", "0.5"])
    for _ in range(300):
        left, right = generator.choice(words, 2)
        rule = f"{left} {generator.choice(['==', '<', 'in', 'is', '+'])} {right}"
        assert is_harmless(rule)
        accepted += is_accepted(rule)
    assert accepted > 10


def is_accepted(rule: str) -> bool:
    try:
        Segment(rule, known=GUESTS)
    except DataError:
        return False
    return True


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_i11_any_text_is_a_rule_or_a_data_error(text: str) -> None:
    assert is_harmless(text)


# A model of the language: random rules, answered by a small interpreter over one guest at a time.

Answer = bool | None
NUMBERS = ("visits", "orders", "spend_minor")
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def atom(name: str, sign: str, number: int) -> tuple[str, Callable[[dict[str, Any]], Answer]]:
    def answer(guest: dict[str, Any]) -> Answer:
        return None if guest[name] is None else OPERATORS[sign](guest[name], number)

    return f"{name} {sign} {number}", answer


def negation(rule: tuple[str, Callable[..., Answer]]) -> tuple[str, Callable[..., Answer]]:
    text, inner = rule

    def answer(guest: dict[str, Any]) -> Answer:
        return None if (found := inner(guest)) is None else not found

    return f"not ({text})", answer


def junction(
    one: tuple[str, Callable[..., Answer]], word: str, other: tuple[str, Callable[..., Answer]]
) -> tuple[str, Callable[..., Answer]]:
    def answer(guest: dict[str, Any]) -> Answer:
        found = {one[1](guest), other[1](guest)}
        settled = word == "or"
        return settled if settled in found else None if None in found else not settled

    return f"({one[0]} {word} {other[0]})", answer


rules = st.recursive(
    st.builds(atom, st.sampled_from(NUMBERS), st.sampled_from(list(OPERATORS)), st.integers(-1, 10)),
    lambda inner: st.one_of(
        st.builds(negation, inner), st.builds(junction, inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(rule=rules)
def test_rules_agree_with_three_valued_logic(rule: tuple[str, Callable[..., Answer]]) -> None:
    text, answer = rule
    expected = "".join(guest["guest_id"][0] for guest in GUESTS.to_pylist() if answer(guest) is True)
    assert members(text, pl.from_arrow(GUESTS)) == expected
