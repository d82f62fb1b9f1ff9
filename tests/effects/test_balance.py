"""A lottery is believed where the logged propensities agree with the rows, however small they are."""

import numpy as np

from regulars.effects.balance import lottery_doubts
from regulars.effects.trial import Trial, read_trial

ROWS = 4_000


def planned(seed: int) -> Trial:
    """A plan that gives each half of the guests an offer of its own, and to four guests in a thousand the other one."""
    draw = np.random.default_rng(seed)
    visits = draw.poisson(3, ROWS).astype(float)
    best = (visits > 2).astype(int)
    chance = np.array([0.1, 0.896, 0.004])
    lot = draw.choice(3, size=ROWS, p=chance)
    action = np.select([lot == 1, lot == 2], [best, 1 - best], -1)
    propensity = chance[lot]
    outcome = draw.normal(size=ROWS)
    return read_trial(
        {"visits": visits}, action, outcome, cost=None, propensity=propensity, offers=["tea", "soup"], cluster=None
    )


def test_a_lottery_with_rare_offers_is_believed() -> None:
    """By the standard error of a mean, one in twelve of these was called no lottery, where one in a thousand may be."""
    assert sum(bool(lottery_doubts(planned(seed))) for seed in range(300)) <= 3


def test_propensities_that_cannot_be_are_doubted() -> None:
    draw = np.random.default_rng(0)
    visits = draw.poisson(3, ROWS).astype(float)
    chosen = draw.random(ROWS) < 1 / (1 + np.exp(2 - visits))

    def doubts(action: np.ndarray, chance: float) -> str:
        trial = read_trial(
            {"visits": visits}, action, draw.normal(size=ROWS), cost=None,
            propensity=np.where(action == 0, chance, 1 - chance), offers=["tea"], cluster=None,
        )  # fmt: skip
        return "; ".join(map(str, lottery_doubts(trial)))

    assert "rows were expected for 4,000" in doubts(np.where(draw.random(ROWS) < 0.4, 0, -1), 0.5)
    assert "visits differs from the average" in doubts(np.where(chosen, 0, -1), float(chosen.mean()))
