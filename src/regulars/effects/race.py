"""The race: which learner explains most of the differences between guests it has not seen."""

from dataclasses import dataclass, replace

from regulars.effects.arrays import FloatArray, cluster_mean
from regulars.effects.averages import Centre
from regulars.effects.individual import LEARNERS, Individual, Lessons
from regulars.effects.nuisance import deal_folds
from regulars.effects.study import Study

RACED = 60_000
"""Of more rows than this the race is run on guests drawn from them; the learner it picks then learns from all."""

DEALS, DEALS_OF_MANY, MANY = 3, 2, 20_000
"""How often guests are dealt to parts for the learner that is used, since what a deal decides is averaged. Of many rows it decides
less: then one that was asked for by name is dealt once."""

FAR = 1_000_003
"""Seeds of two deals are apart by so much."""

CLEARLY = 2.5
"""So many standard errors behind is clearly behind: two, for each of the four who are compared with the best (Bonferroni)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """What a learner explained: the standard deviation of the effect, for each offer, that was found on held-out guests.

    It is the root of the gain in squared distance to the doubly robust scores over giving everybody the average
    (the loss of Foster and Syrgkanis 2023; predictions are calibrated first, so no learner gains by shrinking less).
    behind: how much farther from the scores it was than the best, in standard errors of that difference; 0 for the best.
    """

    learner: str
    spread_found: tuple[float, ...]
    behind: float = 0.0

    @property
    def score(self) -> float:
        """The sum of squares over offers, by which the race is decided."""
        return sum(spread**2 for spread in self.spread_found)


def run_race(study: Study, average: Centre) -> tuple[str, Individual, tuple[Contender, ...]]:
    """Fit every learner on the same folds; the one that is picked, and the table, best first.

    Picked is the first in the order of LEARNERS that is not clearly behind the best (the rule of Breiman, Friedman, Olshen
    and Stone 1984, section 3.4.3, with CLEARLY for one standard error): effects are faint, and the best of five is often
    best by luck.
    """
    is_large = study.trial.rows > 2 * RACED
    ground = study.sample(RACED) if is_large else study
    taught = {learner: Lessons.of(learner, ground, ground.nuisance.fold) for learner in LEARNERS}
    fitted = {learner: Individual.of(ground, average, lessons) for learner, lessons in taught.items()}
    found = {learner: contend(learner, model) for learner, (model, _) in fitted.items()}
    best = max(found, key=lambda learner: found[learner].score)
    table = [
        replace(contender, behind=_behind(ground, fitted[learner][1], fitted[best][1]))
        for learner, contender in found.items()
    ]
    picked = next(contender.learner for contender in table if contender.behind < CLEARLY)
    winner, _ = Individual.of(study, average, teach(picked, study, first=None if is_large else taught[picked]))
    return picked, winner, tuple(sorted(table, key=lambda contender: -contender.score))


def teach_alone(learner: str, study: Study) -> Lessons:
    """What a learner finds that was asked for by name."""
    if study.trial.rows < MANY:
        return teach(learner, study)
    return Lessons.of(learner, study, study.nuisance.fold)


def teach(learner: str, study: Study, *, first: Lessons | None = None) -> Lessons:
    """What a learner finds, on average over several deals of guests to parts; first: what it found in the deal of the study."""
    lessons = [first or Lessons.of(learner, study, study.nuisance.fold)]
    for deal in range(1, DEALS if study.trial.rows < MANY else DEALS_OF_MANY):
        dealt = replace(study, seed=study.seed + deal * FAR)
        lessons.append(Lessons.of(learner, dealt, deal_folds(study.trial, seed=dealt.seed)))
    return Lessons.together(lessons)


def contend(learner: str, model: Individual) -> Contender:
    """What a fitted learner brings to the race."""
    return Contender(learner=learner, spread_found=tuple(float(spread) for spread in model.explained**0.5))


def _behind(study: Study, predicted: FloatArray, best: FloatArray) -> float:
    """Extra squared distance to the scores, in standard errors; predicted, best: (n, k)."""
    extra = (best - predicted) * (2 * study.scores.value - predicted - best) * study.scores.has_overlap
    mean, error = cluster_mean(extra.sum(axis=1), study.trial.cluster)
    return float(mean / error) if error > 0 else 0.0
