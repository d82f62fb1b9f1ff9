"""The comparison against its peers, its promises, and what it refuses."""

import math

import narwhals as nw
import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.stats.proportion import test_proportions_2indep as score_test

from regulars import measurement
from regulars.errors import DataError, DesignError
from regulars.measurement import Metric
from regulars.measurement.adjustment import adjust
from regulars.measurement.contrasts import ShareContrast
from regulars.measurement.levels import family_level
from regulars.measurement.lift import Basis
from regulars.wording import LANGUAGES, Voice


def spend(n: int, seed: int, effect: float = 0.0, offers: int = 1) -> dict[str, np.ndarray]:
    """Guests whose spend hangs on what they spent before, and an offer that adds `effect`."""
    rng = np.random.default_rng(seed)
    arm = np.array(["control", *(f"offer {i}" for i in range(offers))])[rng.integers(0, offers + 1, n)]
    before = rng.gamma(1.5, 20, n)
    visits = rng.poisson(1.2, n)
    outcome = visits * rng.gamma(2, 10, n) + 0.6 * before + effect * (arm != "control")
    return {"arm": arm, "before": before, "visits": visits.astype(float), "outcome": outcome}


def test_a_mean_is_welchs_test_of_scipy() -> None:
    data = spend(500, seed=1, effect=4)
    treated, control = data["outcome"][data["arm"] == "offer 0"], data["outcome"][data["arm"] == "control"]
    peer = stats.ttest_ind(treated, control, equal_var=False)
    (lift,) = measurement.compare(data["outcome"], data["arm"])
    assert_allclose(lift.p_value, peer.pvalue, rtol=1e-9)
    assert_allclose(lift.interval, peer.confidence_interval(), rtol=1e-9)


@pytest.mark.parametrize("covariate", [None, "before"])
@pytest.mark.parametrize("denominator", [None, "visits"])
def test_means_ratios_and_cuped_are_those_of_tea_tasting(covariate: str | None, denominator: str | None) -> None:
    tea_tasting = pytest.importorskip("tea_tasting", reason="uv pip install tea-tasting")
    data = spend(800, seed=2, effect=4)
    metric = tea_tasting.RatioOfMeans("outcome", denominator, covariate)
    peer = tea_tasting.Experiment(m=metric, variant="arm").analyze(pl.DataFrame(data), control="control")["m"]
    (lift,) = measurement.compare(
        data["outcome"],
        data["arm"],
        covariate=None if covariate is None else data[covariate],
        denominator=None if denominator is None else data[denominator],
        adjustment="cuped",
    )
    ours = [
        lift.mean,
        lift.control_mean,
        lift.estimate,
        *lift.interval,
        lift.p_value,
        lift.relative,
        *lift.relative_interval,
    ]
    theirs = [
        *(peer.treatment, peer.control, peer.effect_size, peer.effect_size_ci_lower, peer.effect_size_ci_upper),
        *(peer.pvalue, peer.rel_effect_size, peer.rel_effect_size_ci_lower, peer.rel_effect_size_ci_upper),
    ]
    assert_allclose(ours, theirs, rtol=1e-9)


def test_regression_is_lins_interacted_least_squares_of_statsmodels() -> None:
    data = spend(600, seed=3, effect=4)
    treated = (data["arm"] != "control").astype(float)
    centred = data["before"] - data["before"].mean()
    fit = sm.OLS(data["outcome"], np.column_stack([np.ones(600), treated, centred, treated * centred])).fit(
        cov_type="HC2"
    )
    (lift,) = measurement.compare(data["outcome"], data["arm"], covariate=data["before"])
    assert_allclose(lift.estimate, fit.params[1], rtol=1e-9)
    half = (lift.interval[1] - lift.interval[0]) / 2 / stats.norm.isf(0.025)
    assert half == pytest.approx(fit.bse[1], rel=0.03)


def test_the_variance_left_by_regression_is_that_of_least_squares_in_each_arm() -> None:
    data = spend(60, seed=3)
    moments = measurement.moments_by_arm({name: data[name] for name in ("outcome", "before")}, data["arm"])
    adjusted = adjust(moments, Metric.mean("outcome", "before"))
    for label, arm in adjusted.arms.items():
        inside = data["arm"] == label
        fit = sm.OLS(data["outcome"][inside], sm.add_constant(data["before"][inside])).fit()
        assert_allclose([arm.variance, arm.slope[0]], [fit.mse_resid, fit.params[1]], rtol=1e-9)


