"""Covariates that cannot be from before are not adjusted for, and the others adjust alike however they are coded."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from regulars import measurement
from regulars.measurement import Lift, Metric
from regulars.measurement.covariates import believed

GUESTS = 2_000


def drawn(seed: int, share: float = 0.5, guests: int = GUESTS) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """A lottery, its arms, and what guests spent before."""
    draw = np.random.default_rng(seed)
    return draw, np.where(draw.random(guests) < share, "soup", "control"), draw.lognormal(3, 1, guests)


def only(lifts: list[Lift]) -> Lift:
    (lift,) = lifts
    return lift


def test_a_covariate_that_the_offer_moved_is_named_and_the_plain_difference_kept() -> None:
    """Pages seen go with spend, and the offer adds to them but not to spend: adjusted, it would surely have lost."""
    for seed in range(20):
        draw, arm, before = drawn(seed)
        spend = before + draw.gamma(2, 20, GUESTS)
        pages = draw.poisson(spend / 20 + 1.5 * (arm == "soup")).astype(float)
        lift = only(measurement.compare(spend, arm, covariate=pages))
        plain = only(measurement.compare(spend, arm))
        assert_allclose([lift.estimate, *lift.interval], [plain.estimate, *plain.interval])
        assert any("covariate 0" in str(note) for note in lift.notes)


@pytest.mark.parametrize("holds", ["the outcome", "most of it", "the arm", "what was spent before, and the arm"])
def test_a_covariate_that_cannot_be_from_before_is_not_adjusted_for(holds: str) -> None:
    draw, arm, before = drawn(3)
    spend = before + draw.gamma(2, 20, GUESTS)
    late = {
        "the outcome": 3 * spend - 7,
        "most of it": spend + draw.normal(0, 1, GUESTS),
        "the arm": (arm == "soup") * 2.0,
        "what was spent before, and the arm": before + 1e-3 * (arm == "soup"),
    }[holds]
    lift = only(measurement.compare(spend, arm, covariate=np.column_stack([before, late])))
    plain = only(measurement.compare(spend, arm))
    assert_allclose(lift.interval, plain.interval)
    assert any("covariate 1" in str(note) for note in lift.notes)


def test_what_only_shows_beside_the_past_is_found() -> None:
    """Spend of the whole period is alike in both arms to the eye; less the spend of the past, it is the effect."""
    draw, arm, before = drawn(4)
    spend = draw.normal(20, 5, GUESTS) + 2.0 * (arm == "soup")
    both = np.column_stack([before, before + spend])
    assert only(measurement.compare(spend, arm, covariate=both)).interval[0] < 2
    assert only(measurement.compare(spend, arm, covariate=both)).notes


def test_observed_guests_may_differ_but_not_hold_the_outcome() -> None:
    draw, arm, before = drawn(5)
    before = before + 20 * (arm == "soup")
    spend = before + draw.gamma(2, 20, GUESTS)
    observed = only(measurement.compare(spend, arm, covariate=before, basis="observational"))
    assert observed.notes == ()
    assert only(measurement.compare(spend, arm, covariate=before)).notes
    assert only(measurement.compare(spend, arm, covariate=spend, basis="observational")).notes


@pytest.mark.parametrize(("guests", "share"), [(300, 0.5), (300, 0.9), (2_000, 0.97)])
def test_clean_covariates_are_believed(guests: int, share: float) -> None:
    """300 draws of skewed columns; at most one in a hundred may be doubted, and eight of 300 would be so once in a hundred."""
    wrong = 0
    for seed in range(300):
        draw, arm, before = drawn(seed, share, guests)
        rare = (draw.random(guests) < 0.02).astype(float)
        columns = {"spend": before + draw.lognormal(3, 1, guests), "before": before, "rare": rare}
        moments = measurement.moments_by_arm(columns, arm)
        wrong += bool(believed(moments, Metric.mean("spend", "before", "rare"), "control")[1])
    assert wrong <= 7


def test_frames_and_clusters_are_guarded_too() -> None:
    draw, arm, _ = drawn(6)
    spend = draw.gamma(2, 20, GUESTS)
    frame = pl.DataFrame({"arm": arm, "spend": spend, "pages": spend / 8 + 1.5 * (arm == "soup")})
    (lift,) = measurement.measure(frame, {"m": Metric.mean("spend", "pages")})["m"]
    assert any("pages" in str(note) for note in lift.notes)
    store = np.arange(GUESTS) % 100
    arm = np.where(store % 2 == 0, "soup", "control")
    pages = spend / 8 + 1.5 * (arm == "soup")
    lift = only(measurement.compare(spend, arm, covariate=pages, cluster=store))
    assert_allclose(lift.interval, only(measurement.compare(spend, arm, cluster=store)).interval)


def towns(seed: int, guests: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spend, arm and town of three, of which one is in a single arm; a second covariate is spend before."""
    draw = np.random.default_rng(seed)
    arm = np.where(draw.random(guests) < 0.3, "soup", "control")
    town = draw.integers(0, 3, guests)
    town[(arm == "soup") & (town == 2)] = 0
    return draw.gamma(2, 20, guests) + 5 * town, arm, town


