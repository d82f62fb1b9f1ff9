"""Late features: counted after the exposure, as the spend of the whole period, or the pages that were seen.

A lottery cannot change what was known before it. A feature in which its arms differ by more than the draw lets happen is late, and
to adjust for it takes away what the offer did. Four kinds of look are taken: at values, at shapes, at what the other features do
not tell of one, and at the bias itself, the difference between the adjusted effect and that of the draw (Hausman 1978).
"""

import numpy as np

from regulars.effects.arrays import FloatArray
from regulars.effects.balance import owners, standardised, unlike_all
from regulars.effects.draw import Draw
from regulars.effects.looks import reach, rest_looks, shape_looks, value_looks
from regulars.effects.nuisance import Nuisance
from regulars.effects.trial import Trial

FALSE_ALARM = 0.001
"""How often each kind of look may call a clean feature late."""
AS_LIKELY = 2 * np.log(1000)
"""Of features that unmask each other, one whose squared distance is so much less is a thousand times less likely to be the late one."""


def late_features(trial: Trial) -> set[int]:
    """Places of the features in which the arms differ by themselves."""
    draw = Draw.of(trial)
    if draw is None:
        return {found.column for found in unlike_all(trial)}
    looks = [*value_looks(trial, draw, FALSE_ALARM), *shape_looks(trial, draw, FALSE_ALARM)]
    return {look.column for look in looks if look.is_beyond(draw)}


def unmasked_features(trial: Trial) -> set[int]:
    """Places of the features in which the arms differ given all others: one of them is late, and which the arms may not tell.

    The squared distance of one, given the others, is what the distance of all together loses without it.
    """
    if (draw := Draw.of(trial)) is None:
        return set()
    beyond = [look for look in rest_looks(trial, draw, FALSE_ALARM) if look.is_beyond(draw)]
    squared = {look.column: look.distance(draw) ** 2 for look in sorted(beyond, key=lambda look: look.distance(draw))}
    return {column for column, found in squared.items() if found >= max(squared.values()) - AS_LIKELY}


def biasing_features(trial: Trial, nuisance: Nuisance, most: int) -> set[int]:
    """The features most apart, if the adjusted effect of an offer is not that of the draw; nothing if they agree."""
    draw = Draw.of(trial)
    if draw is None or not np.ptp(trial.matrix, axis=0).any():
        return set()
    expected = draw.totals(nuisance.expected - nuisance.expected.mean(axis=0))
    is_biased = any(_is_biased(draw, expected, offer) for offer in range(len(trial.offers)))
    return set(_by_distance(trial, draw)[:most]) if is_biased else set()


def _is_biased(draw: Draw, expected: FloatArray, offer: int) -> bool:
    arms = (offer + 1, 0)
    drawn = draw.inverse(arms) * expected[:, arms] * (1.0, -1.0)
    chance = FALSE_ALARM / (expected.shape[1] - 1)
    return abs(draw.distance(drawn, arms)) > reach(chance) and draw.tail(drawn, arms) < chance


def _by_distance(trial: Trial, draw: Draw) -> list[int]:
    """Places of the features, those in which an offer and nothing are furthest apart first."""
    totals = draw.totals(standardised(trial)[1])
    furthest = np.max([np.abs(draw.distances(totals, offer)) for offer in range(len(trial.offers))], axis=0)
    owner = np.array(owners(trial))
    return list(dict.fromkeys(owner[np.argsort(-furthest, kind="stable")].tolist()))