def test_clusters_are_the_cluster_robust_regression_of_statsmodels() -> None:
    rng = np.random.default_rng(4)
    store = rng.integers(0, 40, 2_000)
    arm = np.where(store % 2 == 0, "offer", "control")
    outcome = rng.normal(size=2_000) + rng.normal(size=40)[store] + 0.5 * (arm == "offer")
    treated = (arm == "offer").astype(float)
    fit = sm.OLS(outcome, sm.add_constant(treated)).fit(
        cov_type="cluster", cov_kwds={"groups": store, "use_correction": False}
    )
    (lift,) = measurement.compare(outcome, arm, cluster=store)
    assert (lift.n, lift.units) == (int(treated.sum()), 20)
    assert_allclose(lift.estimate, fit.params[1], rtol=1e-9)
    error = (lift.interval[1] - lift.interval[0]) / 2 / stats.t.isf(0.025, _freedom(outcome, arm, store))
    assert_allclose(error, fit.bse[1] * math.sqrt(20 / 19), rtol=1e-9)


def _freedom(outcome: np.ndarray, arm: np.ndarray, store: np.ndarray) -> float:
    errors = []
    for label in ("offer", "control"):
        inside = arm == label
        residual = outcome[inside] - outcome[inside].mean()
        sums = np.bincount(store[inside], weights=residual, minlength=40)
        errors.append((sums**2).sum() / inside.sum() ** 2)
    return sum(errors) ** 2 / sum(error**2 / 19 for error in errors)


def test_shares_have_the_score_test_of_statsmodels() -> None:
    for hits, n in [((30, 20), (300, 280)), ((12, 2), (900, 110)), ((49, 10), (50, 60))]:
        peer = score_test(hits[0], n[0], hits[1], n[1], method="score", compare="diff")
        assert_allclose(ShareContrast(hits=hits, n=n).p_value, peer.pvalue, rtol=1e-9)


def test_shares_have_the_published_interval_of_newcombe_1998() -> None:
    """Statistics in Medicine 17, table II, method 10 (Miettinen and Nurminen), to its four places."""
    assert_allclose(ShareContrast(hits=(56, 48), n=(70, 80)).interval(0.05), (0.0528, 0.3382), atol=6e-5)
    assert_allclose(ShareContrast(hits=(9, 3), n=(10, 10)).interval(0.05), (0.1700, 0.8406), atol=6e-5)


def test_the_level_of_equal_arms_is_dunnetts_table() -> None:
    """Dunnett 1964, two-sided 5 %, infinite freedom: 2.21, 2.35, 2.44, 2.51 for 2 to 5 offers."""
    points = [stats.norm.isf(family_level(0.05, (0.5,) * offers) / 2) for offers in range(2, 6)]
    assert_allclose(points, [2.21, 2.35, 2.44, 2.51], atol=0.006)


def test_p_values_of_several_offers_are_those_of_scipys_dunnett() -> None:
    """Equal variances, as scipy assumes; scipy integrates by sampling, hence the tolerance."""
    rng = np.random.default_rng(5)
    arm = np.array(["control", "a", "b", "c", "d"])[rng.integers(0, 5, 100_000)]
    outcome = rng.normal(size=100_000) + 0.02 * (arm == "b")
    peer = stats.dunnett(*(outcome[arm == label] for label in "abcd"), control=outcome[arm == "control"], rng=rng)
    assert_allclose([lift.p_value for lift in measurement.compare(outcome, arm)], peer.pvalue, atol=0.005)


def test_no_offer_wins_in_more_than_the_promised_share_of_campaigns_without_effect() -> None:
    """Family-wise error of three offers over 250 campaigns; tolerance from the binomial (99.9 %)."""
    wrong = sum(
        any(lift.is_conclusive for lift in measurement.compare(data["outcome"], data["arm"]))
        for data in (spend(400, seed=seed, offers=3) for seed in range(250))
    )
    assert stats.binom.ppf(0.0005, 250, 0.05) <= wrong <= stats.binom.ppf(0.9995, 250, 0.05)