def test_a_town_of_one_arm_gives_the_same_answer_whichever_is_left_out() -> None:
    """The slope of a town that an arm has not seen is that of the other arm."""
    spend, arm, town = towns(0, 80)
    dummies = np.eye(3)[town]
    found = [
        only(measurement.compare(spend, arm, covariate=columns)).estimate
        for columns in (dummies[:, 1:], dummies[:, [0, 2]], dummies[:, :2], dummies, dummies[:, ::-1])
    ]
    assert_allclose(found, found[0], rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 120), st.booleans())
def test_answers_do_not_depend_on_the_coding(seed: int, guests: int, is_in_one_arm: bool) -> None:
    """Affine maps of the covariates: scaled, shifted, mixed, one twice; a dummy that is constant in one arm among them."""
    spend, arm, town = towns(seed, guests)
    draw = np.random.default_rng([seed, 1])
    rare = town == 2 if is_in_one_arm else draw.random(guests) < 0.5
    plain = np.column_stack([draw.lognormal(0, 1, guests), rare, draw.normal(size=guests)]).astype(float)
    mixed = plain @ (draw.normal(size=(3, 3)) + 2 * np.eye(3)) * 10.0 ** draw.integers(-3, 4) + draw.normal(0, 50, 3)
    codings = (plain, mixed, np.column_stack([mixed, mixed[:, 0]]), plain[:, [2, 0, 1]] * (1e4, 1e-4, 1) + 7)
    if min((arm == "soup").sum(), (arm == "control").sum()) < 2:
        return
    for adjustment in ("regression", "cuped"):
        lifts = [only(measurement.compare(spend, arm, covariate=each, adjustment=adjustment)) for each in codings]  # type: ignore[arg-type]
        if any(note.code == "covariates_late" for lift in lifts for note in lift.notes):
            return
        for lift in lifts[1:]:
            assert_allclose(
                [lift.estimate, *lift.interval], [lifts[0].estimate, *lifts[0].interval], rtol=1e-6, atol=1e-6
            )


def test_an_arm_with_few_guests_for_its_covariates_borrows_their_slopes() -> None:
    """Six guests and seven covariates explain each other without a rest, and the interval would be a point."""
    draw, _, _ = drawn(7)
    arm = np.array(["soup"] * 6 + ["control"] * 194)
    before = draw.normal(size=(200, 7))
    lift = only(measurement.compare(before[:, 0] + draw.normal(size=200), arm, covariate=before))
    plain = only(measurement.compare(before[:, 0] + draw.normal(size=200), arm))
    assert np.ptp(lift.interval) > 0.4 * np.ptp(plain.interval)
