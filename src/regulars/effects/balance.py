"""Balance: were those who were given an offer like those who were not, before and after weighting?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from regulars.effects.arrays import FloatArray, IntArray, cluster_totals
from regulars.effects.scores import Scores
from regulars.effects.trial import Trial
from regulars.wording import Sentence

ACCEPTED = 0.1
"""A standardised difference below 0.1 counts as balanced (Austin 2009)."""
FALSE_ALARM = 0.001
"""How often a true lottery may be called none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Standardised mean differences between those given one offer and those given nothing.

    features: p names; a category is one column each, named column=category.
    before, after: (p,) raw, and weighted among rows with overlap.
    """

    offer: str
    features: tuple[str, ...]
    before: FloatArray
    after: FloatArray

    @property
    def worst_before(self) -> tuple[str, float]:
        """The feature that differs most before weighting, and by how much."""
        return self._worst(self.before)

    @property
    def worst_after(self) -> tuple[str, float]:
        """The feature that differs most after weighting, and by how much."""
        return self._worst(self.after)

    @property
    def is_balanced(self) -> bool:
        """Whether no feature differs by more than 0.1 after weighting."""
        return abs(self.worst_after[1]) <= ACCEPTED

    def _worst(self, differences: FloatArray) -> tuple[str, float]:
        place = int(np.argmax(np.abs(differences)))
        return self.features[place], float(differences[place])


def measure_balance(trial: Trial, scores: Scores, offers: Sequence[int]) -> dict[int, Balance]:
    """Balance of each of these offers against nothing."""
    names, values = standardised(trial)
    untreated = values[trial.arm == 0].mean(axis=0)
    found = {}
    for offer in offers:
        given, nothing = scores.offer_weight[:, offer], scores.nothing_weight[:, offer]
        found[offer] = Balance(
            offer=trial.offers[offer],
            features=names,
            before=values[trial.arm == offer + 1].mean(axis=0) - untreated,
            after=given @ values / given.sum() - nothing @ values / nothing.sum(),
        )
    return found


def standardised(trial: Trial) -> tuple[tuple[str, ...], FloatArray]:
    """Features with mean 0 and variance 1 over all rows; a category is one column each, a missing value is the mean."""
    names: list[str] = []
    columns: list[FloatArray] = []
    for place, name in enumerate(trial.columns.names):
        column = trial.matrix[:, place]
        if (categories := trial.columns.categories.get(name)) is None:
            names.append(name)
            columns.append(column)
        else:
            names.extend(f"{name}={category}" for category in categories)
            columns.extend(np.where(column == code, 1.0, 0.0) for code in range(len(categories)))
    return tuple(names), np.column_stack([_standard(column) for column in columns])


def owners(trial: Trial) -> list[int]:
    """The place of the feature that each column of `standardised` belongs to."""
    width = [len(trial.columns.categories.get(name, ("",))) for name in trial.columns.names]
    found: list[int] = np.repeat(np.arange(len(width)), width).tolist()
    return found


def _standard(column: FloatArray) -> FloatArray:
    known = ~np.isnan(column)
    if not known.any() or (spread := column[known].std()) == 0:
        return np.zeros_like(column)
    return np.where(known, (column - column[known].mean()) / spread, 0.0)


def lottery_doubts(trial: Trial) -> list[Sentence]:
    """Why the logged propensities cannot be those of a lottery over these rows; empty if they can.

    Two checks with a false alarm in a thousand lotteries each: weighted by 1 / propensity every arm must stand for all
    rows (the sample ratio), and every feature must have the same mean in it as over all rows (balance).
    """
    ratios = ratio_doubts(trial)
    worst = {found.arm: found for found in sorted(unlike_all(trial), key=lambda found: found.beyond)}
    return [*ratios.values(), *(found.sentence for arm, found in worst.items() if arm not in ratios)]


def ratio_doubts(trial: Trial) -> dict[str, Sentence]:
    """For each arm that does not stand for all rows by its logged propensities, how many rows it stands for."""
    doubts = {}
    for arm, excess in _excesses(trial):
        ratio = excess.mean()
        if abs(ratio) > _by_chance(excess, trial.cluster, FALSE_ALARM / len(trial.offers)):
            expected = trial.rows / (1 + ratio)
            doubts[arm] = Sentence("arm_stands_for", arm=arm, expected=float(expected), rows=trial.rows)
    return doubts


class Unlike(NamedTuple):
    """A feature whose mean in an arm is not that over all rows; column: its place, beyond: by how much more than chance allows."""

    arm: str
    feature: str
    column: int
    beyond: float

    @property
    def sentence(self) -> Sentence:
        return Sentence("arm_is_unlike", arm=self.arm, feature=self.feature)


def unlike_all(trial: Trial) -> list[Unlike]:
    """The features that differ in an arm, however rarely it is drawn."""
    names, values = standardised(trial)
    column = owners(trial)
    chance, found = FALSE_ALARM / len(trial.offers) / len(names), []
    for arm, excess in _excesses(trial):
        distances = excess[:, None] * values
        beyond = np.abs(distances.mean(axis=0)) - _by_chance(distances, trial.cluster, chance)
        found += [
            Unlike(arm, names[place], column[place], float(beyond[place])) for place in np.flatnonzero(beyond > 0)
        ]
    return found


def _excesses(trial: Trial) -> Iterator[tuple[str, FloatArray]]:
    """For each arm that somebody is in, the weights 1 / propensity less 1, 0 for rows of other arms, (n,)."""
    assert trial.propensity is not None
    for arm, name in enumerate(("nothing", *trial.offers)):
        taken = trial.given[:, arm]
        if taken.any():
            yield name, np.divide(1.0, trial.propensity[:, arm], out=np.zeros(trial.rows), where=taken) - 1


def _by_chance(values: FloatArray, cluster: IntArray, chance: float) -> FloatArray:
    """How far from 0 the mean of values (n, ...) of mean 0 gets with at most this chance, shape (...).

    The empirical Bernstein bound of Maurer and Pontil (2009, theorem 4) over clusters. Weights of a plan reach into the thousands
    for offers that few are given, and then a mean is nothing like normal: by its standard error, many a campaign that was drawn
    by lot is called none.
    """
    totals = cluster_totals(values, cluster)
    clusters, log = len(totals), np.log(4 / chance)
    if clusters < 2:
        return np.full(values.shape[1:], np.inf)
    spread = np.sqrt(2 * totals.var(axis=0, ddof=1) * log / clusters)
    allowed: FloatArray = (spread + 7 * np.ptp(totals, axis=0) * log / (3 * (clusters - 1))) * clusters / len(values)
    return allowed