def test_a_small_holdout_of_skewed_bills_is_not_too_sure() -> None:
    """2,000 campaigns of 270 against 30 guests without effect; 4 to 6 % are claimed, and Welch's t alone would give about 8."""
    rng = np.random.default_rng(15)
    arm = np.array(["offer"] * 270 + ["control"] * 30)
    wrong = 0
    for _ in range(2_000):
        bills = (rng.random(300) < 0.35) * rng.lognormal(3.3, 0.7, 300)
        found = measurement.moments_by_arm({"bills": bills}, arm)
        wrong += measurement.compare_moments(found, Metric.mean("bills"))[0].is_conclusive
    assert 0.035 <= wrong / 2_000 <= 0.065


@pytest.mark.parametrize("kind", ["mean", "ratio", "regression", "cuped"])
def test_intervals_cover_the_truth_as_often_as_they_claim(kind: str) -> None:
    """400 campaigns; the truth is the effect that was put in; tolerance from the binomial (99.9 %)."""
    hit = 0
    for seed in range(400):
        data = spend(500, seed=seed, effect=0 if kind == "ratio" else 3)
        (lift,) = measurement.compare(
            data["outcome"],
            data["arm"],
            covariate=data["before"] if kind in ("regression", "cuped") else None,
            denominator=data["visits"] if kind == "ratio" else None,
            adjustment="cuped" if kind == "cuped" else "regression",
        )
        hit += lift.interval[0] <= (0 if kind == "ratio" else 3) <= lift.interval[1]
    assert stats.binom.ppf(0.0005, 400, 0.95) <= hit <= stats.binom.ppf(0.9995, 400, 0.95)


def test_the_past_shortens_the_interval_and_moves_no_truth() -> None:
    data = spend(2_000, seed=6, effect=3)
    (plain,) = measurement.compare(data["outcome"], data["arm"])
    (adjusted,) = measurement.compare(data["outcome"], data["arm"], covariate=data["before"])
    assert np.ptp(adjusted.interval) < 0.95 * np.ptp(plain.interval)
    assert adjusted.interval[0] < 3 < adjusted.interval[1]


@pytest.mark.parametrize("make", [pl.DataFrame, pl.LazyFrame, "duckdb", "pandas"])
def test_one_query_over_any_frame_answers_as_the_rows_do(make: object) -> None:
    data = spend(700, seed=7, effect=3, offers=2)
    frame: object = pl.DataFrame(data)
    if make == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        frame = duckdb.from_arrow(pl.DataFrame(data).to_arrow())
    elif make == "pandas":
        frame = pytest.importorskip("pandas").DataFrame(data)
    elif make is pl.LazyFrame:
        frame = pl.LazyFrame(data)
    metrics = {"spend": Metric.mean("outcome", "before"), "check": Metric.ratio("outcome", "visits")}
    found = measurement.measure(nw.from_native(frame).to_native(), metrics)
    for name, rows in {
        "spend": measurement.compare(data["outcome"], data["arm"], covariate=data["before"]),
        "check": measurement.compare(data["outcome"], data["arm"], denominator=data["visits"]),
    }.items():
        for ours, theirs in zip(found[name], rows, strict=True):
            assert ours.offer == theirs.offer
            assert_allclose([ours.estimate, *ours.interval], [theirs.estimate, *theirs.interval], rtol=1e-9)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_clusters_in_a_frame_answer_as_the_rows_do(engine: str) -> None:
    rng = np.random.default_rng(12)
    store = rng.integers(0, 30, 900)
    data = {"arm": np.where(store % 2 == 0, "offer", "control"), "store": store, "spend": rng.gamma(2, 5, 900)}
    frame = pl.DataFrame(data)
    native = frame if engine == "polars" else pytest.importorskip("duckdb").from_arrow(frame.to_arrow())
    (found,) = measurement.measure(native, {"spend": Metric.mean("spend")}, cluster="store")["spend"]
    (rows,) = measurement.compare(data["spend"], data["arm"], cluster=store)
    assert_allclose([found.estimate, *found.interval], [rows.estimate, *rows.interval], rtol=1e-9)
    assert (found.n, found.units_control) == (rows.n, rows.units_control)
    with pytest.raises(DesignError, match="store have guests in two arms"):
        measurement.measure(
            frame.with_columns(arm=frame["arm"].shuffle(0)), {"s": Metric.mean("spend")}, cluster="store"
        )


