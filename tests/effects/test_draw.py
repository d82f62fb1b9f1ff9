"""How often a lottery brings what is seen, against what is known exactly and against drawing it again."""

import numpy as np
import pytest
from scipy import stats

from regulars.effects.draw import Draw


def lot(chance: np.ndarray, seed: int = 0) -> Draw:
    units = len(chance)
    arm = (np.random.default_rng(seed).random((units, 1)) > chance.cumsum(axis=1)).sum(axis=1)
    return Draw(chance=chance, arm=arm, unit=np.arange(units))


@pytest.mark.parametrize("chance", [0.5, 0.05])
def test_a_count_has_the_tail_of_the_binomial(chance: float) -> None:
    """Guests in an arm, of 400; within a fifth, as the saddlepoint is of a sum without steps."""
    table = np.tile([1 - chance, chance], (400, 1))
    for count in stats.binom.ppf([0.9, 0.999, 1 - 1e-6], 400, chance).astype(int):
        draw = Draw(chance=table, arm=(np.arange(400) < count).astype(np.int64), unit=np.arange(400))
        exact = stats.binom.sf(count - 1, 400, chance) - stats.binom.pmf(count, 400, chance) / 2
        values = np.column_stack([np.ones(400), np.zeros(400)])
        assert draw.tail(values, (1, 0)) / 2 == pytest.approx(exact, rel=0.2)


def test_a_huge_bill_is_no_difference_by_itself() -> None:
    """Its arm is a coin: whoever reads the standard error sees what is rarer than one in a thousand."""
    values = np.zeros(300)
    values[0] = 1e6
    draw = lot(np.tile([0.95, 0.05], (300, 1)))
    drawn = Draw(chance=draw.chance, arm=np.where(np.arange(300) == 0, 1, draw.arm), unit=draw.unit)
    assert abs(drawn.distances((values - values.mean())[:, None], 0)[0]) > 4
    assert drawn.contrast_tail(values - values.mean(), 0) > 0.02


def test_tails_are_uniform_over_draws_of_a_skewed_column() -> None:
    """1,000 draws of an offer to one in twenty: as many tails below a level as the level says, by the binomial."""
    skewed = np.random.default_rng(1).lognormal(0, 1.5, 400)
    chance = np.tile([0.95, 0.05], (400, 1))
    tails = np.array([lot(chance, seed).contrast_tail(skewed - skewed.mean(), 0) for seed in range(1000)])
    for level in (0.1, 0.01):
        assert (tails < level).sum() <= stats.binom.ppf(0.999, 1000, level)
    assert (tails < 0.1).mean() > 0.05
