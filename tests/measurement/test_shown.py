"""How answers of the referee show themselves: rows, a few lines, a table, a picture."""

import json

import numpy as np
import pytest

from regulars.measurement import compare, statement_of
from regulars.wording import Voice


def test_lifts_show_their_rows_and_draw_themselves() -> None:
    rng = np.random.default_rng(0)
    arm = np.repeat(["control", "soup", "<b>"], 200)
    lifts = compare(rng.normal(10, 3, 600) + 2 * (arm == "soup"), arm)
    assert isinstance(lifts, list)
    table = lifts.to_frame()
    assert table["offer"].to_list() == [lift.offer for lift in lifts]
    assert table["low"].to_list() == [lift.interval[0] for lift in lifts]
    assert "2 against control" in repr(lifts)
    assert len(repr(lifts).splitlines()) == 4
    assert "&lt;b&gt;" in lifts._repr_html_()
    drawn = json.dumps(lifts.plot(Voice(currency="USD")).to_dict())
    assert "soup" in drawn
    assert "USD" in drawn
    assert "None" not in json.dumps(lifts.plot().to_dict())


def test_no_lift_draws_nothing() -> None:
    lifts = compare([1, 2, 3, 4], ["soup", "soup", "control", "control"])
    lifts.clear()
    assert repr(lifts) == "Lifts: 0 against nobody"
    with pytest.raises(ValueError, match="no lift"):
        lifts.plot()


def test_a_statement_shows_the_parts_it_adds_up_from() -> None:
    rng = np.random.default_rng(1)
    arm = np.repeat(["holdout", "soup"], 300)
    sales = rng.poisson(900, 600) + 400.0 * (arm == "soup")
    used = np.where(arm == "soup", sales, 0)
    statement = statement_of(
        arm, sales_minor=sales, margin_minor=sales * 0.6, subsidy_minor=np.where(arm == "soup", 100.0, 0), redeemed_minor=used,
        control="holdout",
    )  # fmt: skip
    table = statement.to_frame()
    assert sum(table["amount_minor"].to_list()) == statement.spend_minor
    assert f"spent {statement.spend_minor:,}" in repr(statement)
    assert len(repr(statement).splitlines()) <= 12
    assert "本来就会来的" in str(statement.plot(Voice(language="zh", currency="CNY")).to_dict())
