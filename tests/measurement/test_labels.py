"""Arms that are numbered, masked or mixed, and every pair of them."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import stats

from regulars import measurement
from regulars.errors import DataError, DesignError

SPEND = np.array([9.0, 8, 9, 7, 8, 1, 2, 1, 3, 2])
ARM = np.array([1] * 5 + [0] * 5)


@pytest.mark.parametrize(
    "arm",
    [
        ARM,
        ARM.astype(float),
        ARM.astype(bool),
        ARM.astype(object),
        ARM.astype(str),
        pd.Series(ARM, dtype="Int64"),
        pd.Series(ARM, dtype="boolean"),
        pd.Categorical(ARM),
        [Decimal(int(one)) for one in ARM],
        np.ma.masked_array(ARM, mask=False),
        pl.Series(ARM),
        pa.array(ARM),
        pa.chunked_array([ARM[:3], ARM[3:]]),
    ],
    ids=lambda arm: type(arm).__name__,
)
@pytest.mark.parametrize("control", [0, "0", 0.0, np.int64(0)])
def test_numbered_arms_are_the_same_however_they_are_kept(arm: Any, control: Any) -> None:
    if np.asarray(arm).dtype == bool or getattr(arm, "dtype", None) == "boolean":
        control = False
    (lift,) = measurement.compare(SPEND, arm, control=control)
    assert lift.estimate == pytest.approx(8.2 - 1.8)
    assert str(lift.offer) in ("1", "True")


@pytest.mark.parametrize(
    "arm",
    [
        np.ma.masked_array(ARM, mask=np.arange(10) == 3),
        np.ma.masked_array(ARM.astype(str), mask=np.arange(10) == 3),
        pd.Series([None if row == 3 else one for row, one in enumerate(ARM)], dtype="Int64"),
        pd.Series([pd.NA if row == 3 else str(one) for row, one in enumerate(ARM)], dtype="string"),
        pd.Categorical([None if row == 3 else one for row, one in enumerate(ARM)]),
        [pd.NaT if row == 3 else one for row, one in enumerate(ARM)],
        np.where(np.arange(10) == 3, np.nan, ARM),
        pa.array([None if row == 3 else int(one) for row, one in enumerate(ARM)]),
        pl.Series([None if row == 3 else str(one) for row, one in enumerate(ARM)]),
    ],
    ids=lambda arm: type(arm).__name__,
)
def test_an_arm_that_is_masked_or_missing_is_named(arm: Any) -> None:
    with pytest.raises(DataError, match=r"arm\[3\] is missing; every guest has a arm"):
        measurement.compare(SPEND, arm, control=0)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (np.ma.masked_array(SPEND, mask=np.arange(10) == 2), r"outcome\[2\] is nan; give 0"),
        (
            pd.Series([*SPEND[:9], None], dtype="Float64"),
            r"outcome\[9\] is '<NA>', which is no number|outcome\[9\] is nan",
        ),
        ([*SPEND[:9], "12,50"], r"outcome\[9\] is '12,50', which is no number"),
        ([*SPEND[:9].tolist(), 10**300], r"outcome\[9\] is 1e\+300, beyond any bill"),
        ([*SPEND[:9].tolist(), 10**400], r"outcome\[9\] is '1000"),
    ],
)
def test_an_outcome_that_is_no_number_is_named_shortly(outcome: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as refused:
        measurement.compare(outcome, ARM, control=0)
    assert len(str(refused.value)) < 160


def test_arms_of_0_and_1_ask_which_was_given_nothing() -> None:
    for arm in (ARM, ARM.astype(bool), ARM.astype(float)):
        with pytest.raises(DesignError, match="say which of them was given nothing, as in control=0"):
            measurement.compare(SPEND, arm)


def test_every_pair_shares_one_promise() -> None:
    """Bonferroni's part of three, of four: six pairs, each at alpha / 6; names in order, so that each pair stands once."""
    draw = np.random.default_rng(0)
    arm = draw.choice(["control", "soup", "tea", "wine"], 2_000)
    outcome = draw.gamma(2, 10, 2_000) + 2 * (arm == "wine")
    lifts = measurement.compare(outcome, arm, control=None)
    found = {(lift.offer, lift.control): lift for lift in lifts}
    assert list(found) == [
        *(("soup", "control"), ("tea", "control"), ("wine", "control")),
        *(("tea", "soup"), ("wine", "soup"), ("wine", "tea")),
    ]
    wine = found["wine", "tea"]
    peer = stats.ttest_ind(outcome[arm == "wine"], outcome[arm == "tea"], equal_var=False)
    assert wine.p_value == pytest.approx(min(1, 6 * peer.pvalue))
    assert wine.interval == pytest.approx(tuple(peer.confidence_interval(1 - 0.05 / 6)))
    assert "6 pairs at once" in wine.method


def test_no_pair_wins_in_more_than_the_promised_share_of_campaigns_without_effect() -> None:
    """Six pairs over 300 campaigns; tolerance from the binomial (99.9 %)."""
    wrong = 0
    for seed in range(300):
        draw = np.random.default_rng(seed)
        arm = draw.integers(0, 4, 400)
        wrong += any(lift.is_conclusive for lift in measurement.compare(draw.gamma(2, 10, 400), arm, control=None))
    assert wrong <= stats.binom.ppf(0.9995, 300, 0.05)


def test_covariates_keep_the_names_of_their_frame() -> None:
    draw = np.random.default_rng(1)
    arm = draw.integers(0, 2, 500)
    before = draw.gamma(2, 10, 500)
    table = {"before": before, "pages": draw.poisson(2 + 3 * arm)}
    for make in (dict, pd.DataFrame, pl.DataFrame, pa.table):
        (lift,) = measurement.compare(before + draw.normal(0, 9, 500), arm, control=0, covariate=make(table))
        assert "covariate pages: arms differ in it" in lift.words()


@pytest.mark.parametrize(
    "ids", [[7, 8], [7.0, 8.0], ["7", "8"], [Decimal("7.0"), Decimal(8)], [7.0, "8"], [np.int32(7), 8.0]]
)
def test_a_guest_has_one_arm_however_the_id_is_written(ids: list[Any]) -> None:
    expected = measurement.assign([7, 8], campaign_id="c", salt="s").arm.tolist()
    for values in (ids, pd.Series(ids, dtype=object)):
        assert measurement.assign(values, campaign_id="c", salt="s").arm.tolist() == expected
