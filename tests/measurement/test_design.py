"""Assignment, power and the sample ratio."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from regulars import measurement
from regulars.errors import DataError, DesignError
from regulars.measurement import Noise
from regulars.wording import Voice

HALF = {"treated": 0.5, "holdout": 0.5}


def ids(n: int, start: int = 0) -> list[str]:
    return [f"G{i}" for i in range(start, start + n)]


def test_an_arm_hangs_on_nothing_but_campaign_guest_and_salt() -> None:
    whole = dict(zip(ids(2_000), measurement.assign(ids(2_000), campaign_id="autumn", salt="s").arm, strict=True))
    some = [guest for guest in reversed(ids(2_000)) if guest.endswith("7")]
    again = measurement.assign(np.array(some), campaign_id="autumn", salt="s").arm
    assert [whole[guest] for guest in some] == again.tolist()
    other_campaign = measurement.assign(ids(2_000), campaign_id="winter", salt="s").arm
    other_salt = measurement.assign(ids(2_000), campaign_id="autumn", salt="t").arm
    for other in (other_campaign, other_salt):
        both_held = np.mean((other == "holdout") & (np.array(list(whole.values())) == "holdout"))
        assert both_held == pytest.approx(0.01, abs=0.008)


def test_shares_are_met_as_coin_tosses_meet_them() -> None:
    drawn = measurement.assign(ids(20_000), campaign_id="autumn")
    assert measurement.sample_ratio_check(drawn.arm, measurement.assignment.DEFAULT_SHARES).is_ok
    assert_allclose(drawn.propensity[drawn.in_arm("holdout")], 0.1)
    assert_allclose(drawn.propensity[drawn.in_arm("treated")], 0.8)


def test_strata_are_split_to_one_guest_in_any_order() -> None:
    guests = np.array(ids(3_000))
    strata = np.array([f"S{i % 7}" for i in range(3_000)])
    drawn = measurement.assign(guests, campaign_id="autumn", strata=strata)
    for store in np.unique(strata):
        inside = strata == store
        for arm, share in measurement.assignment.DEFAULT_SHARES.items():
            assert abs(int((drawn.arm[inside] == arm).sum()) - share * inside.sum()) < 1
    shuffled = np.random.default_rng(0).permutation(3_000)
    again = measurement.assign(guests[shuffled], campaign_id="autumn", strata=strata[shuffled])
    assert (again.arm == drawn.arm[shuffled]).all()


def test_the_logged_propensity_is_the_true_chance_also_in_tiny_strata() -> None:
    """Strata of three guests: over 2,000 campaigns each guest is held out in one in ten; tolerance from the binomial."""
    strata = ["A", "A", "A", "B", "B", "B", "C"]
    held = sum(
        measurement.assign(ids(7), campaign_id=f"c{i}", strata=strata).in_arm("holdout").astype(int)
        for i in range(2_000)
    )
    assert (held >= stats.binom.ppf(0.0001, 2_000, 0.1)).all()
    assert (held <= stats.binom.ppf(0.9999, 2_000, 0.1)).all()


def test_the_global_holdout_changes_with_the_season_only() -> None:
    first = measurement.global_holdout(ids(5_000), salt="s", season="2026Q4")
    assert first.mean() == pytest.approx(0.05, abs=0.01)
    assert (first == measurement.global_holdout(ids(5_000), salt="s", season="2026Q4")).all()
    assert (first & measurement.global_holdout(ids(5_000), salt="s", season="2027Q1")).mean() < 0.01


def test_bad_assignments_are_refused() -> None:
    with pytest.raises(DataError, match="guest G1 is in the list 2 times"):
        measurement.assign(["G1", "G2", "G1"], campaign_id="c")
    with pytest.raises(DataError, match=r"guest_id\[1\] is missing"):
        measurement.assign(["G1", None], campaign_id="c")
    with pytest.raises(ValueError, match="add up to 1"):
        measurement.assign(["G1"], campaign_id="c", shares={"treated": 0.9, "holdout": 0.2})


@pytest.mark.parametrize(("treated", "control"), [(2_217, 247), (60, 60), (500, 40)])
def test_power_is_that_of_statsmodels(treated: int, control: int) -> None:
    design = measurement.minimum_detectable_effect(9.0, treated=treated, control=control)
    peer = TTestIndPower().power(design.effect / 3.0, nobs1=treated, ratio=control / treated, alpha=0.05)
    assert_allclose([measurement.power_of(design.effect, 9.0, treated=treated, control=control), 0.8], peer, rtol=1e-9)


def test_the_needed_size_is_that_of_statsmodels() -> None:
    peer = TTestIndPower().solve_power(effect_size=0.1, ratio=1 / 9, alpha=0.05, power=0.9)
    design = measurement.needed_size(0.3, 9.0, control_share=0.1, power=0.9)
    assert (design.treated, design.control) == (int(np.ceil(peer)), int(np.ceil(peer / 9)))


def test_a_promised_effect_is_found_as_often_as_promised() -> None:
    """400 campaigns of skewed spend at the detectable effect; tolerance from the binomial (99.9 %)."""
    rng = np.random.default_rng(1)
    design = measurement.minimum_detectable_effect(Noise.of(rng.gamma(1, 20, 50_000)), treated=900, control=100)
    arm = np.array(["treated"] * 900 + ["control"] * 100)
    found = 0
    for _ in range(400):
        outcome = rng.gamma(1, 20, 1_000) + design.effect * (arm == "treated")
        found += measurement.compare(outcome, arm)[0].is_conclusive
    assert stats.binom.ppf(0.0005, 400, 0.8) <= found <= stats.binom.ppf(0.9995, 400, 0.8)


def test_noise_knows_ratios_clusters_and_the_past() -> None:
    rng = np.random.default_rng(2)
    before = rng.gamma(2, 10, 4_000)
    outcome = before + rng.normal(0, 5, 4_000)
    assert Noise.of(outcome).variance == pytest.approx(outcome.var(ddof=1), rel=1e-12)
    assert Noise.of(outcome, covariate=before).variance == pytest.approx(25, rel=0.1)
    visits = rng.poisson(2, 4_000) + 1.0
    assert Noise.of(12 * visits, denominator=visits).variance == pytest.approx(0, abs=1e-9)
    store = rng.integers(0, 40, 4_000)
    apart = Noise.of(outcome + rng.normal(0, 3, 40)[store], cluster=store)
    assert apart.guests_per_unit == 100
    assert apart.variance == pytest.approx(9 + outcome.var() / 100, rel=0.7)
    assert Noise.of_share(0.2).variance == pytest.approx(0.16)


def test_more_offers_and_daily_looks_need_more_guests() -> None:
    alone = measurement.needed_size(0.2, 1.0)
    three = measurement.needed_size(0.2, 1.0, offers=3)
    daily = measurement.needed_size(0.2, 1.0, anytime=True)
    assert alone.treated < three.treated < daily.treated


def test_designs_that_find_nothing_out_are_refused() -> None:
    with pytest.raises(DesignError, match="cannot find out anything"):
        measurement.minimum_detectable_effect(1.0, treated=900, control=1)
    with pytest.raises(DesignError, match="the same for every guest"):
        measurement.minimum_detectable_effect(Noise.of([5, 5, 5]), treated=900, control=100)
    with pytest.raises(DesignError, match="needs at least 2"):
        Noise.of([5])
    with pytest.raises(ValueError, match="power must lie"):
        measurement.needed_size(1.0, 1.0, power=1.0)


def test_the_sample_ratio_is_scipys_chi_square() -> None:
    counts = {"treated": 8_100, "explore": 1_020, "holdout": 880}
    check = measurement.sample_ratio_check(counts, {"treated": 0.8, "explore": 0.1, "holdout": 0.1})
    peer = stats.chisquare(list(counts.values()), [8_000, 1_000, 1_000])
    assert_allclose([check.statistic, check.p_value], [peer.statistic, peer.pvalue], rtol=1e-9)
    assert not check.is_ok
    assert "holdout 880 (expected 1,000)" in Voice().say(check.sentence)
    with pytest.raises(DesignError, match="arm 'x' has 3 guests but no share"):
        measurement.sample_ratio_check({"x": 3}, {"treated": 1})


def test_balance_is_hotellings_distance_and_notices_a_bad_draw() -> None:
    rng = np.random.default_rng(3)
    before = {"spend": rng.gamma(2, 10, 500), "visits": rng.poisson(3, 500)}
    arm = np.where(rng.random(500) < 0.2, "holdout", "treated")
    check = measurement.balance_check(arm, before)
    table = np.column_stack(list(before.values()))
    apart = table[arm == "holdout"].mean(axis=0) - table[arm == "treated"].mean(axis=0)
    weight = (arm == "holdout").sum() * (arm == "treated").sum() / 500
    distance = weight * apart @ np.linalg.inv(np.cov(table.T)) @ apart
    assert_allclose(check.p_value, stats.chi2.sf(distance, 2), rtol=1e-9)
    assert Voice().say(check.sentence).startswith("The arms were alike")
    richest = np.where(before["spend"] > np.quantile(before["spend"], 0.8), "treated", "holdout")
    assert "standard deviations above all guests in spend" in Voice().say(
        measurement.balance_check(richest, before).sentence
    )


def test_a_fair_draw_fails_the_balance_check_as_often_as_it_says() -> None:
    """500 draws; tolerance from the binomial (99.9 %)."""
    rng = np.random.default_rng(4)
    before = {"spend": rng.gamma(2, 10, 400), "visits": rng.poisson(3, 400), "twice": np.zeros(400)}
    low = sum(measurement.balance_check(rng.integers(0, 3, 400), before).p_value < 0.1 for _ in range(500))
    assert stats.binom.ppf(0.0005, 500, 0.1) <= low <= stats.binom.ppf(0.9995, 500, 0.1)


@pytest.mark.parametrize("kind", ["int8", "uint32", "int64", "float32", "float64", "str", "object"])
def test_a_guest_has_one_arm_however_the_id_is_kept(kind: str) -> None:
    ids = np.arange(100)
    arm = measurement.assign(ids.astype(str), campaign_id="c", salt="s").arm
    assert (measurement.assign(ids.astype(kind), campaign_id="c", salt="s").arm == arm).all()
    mixed = [float(number) if number % 2 else number for number in ids.tolist()]
    assert (measurement.assign(mixed, campaign_id="c", salt="s").arm == arm).all()


@pytest.mark.parametrize("odd", [7.5, 2.0**53, 1e300])
def test_an_id_that_floats_cannot_hold_is_refused(odd: float) -> None:
    with pytest.raises(DataError, match=r"guest_id\[1\] is .*, which is no whole number .*; give ids as text"):
        measurement.assign([1.0, odd], campaign_id="c")
