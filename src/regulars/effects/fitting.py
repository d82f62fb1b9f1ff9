"""Fitting: from past exposures to a model that says what it rests on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from regulars.effects.averages import (
    AverageEffect,
    Centre,
    as_measured,
    average_effect,
    borrowed_effect,
    drawn_together,
)
from regulars.effects.balance import measure_balance
from regulars.effects.basis import Ground
from regulars.effects.costs import CostModel
from regulars.effects.dose import Dose
from regulars.effects.individual import LEARNERS, Individual
from regulars.effects.leakage import refuse_after_exposure, suspects
from regulars.effects.model import EffectModel, settle_on_curve
from regulars.effects.race import Contender, contend, run_race, teach_alone
from regulars.effects.reasons import sample_values
from regulars.effects.sentences import of_design, of_doubts, of_late_features
from regulars.effects.study import Study
from regulars.effects.trial import Trial, read_trial
from regulars.errors import DesignError
from regulars.wording import Sentence

POOL_BELOW = 10_000
"""Fewer exposed guests than this are not told apart one by one (arXiv 2604.26169)."""
FEWEST_GUESTS = 20
"""An offer given to fewer guests has no effect of its own."""


def fit(
    features: Any,
    action: ArrayLike,
    outcome: ArrayLike,
    *,
    cost: ArrayLike | None = None,
    propensity: ArrayLike | None = None,
    offers: Sequence[object] | None = None,
    cluster: ArrayLike | None = None,
    values: Sequence[float | None] | None = None,
    known_at: ArrayLike | None = None,
    exposed_at: ArrayLike | None = None,
    learner: str = "auto",
    seed: int = 0,
) -> EffectModel:
    """Learn from past exposures what each offer changes in each guest against nothing, and what it costs.

    features: a frame (pandas, Polars, Arrow, any that narwhals reads), dict of columns or array (n, p): numbers, booleans
        or categories, with gaps, as they were known before the exposure. Of more than 500 those that go most with the
        outcome or with the action are used.
    action: (n,) number of the offer given, counted from 0; -1 for nothing.
    outcome: (n,) what the guest brought afterwards. As margin in minor units it is taken after the discount was paid,
        so that the gain is net.
    cost: (n,) subsidy really deducted, 0 where nothing was redeemed.
    propensity: probability of the action taken, (n,), or of every action, (n, k + 1) with nothing first. With it the
        basis is "randomised" if it agrees with the data; without it propensities are estimated and it is "adjusted".
        Features in which the arms of a lottery differ were counted after it: they are left out, and named.
    offers: k names; an offer that was never given may be among them.
    cluster: (n,) the guest of each row, where guests repeat.
    values: face value of each offer, (k,), None for offers unlike the rest. The others then share one response, which
        before the discount is paid rises with the value, ever more slowly; a value never tried is read from that curve.
    known_at, exposed_at: the date up to which features were computed, and that of the exposure, one for all or (n,); both or
        none. With them no feature is left out as late.
    learner: "pooled", "s", "t", "x", "dr", or "race" for the best of these on held-out guests; "auto" is pooled below
        10,000 exposed guests, otherwise the race. "dr" alone is several times as fast as the race.

    Raises DataError for values that cannot be used, such as features from after the exposure; DesignError where there is
    nothing to compare with.

    >>> import numpy as np
    >>> draw = np.random.default_rng(0)
    >>> visits, action = draw.poisson(3, 2000), draw.integers(-1, 1, 2000)
    >>> margin = 100 * visits + 40 * (action == 0) + draw.normal(0, 50, 2000)
    >>> model = fit({"visits": visits}, action, margin, propensity=np.full(2000, 0.5), offers=["tea"])
    >>> model.basis, round(model.averages[0].gain / 10)
    ('randomised', 4)
    """
    if learner not in ("auto", "race", *LEARNERS):
        raise ValueError(f"learner {learner!r} is none of auto, race, {', '.join(LEARNERS)}")
    trial = read_trial(features, action, outcome, cost=cost, propensity=propensity, offers=offers, cluster=cluster)
    refuse_after_exposure(known_at, exposed_at, trial.rows)
    is_dated = known_at is not None
    ground, study = Ground.of(trial, is_dated=is_dated).study(is_dated=is_dated, seed=seed)
    own = [offer for offer in range(len(trial.offers)) if _has_own_effect(study, offer)]
    warnings = (*of_doubts(ground), *suspects(trial), *of_late_features(ground))
    _refuse_without_any(trial, own, warnings)
    return _build_model(study, own, learner, values, ground, warnings)


def _build_model(
    study: Study,
    own: list[int],
    learner: str,
    values: Sequence[float | None] | None,
    ground: Ground,
    warnings: tuple[Sentence, ...],
) -> EffectModel:
    """The model of a study in which the offers numbered in `own` were given often enough."""
    trial, averages = study.trial, _averages(study, own)
    is_family = values is not None
    centres = as_measured(averages) if is_family else drawn_together(study, averages)
    picked, individual, race = _learn(study, learner, centres)
    costs = None if trial.cost is None else CostModel.fit(trial, study.nuisance.fold, seed=study.seed)
    dose = None if values is None else Dose.of(values, averages)
    if dose is not None:
        costs = None if costs is None else costs.on_curve(dose)
        averages = _averages_on_curve(averages, dose, costs)
    balance = measure_balance(trial, study.scores, own)
    of_offers = [
        sentence
        for offer, effect in enumerate(averages)
        for sentence in of_design(effect, balance.get(offer), ground.basis)
    ]
    return EffectModel(
        offers=trial.offers,
        basis=ground.basis,
        learner=picked,
        pooling=_of_pooling(trial, picked, is_chosen=learner not in ("auto", "race")),
        averages=averages,
        balance=tuple(balance.values()),
        heterogeneity=tuple(individual.heterogeneity[offer] for offer in own),
        race=race,
        warnings=(*warnings, *of_offers),
        left_out=ground.left_out,
        columns=trial.columns,
        predictor=individual,
        costs=costs,
        dose=dose,
        others=sample_values(trial.matrix, seed=study.seed),
    )


def _averages_on_curve(
    averages: tuple[AverageEffect, ...], dose: Dose, costs: CostModel | None
) -> tuple[AverageEffect, ...]:
    """Average effects where offers never tried are read from the curve; those tried stay as measured."""
    gain, error = np.array([[effect.gain for effect in averages]]), np.array([[effect.gain_se for effect in averages]])
    cost = np.full_like(gain, np.nan) if costs is None else (costs.rate * costs.amount)[None, :]
    gain, variance = settle_on_curve(dose, gain, error**2, cost)
    return tuple(
        effect.on_curve(float(gain[0, offer]), float(np.sqrt(variance[0, offer])))
        if dose.is_extrapolated[offer]
        else effect
        for offer, effect in enumerate(averages)
    )


def _learn(study: Study, learner: str, average: Centre) -> tuple[str, Individual, tuple[Contender, ...]]:
    """The learner that was picked, what it learned, and the table of the race."""
    if learner == "auto":
        learner = "pooled" if _exposed_guests(study.trial) < POOL_BELOW else "race"
    if learner == "race":
        return run_race(study, average)
    individual, _ = Individual.of(study, average, teach_alone(learner, study))
    return learner, individual, (contend(learner, individual),)


def _of_pooling(trial: Trial, learner: str, *, is_chosen: bool) -> Sentence:
    """Whether guests are told apart one by one or in groups, and why."""
    exposed = _exposed_guests(trial)
    if learner != "pooled":
        return Sentence("effects_individual", exposed=exposed, learner=learner)
    if is_chosen:
        return Sentence("effects_pooled_asked")
    if exposed < POOL_BELOW:
        return Sentence("effects_pooled_few", exposed=exposed, least=POOL_BELOW)
    return Sentence("effects_pooled_best", exposed=exposed)


def _exposed_guests(trial: Trial) -> int:
    return len(np.unique(trial.cluster[trial.arm > 0]))


def _has_own_effect(study: Study, offer: int) -> bool:
    overlap, trial = study.scores.has_overlap[:, offer], study.trial
    compared = [np.unique(trial.cluster[overlap & (trial.arm == arm)]) for arm in (0, offer + 1)]
    return min(map(len, compared)) >= FEWEST_GUESTS


def _refuse_without_any(trial: Trial, own: list[int], doubts: Sequence[Sentence]) -> None:
    if own:
        return
    counts = ", ".join(f"{offer} to {trial.guests(arm)}" for arm, offer in enumerate(("nothing", *trial.offers)))
    raise DesignError(
        f"too few comparable guests: given {counts}; at least one offer and nothing need {FEWEST_GUESTS} guests each "
        "who could have got either; randomise the next campaign" + "".join(f" ({doubt})" for doubt in doubts)
    )


def _averages(study: Study, own: list[int]) -> tuple[AverageEffect, ...]:
    known = {offer: average_effect(study.trial, study.nuisance, study.scores, offer) for offer in own}
    others = list(known.values())
    offers = range(len(study.trial.offers))
    return tuple(known.get(offer) or borrowed_effect(study.trial, offer, others) for offer in offers)
