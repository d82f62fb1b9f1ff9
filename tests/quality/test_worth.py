"""Consistency, worth, trust, replies and clues."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.quality.conftest import Chain

from regulars.errors import DataError, DesignError
from regulars.quality import MEASURES, Quality, Stream, Worth, consistency, reply_queue, trust, within
from regulars.quality.servings import Coded
from regulars.quality.trust import near_copies
from regulars.quality.worth import e_value
from regulars.wording import Sentence, Voice


def balanced(seed: int, stores: int = 8, each: int = 60, between: float = 0.3) -> Stream:
    draw = np.random.default_rng(seed)
    store = np.repeat(np.arange(stores), each)
    value = 4 + draw.normal(0, between, stores)[store] + draw.normal(0, 1, len(store))
    one = np.zeros(len(store), dtype=np.int64)
    names = np.array([f"S{i}" for i in range(stores)], dtype=object)
    factors = {"item": Coded(np.array(["D"], dtype=object), one), "store": Coded(names, store),
               "cook": Coded(np.array(["C"], dtype=object), one), "shift": Coded(np.array(["H"], dtype=object), one)}  # fmt: skip
    return Stream(measure=MEASURES["rating"], value=value, day=one, factors=factors)


def test_variance_components_of_a_balanced_design_are_those_of_the_analysis_of_variance() -> None:
    """There restricted maximum likelihood is the ANOVA estimator (Searle, Casella & McCulloch 1992, section 3.8)."""
    stream = balanced(1)
    means = stream.value.reshape(8, 60).mean(axis=1)
    within_stores = stream.value.reshape(8, 60).var(axis=1, ddof=1).mean()
    between = means.var(ddof=1) - within_stores / 60
    found = consistency(stream, "D")
    assert found.components[0].deviation ** 2 == pytest.approx(between, rel=0.01)
    assert found.components[-1].deviation ** 2 == pytest.approx(within_stores, rel=0.01)


def test_intervals_of_stores_cover_and_the_best_holds_the_standard() -> None:
    found = consistency(balanced(2, stores=12, each=200), "D")
    assert found.stores[0].holds > 0.99
    assert found.stores[0].effect > found.stores[-1].effect
    for component in found.components:
        assert component.low <= component.deviation <= component.high


def test_one_store_alone_cannot_be_compared() -> None:
    with pytest.raises(DesignError, match="needs two stores, cooks or shifts"):
        consistency(balanced(3, stores=1), "D")


def test_the_lake_says_how_even_a_dish_is(chain: Chain) -> None:
    found = Quality(chain.lake).consistency("Beef soup", "prep_seconds")
    assert found.stores[-1].store == "S2"
    assert {component.factor for component in found.components} == {"store", "cook", "shift", "single"}
    with pytest.raises(DataError, match="no dish 'Caviar' was served"):
        Quality(chain.lake).consistency("Caviar")


def test_an_effect_within_guests_is_not_fooled_by_who_they_are() -> None:
    """Guests who come often anyway complain more: between guests it looks good, within them it costs 0.2."""
    draw = np.random.default_rng(0)
    guest = np.repeat(np.arange(400), 30)
    keen = draw.random(400)
    bad = (draw.random(len(guest)) < 0.5 * keen[guest]).astype(float)
    back = (draw.random(len(guest)) < 0.2 + 0.7 * keen[guest] - 0.2 * bad).astype(float)
    assert back[bad == 1].mean() > back[bad == 0].mean() - 0.05
    found = within(back, bad, [guest], cluster=guest, names=("bad", "return"), is_share=True)
    assert found.low < -0.2 < found.high
    assert found.high < -0.15
    assert found.e_value > found.e_value_low > 1
    assert found.basis.startswith("observational")


def test_the_intervals_of_effects_cover() -> None:
    """95 % of 200 draws, clustered errors; between 90 and 99 by the binomial."""
    hit = 0
    for seed in range(200):
        draw = np.random.default_rng(seed)
        guest = np.repeat(np.arange(80), 8)
        bad = (draw.random(640) < 0.3).astype(float)
        value = draw.normal(0, 1, 80)[guest] - 0.5 * bad + draw.normal(0, 1, 640)
        found = within(value, bad, [guest], cluster=guest, names=("bad", "margin"), is_share=False)
        hit += found.low <= -0.5 <= found.high
    assert 180 <= hit <= 198


def test_too_few_cannot_be_known() -> None:
    one = np.zeros(50)
    with pytest.raises(DesignError, match="cannot be known from fewer than 30"):
        within(one, one, [np.arange(50) // 2], cluster=np.arange(50) // 2, names=("late", "return"), is_share=True)


def test_e_values_are_those_of_vanderweele_and_ding() -> None:
    """Their first example: a risk ratio of 3.9 has 7.26, its lower limit 1.8 has 3.0."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value(1.8) == pytest.approx(3.0, abs=0.005)


def test_worth_lists_what_to_mend_beside_the_price_of_coupons(chain: Chain) -> None:
    found = Quality(chain.lake).worth(coupon_price=2.0)
    names = {(effect.experience, effect.outcome) for effect in found.effects}
    assert ("late", "return") in names
    assert ("complaint", "margin") in names
    for mend in found.mends:
        assert mend.low_minor <= mend.worth_minor <= mend.high_minor
        assert mend.breakeven_minor == pytest.approx(mend.worth_minor / 3)
        assert mend.bad > mend.target
    with pytest.raises(ValueError, match="coupon_price is -1"):
        Quality(chain.lake).worth(coupon_price=-1)


