"""What policies miss: never less than nothing against one who knows the truth, and less the more was learned."""

import numpy as np
import pytest

from regulars.allocation import Limit, solve
from regulars.rehearsal import Town, regrets
from regulars.rehearsal.policies import POLICIES


def all_knowing(place: Town, budget: float, rng: np.random.Generator) -> np.ndarray:
    truth = place.truth
    return np.asarray(solve(truth.gain, truth.cost, [Limit.total(budget)], seed=0).choice)


def nothing(place: Town, budget: float, rng: np.random.Generator) -> np.ndarray:
    return np.full(len(place), -1)


def test_who_knows_the_truth_leaves_least_and_nobody_spends_more(town: Town) -> None:
    known = {"oracle": all_knowing, "nothing": nothing, "random": POLICIES["random"]}
    found = {one.policy: one for one in regrets([town], sizes=(2_000,), policies=known)}
    assert list(found) == [
        "oracle",
        "nothing",
        "random",
        "ours, response, 2,000 exposures",
        "ours, effects, 2,000 exposures",
    ]
    assert (found["oracle"].regret, found["oracle"].share) == (0, 1)
    assert found["nothing"].regret == pytest.approx(found["oracle"].gain[0])
    assert all(one.regret >= 0 for one in found.values())
    assert found["random"].spend[0] <= 10.0
    assert found["oracle"].spend[0] == pytest.approx(10.0, rel=0.01)
    assert "100%" in found["oracle"].words


def test_regret_needs_a_town_and_an_oracle(town: Town) -> None:
    with pytest.raises(ValueError, match="give it among the policies"):
        regrets([town], policies={"nothing": nothing})
    with pytest.raises(ValueError, match="give at least one"):
        regrets([], policies={"oracle": nothing})