def test_a_column_far_from_zero_keeps_its_digits() -> None:
    rng = np.random.default_rng(13)
    frame = pl.DataFrame(
        {"arm": ["offer", "control"] * 500, "minor": 1e9 + rng.normal(0, 3, 1_000), "one": np.ones(1_000)}
    )
    found = measurement.read_moments(frame, measurement.Needs.of("minor", "one"))
    for label, moments in found.items():
        rows = frame.filter(pl.col("arm") == label)["minor"].to_numpy()
        assert_allclose(moments.covariance[0], [rows.var(ddof=1), 0], rtol=1e-9, atol=1e-9)
        assert moments.total("one") == 500


def test_moments_of_two_days_add_up_to_those_of_both() -> None:
    rng = np.random.default_rng(8)
    rows = {"a": rng.normal(1e6, 1, 300), "b": rng.gamma(2, 3, 300)}
    whole = measurement.Moments.of(rows)
    parts = [
        measurement.Moments.of({name: values[cut] for name, values in rows.items()})
        for cut in (slice(90), slice(90, 300))
    ]
    joined = parts[0] + parts[1]
    assert joined.n == 300
    assert_allclose(joined.mean, whole.mean, rtol=1e-12)
    assert_allclose(joined.scatter, whole.scatter, rtol=1e-9)
    without = whole.without(np.array([rows["a"][-1], rows["b"][-1]]))
    assert_allclose(without.scatter, measurement.Moments.of({k: v[:-1] for k, v in rows.items()}).scatter, rtol=1e-8)


def test_a_whale_that_decides_is_named_and_a_cap_is_told() -> None:
    rng = np.random.default_rng(9)
    outcome = rng.gamma(2, 10, 400)
    arm = np.array(["offer", "control"] * 200)
    outcome[0] = 18_000.0
    (lift,) = measurement.compare(outcome, arm)
    assert "18,000 decides this" in lift.words() or not lift.is_conclusive
    outcome[arm == "offer"] += 4
    outcome[1] = 3_000.0
    (hidden,) = measurement.compare(outcome[1:], arm[1:])
    assert "One guest in arm control with 3,000 decides this" in Voice().say(hidden.notes[0])
    (capped,) = measurement.compare(outcome[1:], arm[1:], cap=measurement.winsor_cap(outcome[1:], 0.99))
    assert capped.is_conclusive
    assert "Outcomes above" in capped.words()


def test_a_verdict_on_the_edge_is_not_blamed_on_an_ordinary_guest() -> None:
    rng = np.random.default_rng(16)
    outcome, arm = rng.normal(size=800), np.array(["offer", "control"] * 400)
    (lift,) = measurement.compare(outcome, arm)
    (edge,) = measurement.compare(outcome + (1e-6 - lift.interval[0]) * (arm == "offer"), arm)
    assert edge.is_conclusive
    assert edge.notes == ()


def test_the_sentence_says_what_is_known() -> None:
    (lift,) = measurement.compare([30, 50, 40, 42] * 9, ["soup", "soup", "soup", "soup"] * 8 + ["control"] * 4)
    assert lift.words().startswith("soup: cannot know yet; the change per guest lies between")
    (sure,) = measurement.compare(
        [30, 50, 40, 2, 3, 1] * 9, ["soup", "soup", "soup", "control", "control", "control"] * 9
    )
    assert sure.words(Voice(currency="USD")).startswith("soup brought $0.38 per guest (95% interval $0.3")
    (seen,) = measurement.compare(
        [9, 8, 9, 1, 2, 1], ["a", "a", "a", "b", "b", "b"], control="b", basis="observational"
    )
    assert "Observed, not randomised" in seen.words()