def reviews(*rows: tuple[str | None, float | None, str, int]) -> pa.Table:
    """(guest, stars, text, day)."""
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return pa.table({
        "review_id": [f"R{i}" for i in range(len(rows))], "guest_id": pa.array([r[0] for r in rows], pa.string()),
        "store_id": ["S1"] * len(rows), "order_id": pa.nulls(len(rows), pa.string()),
        "reviewed_at": pa.array([begin + dt.timedelta(days=r[3]) for r in rows], pa.timestamp("us", "UTC")),
        "rating": pa.array([r[1] for r in rows], pa.float64()), "text": [r[2] for r in rows],
    })  # fmt: skip


NO_CLAUSES = pa.table({
    "review_id": pa.array([], pa.string()), "is_told": pa.array([], pa.bool_()), "aspects": pa.array([], pa.int64()),
    "polarity": pa.array([], pa.int8()),
})  # fmt: skip


def test_near_copies_share_one_weight() -> None:
    text = "Absolutely the best beef noodles in town, you must go there with the family"
    other = "We waited for an hour and then the waiter forgot our second bowl of rice"
    copies = near_copies(pa.array([text, text.upper() + "!!", text.replace("family", "kids"), other, "ok", "ok", None]))
    assert copies.tolist() == [3, 3, 3, 1, 1, 1, 1]
    found = trust(reviews(("a", 5.0, text, 0), ("b", 5.0, text + " ", 40), ("c", 4.0, other, 80)), NO_CLAUSES)
    assert found.weight.tolist() == [0.5, 0.5, 1.0]
    assert found.reasons.to_pylist() == [["same_text"], ["same_text"], []]
    assert found.counts == {"same_text": 2}


def test_one_guest_with_a_thousand_reviews_weighs_one_a_month() -> None:
    rows = [("a", 5.0, f"visit {i * 7919} was {i * 104729}", 3) for i in range(1_000)]
    found = trust(reviews(*rows, ("b", 3.0, "a fine bowl of soup", 3)), NO_CLAUSES)
    assert found.weight[:-1].sum() <= 1.0 + 1e-9
    assert all("many_from_one_guest" in said for said in found.reasons.to_pylist()[:-1])


def test_a_burst_is_seen_and_a_busy_store_is_not() -> None:
    calm = [(f"g{i}", 4.0, f"number {i * 7919} of {i * 31}", i % 100) for i in range(300)]
    burst = [(f"x{i}", 5.0, f"other {i * 104729} and {i * 17}", 50) for i in range(30)]
    found = trust(reviews(*calm, *burst), NO_CLAUSES)
    is_burst = np.array(["burst" in said for said in found.reasons.to_pylist()])
    assert is_burst[300:].all()
    assert is_burst[:300].mean() < 0.02


def test_staff_contradiction_and_a_clock_that_is_wrong() -> None:
    table = reviews(
        ("boss", 5.0, "lovely place to work at all year", 0), ("a", 5.0, "all of it was rather terrible", 1)
    )
    clauses = pa.table(
        {
            "review_id": ["R1", "R1"],
            "is_told": [True, True],
            "aspects": [1, 16],
            "polarity": pa.array([-1, -1], pa.int8()),
        }
    )
    late = pa.array([None, dt.datetime(2026, 1, 5, tzinfo=dt.UTC)], pa.timestamp("us", "UTC"))
    found = trust(table, clauses, staff=pa.array(["boss"]), ordered_at=late)
    assert found.reasons.to_pylist() == [["staff"], ["stars_against_text", "before_its_order"]]
    assert found.weight.tolist() == [0.0, 0.25]


def test_clues_come_worst_first_with_their_words(chain: Chain) -> None:
    clues = Quality(chain.lake).clues()
    assert (clues[0].kind, clues[0].clause) == ("poisoning", "吃完拉肚子")
    assert any(clue.clause == "hair in my soup" for clue in clues)


def test_harm_is_answered_before_everything_else(chain: Chain) -> None:
    queue = Quality(chain.lake).replies(days=60, limit=20)
    assert [reply.safety for reply in queue[:2]] == ["poisoning", "foreign_object"]
    rest = [reply.at_stake_minor for reply in queue[2:]]
    assert rest == sorted(rest, reverse=True)
    assert all(reply.facts.store_id for reply in queue)
    assert any(reply.facts.wrong for reply in queue)


def test_harm_in_a_review_that_is_not_believed_is_answered_all_the_same(chain: Chain) -> None:
    quality = Quality(chain.lake)
    queue = reply_queue(
        quality.reviews,
        quality.clauses,
        None,
        as_of=dt.date(2026, 10, 1),
        weight=np.zeros(len(quality.reviews)),
        days=60,
    )
    assert [reply.safety for reply in queue] == ["poisoning", "foreign_object"]


def test_clauses_of_reviews_that_are_gone_are_left_out(chain: Chain) -> None:
    quality = Quality(chain.lake)
    kept = quality.reviews.filter(pc.not_equal(quality.reviews["review_id"], "X2"))
    queue = reply_queue(kept, quality.clauses, None, as_of=dt.date(2026, 10, 1), days=60)
    assert [reply.safety for reply in queue[:2]] == ["foreign_object", None]


def test_what_cannot_be_known_is_a_sentence(chain: Chain) -> None:
    found = Worth(effects=(), unknown=(Sentence("too_few_exposed", experience="late", outcome="margin", exposed=1, least=30),),
                  mends=(), coupon_price=0.0)  # fmt: skip
    assert Voice().each(found.unknown) == [
        "margin after late: 1 visit of guests who also had others; what it is worth cannot be known from fewer than 30"
    ]
    assert found.plot() is None
