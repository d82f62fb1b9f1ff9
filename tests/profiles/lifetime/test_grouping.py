"""Grouping gives what sorting gives, over tables that grow, and over zeros of both signs."""

import numpy as np

from regulars.profiles.lifetime.grouping import grouped


def test_many_distinct_rows_are_summed_as_by_sorting() -> None:
    draw = np.random.default_rng(1)
    rows = np.column_stack(
        [draw.integers(0, 9, 60_000), draw.integers(0, 99, 60_000) / 7, draw.integers(0, 99, 60_000)]
    )
    weights = draw.integers(1, 4, 60_000).astype(float)
    found = grouped((rows[:, 0], rows[:, 1], rows[:, 2]), weights)
    distinct, place = np.unique(rows, axis=0, return_inverse=True)
    assert len(distinct) > 30_000
    order = np.lexsort(found.values.T[::-1])
    assert np.array_equal(found.values[order], distinct)
    assert np.array_equal(found.weights[order], np.bincount(place.ravel(), weights))


def test_a_zero_is_a_zero_and_no_weight_is_no_row() -> None:
    found = grouped((np.array([0.0, -0.0, 0.0]), np.zeros(3), np.array([5.0, 5.0, 6.0])), np.array([1.0, 2.0, 0.0]))
    assert found.values.tolist() == [[0.0, 0.0, 5.0]]
    assert found.weights.tolist() == [3.0]
