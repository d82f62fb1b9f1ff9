"""Exploring: limits hold for what was drawn, and propensities are the probabilities they claim to be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.allocation import Allocation, Limit, solve

from .reference import broken, random_case

DRAWS = 4000


def tight(forbidden: list[list[bool]] | None = None) -> Allocation:
    """Three guests, and a budget and stocks that cannot serve all of them."""
    return solve(
        [[3.0, 5.0], [2.0, 4.0], [1.0, 2.0]],
        [[1.0, 3.0], [1.0, 2.0], [1.0, 1.0]],
        [Limit.total(4), Limit.per_offer([2, 1])],
        forbidden=forbidden,
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), guests=st.integers(1, 60), share=st.floats(0, 1), kept=st.floats(0, 1))
def test_what_was_drawn_keeps_every_limit(seed: int, guests: int, share: float, kept: float) -> None:
    case = replace(random_case(seed, guests, 3), min_roi=None)
    experiment = solve(case.gain, case.cost, case.limits).explore(share=share, holdout=(1 - share) * kept, rng=seed)
    assert broken(case, experiment.action) == []
    assert (experiment.propensity > 0).all()
    assert (experiment.propensity <= 1 + 1e-12).all()
    assert (experiment.action[experiment.arm == "holdout"] == -1).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), guests=st.integers(1, 40), share=st.floats(0, 1))
def test_sets_of_offers_keep_every_limit_too(seed: int, guests: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    case = replace(
        random_case(seed, guests, 4), min_roi=None, most=int(rng.integers(2, 4)), exclusive=[(0, 1)],
        forbidden=rng.random((guests, 4)) < 0.2,
    )  # fmt: skip
    experiment = case.solve().explore(share=share, rng=seed)
    assert broken(case, experiment.action) == []
    assert ((experiment.propensity > 0) & (experiment.propensity <= 1 + 1e-12)).all()


def test_propensities_of_sets_are_their_frequencies_where_nothing_binds() -> None:
    """Two offers make three sets and nothing: a quarter each for who explores. Tolerance: 4.5 standard errors."""
    allocation = solve([[3.0, 5.0]], [[1.0, 3.0]], most=2)
    drawn = [allocation.explore(share=0.8, holdout=0.1, rng=draw) for draw in range(DRAWS)]
    sets = np.array([tuple(experiment.action[0]) for experiment in drawn])
    for some, probability in (((0, 1), 0.1 + 0.2), ((0, -1), 0.2), ((1, -1), 0.2), ((-1, -1), 0.2 + 0.1)):
        taken = (sets == some).all(axis=1)
        said = {round(float(e.propensity[0]), 12) for e, is_taken in zip(drawn, taken, strict=True) if is_taken}
        assert list(said) == pytest.approx([probability])
        assert taken.mean() == pytest.approx(probability, abs=4.5 * np.sqrt(probability / DRAWS))


def test_no_set_with_a_forbidden_offer_is_explored() -> None:
    allocation = solve(np.ones((30, 3)), np.ones((30, 3)), most=2, forbidden=np.tile([False, True, False], (30, 1)))
    action = allocation.explore(share=1.0, rng=0).action
    assert set(action.ravel().tolist()) == {-1, 0, 2}
    assert ((action >= 0).sum(axis=1) == 2).any()


def test_weighting_by_propensity_is_unbiased_where_limits_bind() -> None:
    """The weighted number of times an action is taken has mean 1 for each guest and action that can always be drawn.

    Tolerance: 4.5 standard errors over the draws.
    """
    allocation = tight()
    shares = np.zeros((DRAWS, 3))
    for draw in range(DRAWS):
        experiment = allocation.explore(share=0.4, holdout=0.2, rng=draw)
        shares[draw] = (experiment.action == -1) / experiment.propensity
    error = shares.std(axis=0) / np.sqrt(DRAWS)
    assert (np.abs(shares.mean(axis=0) - 1) < 4.5 * error).all()


def test_propensities_are_the_frequencies_of_actions_where_nothing_binds() -> None:
    allocation = solve([[3.0, 5.0]], [[1.0, 3.0]], [Limit.total(1000)])
    drawn = [allocation.explore(share=0.3, holdout=0.1, rng=draw) for draw in range(DRAWS)]
    for action, probability in ((1, 0.6 + 0.1), (0, 0.1), (-1, 0.1 + 0.1)):
        taken = np.array([experiment.action[0] == action for experiment in drawn])
        said = {round(float(experiment.propensity[0]), 12) for experiment in drawn if experiment.action[0] == action}
        assert list(said) == pytest.approx([probability])
        assert taken.mean() == pytest.approx(probability, abs=4.5 * np.sqrt(probability / DRAWS))


def test_the_treated_get_the_allocation() -> None:
    case = random_case(3, 500, 3)
    allocation = solve(case.gain, case.cost, case.limits)
    experiment = allocation.explore(share=0.1, holdout=0.1, rng=0)
    treated = experiment.arm == "treated"
    assert (experiment.action[treated] == allocation.choice[treated]).all()
    assert treated.mean() == pytest.approx(0.8, abs=0.08)


def test_the_seed_decides() -> None:
    allocation = tight()
    first, again = (allocation.explore(share=0.5, rng=np.random.default_rng(9)) for _ in range(2))
    assert first.action.tolist() == again.action.tolist()
    assert first.propensity.tolist() == again.propensity.tolist()


def test_arms_drawn_elsewhere_are_kept() -> None:
    arm = ["holdout", "explore", "treated"]
    assert tight().explore(share=0.5, holdout=0.2, rng=0, arm=arm).arm.tolist() == arm


def test_what_is_forbidden_is_never_explored() -> None:
    allocation = tight(forbidden=[[False, True]] * 3)
    drawn = [allocation.explore(share=1.0, rng=draw).action for draw in range(50)]
    assert set(np.concatenate(drawn).tolist()) == {-1, 0}


def test_exploring_alone_needs_no_gain() -> None:
    allocation = solve(np.zeros((3000, 2)), np.ones((3000, 2)), [Limit.total(400)])
    experiment = allocation.explore(share=1.0, rng=0)
    assert 300 < (experiment.action >= 0).sum() <= 400


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"share": 0.7, "holdout": 0.5}, "parts of one whole"),
        ({"share": 0.1, "arm": ["treated", "other", "explore"]}, "must name one of treated, explore, holdout"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tight().explore(**arguments)  # type: ignore[arg-type]


def test_shares_that_make_up_one_whole_leave_nobody_a_negative_probability() -> None:
    """1 - .9 - .1 is below 0 in floats, and where nothing is left to explore with that is all a treated guest has."""
    allocation = solve([[3.0], [3.0]], [[0.0], [1.0]], [Limit.total(0)])
    experiment = allocation.explore(share=0.9, holdout=0.1, arm=["treated"] * 2)
    assert (experiment.action == [0, -1]).all()
    assert (experiment.propensity >= 0).all()
