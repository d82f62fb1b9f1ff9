"""Control charts, change points and causes."""

import datetime as dt

import numpy as np
import pytest
from tests.quality.conftest import Chain

from regulars.errors import DataError, DesignError
from regulars.quality import MEASURES, Quality, Stream, watch
from regulars.quality.cusum import first_alarms, mean_ratio, mean_threshold, path, share_ratio, share_threshold
from regulars.quality.servings import Coded

FIRST = dt.date(2024, 1, 1)
BASELINE = dt.date(2024, 12, 30)


def coded(letter: str, code: np.ndarray, size: int) -> Coded:
    return Coded(np.array([f"{letter}{i}" for i in range(size)], dtype=object), code.astype(np.int64))


def planted(seed: int, *, drop: float, batch_share: float = 0.4, n: int = 9_000) -> tuple[Stream, int]:
    """Two years of one dish in six stores; from 0.75 on, a bad batch is in so many of the servings, and the whole falls by `drop`."""
    draw = np.random.default_rng(seed)
    day = np.sort(draw.integers(0, 730, n)) + FIRST.toordinal()
    store, since = draw.integers(0, 6, n), int(n * 0.75)
    batch = (day - day[0]) // 30
    is_bad = (np.arange(n) >= since) & (draw.random(n) < batch_share)
    batch = np.where(is_bad, 40, batch)
    share = 0.45 + 0.02 * (store - 2.5) - is_bad * drop / batch_share
    factors = {
        "item": coded("D", np.zeros(n), 1), "store": coded("S", store, 6), "shift": coded("H", draw.integers(0, 3, n), 3),
        "cook": coded("C", store * 3 + draw.integers(0, 3, n), 18), "batch": coded("B", batch, 41),
    }  # fmt: skip
    value = (draw.random(n) < share).astype(float)
    return Stream(measure=MEASURES["reorder_rate"], value=value, day=day, factors=factors), since


def runs(ratio: np.ndarray, height: float) -> np.ndarray:
    """How long each row of ratios runs until its alarm, its length where there is none."""
    rows, length = ratio.shape
    start = np.arange(rows) * length
    alarm, _ = first_alarms(ratio.ravel(), start, start + length, np.full(rows, height))
    return np.where(alarm < 0, length, alarm - start + 1)


def test_the_chart_of_a_share_keeps_its_rate_of_false_alarms_and_its_delay() -> None:
    """Within 10 % of the Markov chain, 400 runs: four standard errors of the mean of exponentials are 20 %, of delays 10 %."""
    threshold = share_threshold(0.4, 0.3, 1_000.0)
    draw = np.random.default_rng(0)
    calm, changed = (share_ratio(draw.random((400, 12_000)) < share, 0.4, 0.3) for share in (0.4, 0.3))
    assert runs(calm, threshold.height).mean() == pytest.approx(1_000, rel=0.2)
    assert runs(changed, threshold.height).mean() == pytest.approx(threshold.delay, rel=0.1)


def test_the_chart_of_a_mean_keeps_its_rate_of_false_alarms_and_its_delay() -> None:
    threshold = mean_threshold(-0.3, 1.0, 1_000.0)
    draw = np.random.default_rng(1)
    calm, changed = (mean_ratio(draw.normal(mean, 1, (400, 12_000)), 0, 1, -0.3) for mean in (0, -0.3))
    assert runs(calm, threshold.height).mean() == pytest.approx(1_000, rel=0.2)
    assert runs(changed, threshold.height).mean() == pytest.approx(threshold.delay, rel=0.1)


def test_the_path_is_what_alarms() -> None:
    ratio = np.random.default_rng(2).normal(-0.1, 1, 500)
    alarm, since = first_alarms(ratio, np.array([0]), np.array([500]), np.array([4.0]))
    line = path(ratio)
    assert (line[: alarm[0]] < 4).all()
    assert line[alarm[0]] >= 4
    assert since[0] == 0 or line[since[0] - 1] <= 1e-9


def test_a_planted_drop_is_found_with_its_day_and_its_batch() -> None:
    found = 0
    for seed in range(8):
        stream, since = planted(seed, drop=0.10)
        changes = watch(stream, baseline_until=BASELINE, levels=(("item",),), false_alarms_per_year=0.2).changes
        assert len(changes) == 1
        planted_on = dt.date.fromordinal(int(stream.day[since]))
        change = changes[0]
        found += (
            change.changed_from - dt.timedelta(days=20) <= planted_on <= change.changed_until + dt.timedelta(days=20)
        )
        if change.alarmed_on > planted_on:
            assert any((cause.factor, cause.level) == ("batch", "B40") for cause in change.causes[:2])
            assert change.high < change.before
    assert found >= 6


def test_without_a_change_false_alarms_come_as_stated() -> None:
    """One a year for the dish, over two levels and one year of watching: 40 seeds, of which 1 - exp(-1) alarm."""
    alarmed = [
        bool(watch(planted(seed, drop=0.0)[0], baseline_until=BASELINE, levels=(("item",), ("item", "store"))).changes)
        for seed in range(40)
    ]
    assert 12 <= sum(alarmed) <= 36


def test_a_season_that_was_there_a_year_ago_explains_itself() -> None:
    draw = np.random.default_rng(4)
    day = np.sort(draw.integers(0, 800, 12_000)) + FIRST.toordinal()
    is_summer = ((day - FIRST.toordinal()) % 365 >= 210) & ((day - FIRST.toordinal()) % 365 < 330)
    value = (draw.random(len(day)) < np.where(is_summer, 0.35, 0.5)).astype(float)
    factors = {"item": coded("D", np.zeros(len(day)), 1), "store": coded("S", draw.integers(0, 4, len(day)), 4),
               "shift": coded("H", draw.integers(0, 3, len(day)), 3)}  # fmt: skip
    kept = day < FIRST.toordinal() + 365 + 300
    stream = Stream(measure=MEASURES["reorder_rate"], value=value, day=day, factors=factors).only(np.flatnonzero(kept))
    change = watch(stream, baseline_until=FIRST + dt.timedelta(days=500), levels=(("item",),)).changes[0]
    season = next(cause for cause in change.causes if cause.factor == "season")
    assert season.share > 0.5


def test_a_baseline_outside_the_observations_is_named() -> None:
    with pytest.raises(DesignError, match="need observations until 2020-01-01 and after it"):
        watch(planted(0, drop=0.0)[0], baseline_until=dt.date(2020, 1, 1))


def test_the_lake_knows_which_store_got_slower(chain: Chain) -> None:
    found = Quality(chain.lake).watch("prep_seconds", baseline_until=chain.spoilt_on - dt.timedelta(days=60))
    soup = [change for change in found.changes if change.by.get("store") == "S2"]
    assert soup
    assert min(abs((change.changed_on - chain.spoilt_on).days) for change in soup) < 45
    whole = [change for change in found.changes if set(change.by) == {"item"} and change.alarmed_on > chain.spoilt_on]
    assert any(change.causes[0].level in ("S2", "C20", "C21") for change in whole)


def test_ratings_are_watched_by_store(chain: Chain) -> None:
    found = Quality(chain.lake).watch("rating", baseline_until=chain.spoilt_on - dt.timedelta(days=60))
    assert any(change.by == {"store": "S2"} for change in found.changes)


def test_a_measure_that_is_none_is_named(chain: Chain) -> None:
    with pytest.raises(DataError, match="no measure 'beauty'; there are reorder_rate"):
        Quality(chain.lake).watch("beauty")
