"""How effects show themselves: rows of guests and offers, a few lines, a picture."""

import numpy as np

from regulars.effects import Effects
from regulars.wording import Voice

OFFERS = ("soup", "dessert")


def effects(guests: int, cost: float = 50.0) -> Effects:
    gain = np.arange(guests * 2, dtype=float).reshape(guests, 2)
    whole = np.full_like(gain, cost)
    return Effects(
        offers=OFFERS, gain=gain, gain_se=gain / 2, cost=whole, redemption=whole / 100, basis="randomised",
        is_extrapolated=np.zeros(2, bool),
    )  # fmt: skip


def test_effects_are_a_row_for_each_guest_and_offer() -> None:
    table = effects(3).to_arrow()
    assert table["guest"].to_pylist() == [0, 0, 1, 1, 2, 2]
    assert table["offer_id"].to_pylist() == [*OFFERS] * 3
    assert table["gain"].to_pylist() == [0, 1, 2, 3, 4, 5]
    assert effects(1, cost=np.nan).to_arrow()["cost"].to_pylist() == [None, None]


def test_effects_of_a_million_guests_are_shown_in_twelve_lines_that_say_how_many() -> None:
    said = repr(effects(1_000_000))
    assert len(said.splitlines()) <= 12
    assert "1,000,000 guests" in said
    assert "and 1,999,991 more" in said


def test_effects_draw_how_gains_spread() -> None:
    drawn = str(effects(101).plot(Voice(currency="USD")).to_dict())
    assert "'middle': 1.0" in drawn
    assert "'middle': 1.01" in drawn
