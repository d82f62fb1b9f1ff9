"""The learning loop: all policies keep the budget, the planner learns, and nobody beats one who knows the truth."""

import numpy as np
import pytest

from regulars.rehearsal import Loop, Town, learning_loop
from regulars.rehearsal.policies import POLICIES, oracle, send_to_all

POLICIES = {name: POLICIES[name] for name in ("oracle", "send to all", "random")}


@pytest.fixture(scope="module")
def loop() -> Loop:
    return learning_loop(campaigns=3, guests=2_000, stores=5, seed=200, policies=POLICIES)


def test_ours_explores_first_and_then_gains(loop: Loop) -> None:
    gain = loop.gain["ours"]
    assert loop.promised[0] == 0
    assert gain[1:].mean() > 2 * max(gain[0], 0.0)
    assert gain[1:].sum() > loop.gain["send to all"][1:].sum()


def test_nobody_does_better_than_the_oracle(loop: Loop) -> None:
    for name in ("ours", "send to all", "random"):
        assert loop.total(name) < loop.total("oracle")
    assert loop.last_of_oracle < 1.1


def test_everybody_keeps_the_budget_on_average(loop: Loop) -> None:
    """The budget holds for the expected subsidy; what is paid varies with luck."""
    for cost in loop.cost.values():
        assert cost.mean() < 1.25 * loop.budget_minor


def test_the_oracle_is_within_the_limits_and_gains_more_than_sending_to_all(town: Town) -> None:
    budget, draw = 40_000.0, np.random.default_rng(0)
    best, everybody = oracle(town, budget, draw), send_to_all(town, budget, draw)
    truth = town.truth
    assert truth.gain_of(best).sum() > truth.gain_of(everybody).sum()
    for action in (best, everybody):
        given = np.flatnonzero(action >= 0)
        assert truth.cost[given, action[given]].sum() < 1.2 * budget


def test_one_campaign_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="1 campaigns teach nothing"):
        learning_loop(campaigns=1)
