"""Ties everywhere: pooled effects give thousands of guests the same gain and cost, and the answer must still be near the best."""

import numpy as np
import pytest

from regulars.allocation import Limit, solve


@pytest.mark.parametrize("seed", range(5))
def test_guests_of_few_kinds_are_allocated_as_well_as_any(seed: int) -> None:
    draw = np.random.default_rng(seed)
    kind = draw.integers(0, 8, 12_000)
    gain = np.round(
        draw.uniform(20, 45, 8)[kind][:, None] + np.stack([np.zeros(12_000), draw.uniform(-60, 200, 8)[kind]], axis=1),
        3,
    )
    cost = np.full((12_000, 2), 45.657)
    allocation = solve(gain, cost, [Limit.total(150_000), Limit.per_offer([5_000, 2_000])], seed=seed)
    assert allocation.gap < 1e-3
    stores = draw.integers(0, 20, 12_000)
    many = [Limit.total(150_000), Limit.per_offer([5_000, 2_000]), Limit.per_group(stores, np.full(20, 9_000.0))]
    assert solve(gain, cost, many, seed=seed).gap < 5e-3


def test_most_of_many_guests_are_as_good_as_each_other() -> None:
    """The closest calls are no calls at all, and the only price at which the dual is tight makes everybody indifferent."""
    gain = np.random.default_rng(0).integers(1, 4, (200_000, 3)).astype(float)
    allocation = solve(gain, np.ones_like(gain), [Limit.total(80_000)])
    assert allocation.gain == 240_000
    assert allocation.gap < 1e-6
