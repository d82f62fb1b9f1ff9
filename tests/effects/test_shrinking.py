"""Shrinking against its textbook."""

import numpy as np

from regulars.effects.shrinking import shrink

COACHING = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
COACHING_ERROR = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def test_eight_schools_match_gelman_et_al_2013_table_5_3() -> None:
    """Medians of the table are 10, 8, 7, 8, 5, 6, 10, 8, in whole points; means are up to 1.5 above for the largest."""
    mean, variance = shrink(COACHING, COACHING_ERROR)
    np.testing.assert_allclose(mean, [10, 8, 7, 8, 5, 6, 10, 8], atol=1.5)
    assert ((np.sqrt(variance) > 5) & (np.sqrt(variance) < 9)).all()


def test_groups_that_agree_are_drawn_together_and_groups_that_differ_are_left_apart() -> None:
    error = np.full(6, 1.0)
    together, _ = shrink(np.array([5.0, 5.1, 4.9, 5, 5, 5]), error)
    apart, variance = shrink(np.array([-100.0, 100, -50, 50, 0, 20]), error)
    assert np.ptp(together) < 0.1
    np.testing.assert_allclose(apart, [-100, 100, -50, 50, 0, 20], atol=1)
    np.testing.assert_allclose(np.sqrt(variance), 1, atol=0.1)


def test_a_group_without_a_say_gets_what_the_others_have_in_common() -> None:
    mean, variance = shrink(np.array([0.0, 4, 6, 5]), np.array([np.inf, 1, 1, 1]))
    assert 4.8 < mean[0] < 5.2
    assert variance[0] > variance[1:].max()