ARMS = ["offer", "offer", "control", "control"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"arm": ["offer"] * 4}, DesignError, "no guest is in the control arm 'control'; the arms are 'offer'"),
        ({"arm": ["offer", "offer", "contrl", "contrl"]}, DesignError, "did you mean 'contrl'"),
        ({"arm": ["control"] * 4}, DesignError, "every guest is in arm 'control'"),
        ({"arm": ["offer", "control", "control", "control"]}, DesignError, "arm 'offer' has 1 of the units"),
        ({"arm": ["offer", None, "control", "control"]}, DataError, r"arm\[1\] is missing"),
        ({"arm": ARMS[:3]}, ValueError, "expected one label for each guest"),
        ({"outcome": [1.0, math.nan, 2.0, 3.0]}, DataError, r"outcome\[1\] is nan; give 0"),
        ({"outcome": [1.0, 1e308, 2.0, 3.0]}, DataError, r"outcome\[1\] is 1e\+308, beyond any bill"),
        ({"outcome": [], "arm": []}, DataError, "outcome is empty"),
        ({"outcome": [0, 0, 0, 0], "covariate": [1, 2, 3, 4]}, DesignError, "every guest is 0: cannot know yet"),
        ({"outcome": [3, 4, 5, 6], "denominator": [1, 1, 0, 0]}, DesignError, "its ratio does not exist"),
        ({"cluster": ["S1", "S1", "S2", "S2"]}, DesignError, "arm 'control' has 1 of the units"),
        ({"cluster": ["S1", "S2", "S1", "S2"]}, DesignError, "cluster S1 has guests in two arms"),
        ({"guest_id": ["A", "B", "A", "C"]}, DesignError, "guest A is in two arms"),
        ({"guest_id": ["A", "A", "B", "C"]}, DataError, "guest A has 2 rows"),
        ({"alpha": 5}, ValueError, "alpha must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_a_reason(
    arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        measurement.compare(**{"outcome": [1.0, 2.5, 3.0, 4.0], "arm": ARMS, **arguments})  # type: ignore[arg-type]


def test_no_verdict_where_the_sample_ratio_fails() -> None:
    arm = np.array(["offer"] * 700 + ["control"] * 500)
    outcome = np.arange(1200.0)
    with pytest.raises(DesignError, match="No verdict: the arms do not have the sizes they were given"):
        measurement.compare(outcome, arm, shares={"offer": 0.5, "control": 0.5})
    assert measurement.compare(outcome, arm, shares={"offer": 7, "control": 5})


def test_negative_margins_are_numbers_like_others() -> None:
    (lift,) = measurement.compare([-5.0, -4.0, -6.0, 1.0, 2.0, 0.0], ["offer"] * 3 + ["control"] * 3)
    assert lift.estimate == pytest.approx(-6)
    assert lift.relative_interval == (-math.inf, math.inf)
    assert "lost 6 per guest" in lift.words()


def test_missing_values_in_a_frame_are_named() -> None:
    frame = pl.DataFrame({"arm": ARMS, "margin": [1.0, None, 2.0, 3.0]})
    with pytest.raises(DataError, match="arm 'offer', column margin: 1 of 2 rows have no value"):
        measurement.measure(frame, {"margin": Metric.mean("margin")})
    with pytest.raises(DataError, match="column margin: a value is nan or endless"):
        measurement.measure(frame.fill_null(float("nan")), {"margin": Metric.mean("margin")})
    with pytest.raises(DataError, match="the frame has no column 'marge'; it has arm, margin"):
        measurement.measure(frame, {"m": Metric.mean("marge")})
    with pytest.raises(DesignError, match="there is no guest in any arm"):
        measurement.measure(frame.clear(), {"m": Metric.mean("margin")})
    with pytest.raises(DesignError, match="1 rows have no arm"):
        measurement.measure(pl.DataFrame({"arm": [None, *ARMS], "margin": [1.0] * 5}), {"m": Metric.mean("margin")})


def test_clusters_are_counted_as_clusters_in_words() -> None:
    stores = np.repeat(np.arange(12), 5)
    (lift,) = measurement.compare(np.arange(60.0), np.where(stores < 6, "offer", "control"), cluster=stores)
    assert "6 clusters with 30 guests against 6 with 30" in lift.words()
    assert "6 组（30 位客人）对比 6 组（30 位）" in lift.words(Voice(language="zh"))


@pytest.mark.parametrize("basis", ["randomised", "observational"])
@pytest.mark.parametrize("shift", [-3.0, 0.0, 3.0])
def test_every_verdict_is_said_in_both_languages(basis: Basis, shift: float) -> None:
    outcome = np.tile([1.0, 2.0, 3.0, 2.5], 20)
    arm = np.repeat(["soup", "control"], 40)
    (lift,) = measurement.compare(outcome + shift * (arm == "soup"), arm, cap=50.0, basis=basis)
    for language in LANGUAGES:
        said = lift.words(Voice(language=language, currency="CNY"))
        assert "soup" in said
        assert "¥" in said
        assert "{" not in said
