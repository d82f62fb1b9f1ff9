"""The race: which learner explains most of the differences between guests it has not seen."""

from dataclasses import dataclass

from regulars.effects.arrays import FloatArray
from regulars.effects.individual import LEARNERS, Individual
from regulars.effects.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """What a learner explained: the standard deviation of the effect, for each offer, that was found on held-out guests.

    It is the root of the gain in squared distance to the doubly robust scores over giving everybody the average
    (the loss of Foster and Syrgkanis 2023; predictions are calibrated first, so no learner gains by shrinking less).
    """

    learner: str
    spread_found: tuple[float, ...]

    @property
    def score(self) -> float:
        """The sum of squares over offers, by which the race is decided."""
        return sum(spread**2 for spread in self.spread_found)


def run_race(study: Study, average: FloatArray) -> tuple[Individual, tuple[Contender, ...]]:
    """Fit every learner on the same folds; the winner, and the table, best first."""
    fitted = {learner: Individual.fit(learner, study, average) for learner in LEARNERS}
    table = sorted((contend(name, model) for name, model in fitted.items()), key=lambda contender: -contender.score)
    return fitted[table[0].learner], tuple(table)


def contend(learner: str, model: Individual) -> Contender:
    """What a fitted learner brings to the race."""
    return Contender(learner=learner, spread_found=tuple(float(spread) for spread in model.explained**0.5))
