"""The words of a mapping that shape rows: only, void, refund, refunded, fill_down, each, count_per, first_of, less, times."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regulars as rg
from conftest import NOW
from regulars.documents import parse
from regulars.tables import Mapping

ORDERS = """
table = "orders"
{words}
[columns]
order_id = "id"
store_id = {{ value = "S1" }}
ordered_at = {{ value = "2026-10-01T12:00:00Z" }}
amount_minor = "paid"
"""
ITEMS = """
table = "order_items"
{words}
[columns]
order_id = "id"
line = {{ count_per = "{per}" }}
item_id = "{item}"
amount_minor = "{amount}"
"""


@pytest.fixture
def load(lake: rg.Lake, tmp_path: Path) -> Callable[..., rg.tables.LoadReport]:
    def load(text: str, mapping: str, name: str = "file.csv", table: str = "orders") -> rg.tables.LoadReport:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return lake.load(table, tmp_path / name, mapping=parse(mapping, Mapping, name="mapping.toml"), now=NOW)

    return load


def orders(lake: rg.Lake) -> dict[str, int]:
    return {row["order_id"]: row["amount_minor"] for row in lake.read("orders").to_pylist()}


Load = Callable[..., rg.tables.LoadReport]


def test_what_a_row_must_say_is_compared_without_case_and_the_rest_counted_by_its_word(
    lake: rg.Lake, load: Load
) -> None:
    mapping = ORDERS.format(words='only = { kind = ["Sale", "walk in"] }')
    report = load("id,paid,kind\nA,1,sale\nB,2,WALK IN \nC,3,gift\nD,4,\nE,5,gift\n", mapping)
    assert (report[2:5], report.set_aside) == ((2, 0, 2), {"gift": 2, "without kind": 1})


def test_only_true_asks_for_a_value_and_false_for_none(lake: rg.Lake, load: Load) -> None:
    mapping = ORDERS.format(words="only = { member = true, test = false }")
    report = load("id,paid,member,test\nA,1,m,\nB,2,,\nC,3,m,x\n", mapping)
    assert (report.accepted, report.set_aside) == (1, {"with test": 1, "without member": 1})


def test_a_void_row_takes_out_the_row_of_its_key_wherever_it_stands(lake: rg.Lake, load: Load) -> None:
    mapping = ORDERS.format(words='void = { struck = { state = "void" } }')
    load("id,paid,state\nA,1,\nB,2,\n", mapping)
    report = load("id,paid,state\nB,2,void\nC,3,\nC,,void\nD,4,\n", mapping, "later.csv")
    assert (report[2:5], report.set_aside) == ((1, 0, 2), {"struck": 3})
    assert orders(lake) == {"A": 1, "D": 4}


def test_a_void_row_need_not_be_readable_otherwise(lake: rg.Lake, load: Load) -> None:
    mapping = ORDERS.format(words='void = { struck = { state = "void" } }')
    assert load("id,paid,state\nA,nothing,void\n,x,void\n", mapping).set_aside == {"struck": 2}


def test_a_refund_is_an_order_of_its_own_below_zero(lake: rg.Lake, load: Load) -> None:
    mapping = ORDERS.format(words='refund = { kind = "refund" }')
    assert load("id,paid,kind\nA,10,sale\nA,10,Refund\nB,-4,refund\n", mapping).accepted == 3
    assert orders(lake) == {"A": 10, "A refund 2026-10-01 12:00:00": -10, "B refund 2026-10-01 12:00:00": -4}


def test_what_was_refunded_of_an_order_becomes_a_refund(lake: rg.Lake, load: Load) -> None:
    mapping = ORDERS.format(words='refunded = "back"')
    report = load("id,paid,back\nA,10,4\nB,7,0\nC,7,\nD,9,x\nE,x,3\n", mapping)
    assert report[2:5] == (3, 2, 4)
    assert orders(lake) == {"A": 10, "A refund": -4, "B": 7, "C": 7}


def test_the_double_of_a_refunded_order_is_rejected_once(lake: rg.Lake, load: Load) -> None:
    report = load("id,paid,back\nA,10,4\nA,10,4\n", ORDERS.format(words='refunded = { column = "back" }'))
    assert report[2:5] == (1, 1, 2)


def test_an_empty_value_takes_what_stands_above_it_in_its_own_order(lake: rg.Lake, load: Load) -> None:
    mapping = ITEMS.format(words='fill_down = { id = ["dish"] }', per="id", item="dish", amount="cost")
    load("id,paid\nA,1\nB,1\n", ORDERS.format(words=""))
    report = load("id,dish,cost\nA,soup,1\nA,,2\nB,,3\nA,,4\nB,tea,5\nB,,6\n", mapping, "items.csv", "order_items")
    assert (report.accepted, report.rejected) == (4, 2)
    kept = sorted((r["order_id"], r["line"], r["item_id"]) for r in lake.read("order_items").to_pylist())
    assert kept == [("A", 1, "soup"), ("A", 2, "soup"), ("B", 2, "tea"), ("B", 3, "tea")]
    assert lake.collect(lake.rejects()).sort_by("line")["original"].to_pylist() == ["B,,3", "A,,4"]


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=40), block=st.integers(40, 400))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filling_and_counting_do_not_see_the_borders_of_batches(tmp_path: Path, sizes: list[int], block: int) -> None:
    from regulars.tables.formats import delimited
    from regulars.tables.shaping import Shaper, count_name

    mapping = parse(
        ITEMS.format(words='fill_down = { id = ["dish"] }', per="id", item="dish", amount="cost"), Mapping, name="m"
    )
    lines = [f"A{n},{f'dish {n}' if place == 0 else ''},1" for n, size in enumerate(sizes) for place in range(size)]
    (tmp_path / "file.csv").write_text("\n".join(["id,dish,cost", *lines, ""]), encoding="utf-8")
    shaper, found = Shaper(mapping), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BYTES_PER_BLOCK", block)
        for raw in delimited.DelimitedSource.of(tmp_path / "file.csv").batches():
            kept = shaper.shape(raw).kept
            counted = kept.column(count_name(mapping.columns["line"])).to_pylist()
            found += zip(kept.row.to_pylist(), kept.column("dish").to_pylist(), counted, strict=True)
    expected = [(f"dish {n}", place + 1) for n, size in enumerate(sizes) for place in range(size)]
    assert found == [(row, *rest) for row, rest in enumerate(expected)]


EACH = ITEMS.format(words='each = "lines"', per="lines", item="lines.dish", amount="lines.cost")


def as_lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_every_element_of_a_list_becomes_a_row_and_a_bad_one_rejects_its_list(lake: rg.Lake, load: Load) -> None:
    load("id,paid\nA,1\nB,1\nC,1\nD,1\n", ORDERS.format(words=""))
    good, bad = {"dish": "soup", "cost": 5}, {"dish": "soup", "cost": "dear"}
    text = as_lines(
        {"id": "A", "lines": [good, good]}, {"id": "B", "lines": [good, bad, bad]}, {"id": "C", "lines": []},
        {"id": "D", "lines": "soup"}, {"id": "D", "lines": [3]},
    )  # fmt: skip
    report = load(text, EACH, "items.jsonl", "order_items")
    assert (report[2:5], report.set_aside) == ((1, 3, 2), {"without lines": 1})
    kept = lake.collect(lake.rejects()).sort_by("line").to_pylist()
    assert [(row["line"], row["reason"]) for row in kept] == [
        (2, "'dear' is no amount; write a number such as 1250"), (4, "'lines' holds no list of objects"),
        (5, "'lines' holds no list of objects"),
    ]  # fmt: skip
    assert json.loads(kept[0]["original"])["id"] == "B"


def test_two_elements_of_one_key_reject_their_list(lake: rg.Lake, load: Load) -> None:
    load("id,paid\nA,1\n", ORDERS.format(words=""))
    mapping = EACH.replace('{ count_per = "lines" }', '"lines.place"')
    text = as_lines(
        {"id": "A", "lines": [{"dish": "soup", "cost": 5, "place": 1}, {"dish": "tea", "cost": 2, "place": 1}]}
    )
    assert load(text, mapping, "items.jsonl", "order_items")[2:5] == (0, 1, 0)
    assert lake.collect(lake.rejects())["reason"].to_pylist() == ["stands twice in one list"]


def test_an_order_sent_twice_does_not_double_its_lines(lake: rg.Lake, load: Load) -> None:
    load("id,paid\nA,1\n", ORDERS.format(words=""))
    sent = {"id": "A", "lines": [{"dish": "soup", "cost": 5}, {"dish": "tea", "cost": 2}]}
    assert load(as_lines(sent, sent), EACH, "items.jsonl", "order_items")[2:5] == (1, 1, 2)
    reason = "this order_id and line stands on line 1 already, with the same content"
    assert lake.collect(lake.rejects())["reason"].to_pylist() == [reason]


def test_amounts_are_multiplied_and_taken_off(lake: rg.Lake, load: Load) -> None:
    words = '{ column = "price", times = "count", less = ["off", "more"], unit = "major" }'
    mapping = ORDERS.format(words="").replace('"paid"', words)
    load("id,price,count,off,more\nA,2.50,3,1.00,0.50\nB,2.50,,,\nC,0.99,0.5,,\n", mapping)
    assert orders(lake) == {"A": 600, "B": 250, "C": 50}


def test_the_first_column_that_is_filled_is_taken(lake: rg.Lake, load: Load) -> None:
    guest = 'guest_id = { first_of = ["member", "nowhere", "mail"], lower_emails = true }\n'
    load("id,paid,member,mail\nA,1,M7,Ann@X.org\nB,1,,Ann@X.org\nC,1, ,\n", ORDERS.format(words="") + guest)
    assert sorted((r["order_id"], r["guest_id"]) for r in lake.read("orders").to_pylist()) == [
        ("A", "M7"), ("B", "ann@x.org"), ("C", None),
    ]  # fmt: skip


WRONG = {
    'amount_minor = { column = "a", first_of = ["b"] }': "give exactly one of column, first_of",
    'amount_minor = "a"\nchannel = { column = "a", less = "b" }': "less and times are for amounts and numbers",
    'amount_minor = "a"\nreviewed_at = "b"': "orders has no such column",
}


@pytest.mark.parametrize("columns", WRONG)
def test_a_mapping_that_makes_no_sense_is_refused(columns: str) -> None:
    text = ORDERS.format(words="").replace('amount_minor = "paid"', columns)
    with pytest.raises(rg.DataError, match=WRONG[columns]):
        parse(text, Mapping, name="mapping.toml")


@pytest.mark.parametrize("words", ['refund = { a = "b" }', 'refunded = { column = "a" }'])
def test_refunds_are_for_orders(words: str) -> None:
    text = f'table = "menu_items"\n{words}\n[columns]\nitem_id = "a"\nname = "b"\n'
    with pytest.raises((rg.DataError, pydantic.ValidationError), match="for orders"):
        parse(text, Mapping, name="mapping.toml")


@pytest.mark.parametrize(
    "words", ['only = { kind = "x" }', 'void = { v = { kind = "x" } }', 'fill_down = { kind = ["paid"] }']
)
def test_a_column_by_which_rows_are_told_apart_must_be_there(load: Load, words: str) -> None:
    with pytest.raises(rg.DataError, match="has no column 'kind'"):
        load("id,paid\nA,1\n", ORDERS.format(words=words))


def test_the_same_set_aside_is_said_of_a_file_that_was_loaded_before(load: Load) -> None:
    mapping = ORDERS.format(words='only = { kind = "sale" }')
    text = "id,paid,kind\nA,1,sale\nC,3,gift\n"
    assert load(text, mapping).set_aside == load(text, mapping).set_aside == {"gift": 1}
    assert load(text, mapping).is_repeated


def test_a_row_that_was_sent_twice_counts_once(lake: rg.Lake, load: Load) -> None:
    mapping = ORDERS.format(words='once_per = "message"')
    report = load("id,paid,message\nA,1,m1\nB,2,m2\nA,1,m1\nC,3,\nD,4,\n", mapping)
    assert (report[2:5], report.set_aside) == ((4, 0, 4), {"sent twice": 1})


def test_what_was_sent_twice_is_known_across_batches(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars.tables.formats.delimited.BYTES_PER_BLOCK", 40)
    rows = "".join(f"A{n % 20},1,m{n % 20}\n" for n in range(60))
    report = load("id,paid,message\n" + rows, ORDERS.format(words='once_per = "message"'))
    assert (report[2:5], report.set_aside) == ((20, 0, 20), {"sent twice": 40})
