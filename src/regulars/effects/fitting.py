"""Fitting: from past exposures to a model that says what it rests on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from regulars.effects.averages import AverageEffect, average_effect, borrowed_effect
from regulars.effects.balance import lottery_doubts, measure_balance
from regulars.effects.boosting import Bins
from regulars.effects.costs import CostModel
from regulars.effects.individual import Individual
from regulars.effects.learners import LEARNERS, Study
from regulars.effects.model import Basis, EffectModel
from regulars.effects.nuisance import estimate_nuisance
from regulars.effects.pooling import Pooled
from regulars.effects.scores import Scores, score
from regulars.effects.trial import Trial, read_trial
from regulars.effects.words import design_warnings
from regulars.errors import DesignError

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
    learner: str = "auto",
    seed: int = 0,
) -> EffectModel:
    """Learn from past exposures what each offer changes in each guest against nothing, and what it costs.

    features: a frame (pandas, Polars, Arrow, any that narwhals reads), dict of columns or array (n, p): numbers, booleans
        or categories, with gaps, as they were known before the exposure.
    action: (n,) number of the offer given, counted from 0; -1 for nothing.
    outcome: (n,) what the guest brought afterwards. As margin in minor units it is taken after the discount was paid,
        so that the gain is net.
    cost: (n,) subsidy really deducted, 0 where nothing was redeemed.
    propensity: probability of the action taken, (n,), or of every action, (n, k + 1) with nothing first. With it the
        basis is "randomised" if it agrees with the data; without it propensities are estimated and it is "adjusted".
    offers: k names; an offer that was never given may be among them.
    cluster: (n,) the guest of each row, where guests repeat.
    learner: "pooled", "s", "t", "x", "dr", or "auto": pooled below 10,000 exposed guests, otherwise dr.

    Raises DataError for values that cannot be used, DesignError where there is nothing to compare with.

    >>> import numpy as np
    >>> draw = np.random.default_rng(0)
    >>> visits, action = draw.poisson(3, 2000), draw.integers(-1, 1, 2000)
    >>> margin = 100 * visits + 40 * (action == 0) + draw.normal(0, 50, 2000)
    >>> model = fit({"visits": visits}, action, margin, propensity=np.full(2000, 0.5), offers=["tea"])
    >>> model.basis, round(model.averages[0].gain / 10)
    ('randomised', 4)
    """
    if learner not in ("auto", "pooled", *LEARNERS):
        raise ValueError(f"learner {learner!r} is none of auto, pooled, {', '.join(LEARNERS)}")
    trial = read_trial(features, action, outcome, cost=cost, propensity=propensity, offers=offers, cluster=cluster)
    _refuse_flat(trial)
    trial, basis, doubts = _settle_basis(trial)
    nuisance = estimate_nuisance(trial, seed=seed)
    scores = score(trial, nuisance)
    own = [offer for offer in range(len(trial.offers)) if _has_own_effect(trial, scores, offer)]
    _refuse_without_any(trial, own)
    known = {offer: average_effect(trial, nuisance, scores, offer) for offer in own}
    averages = _with_borrowed(trial, known)
    balance = {offer: measure_balance(trial, scores, offer) for offer in own}
    learner, pooling = _choose_learner(trial, learner)
    study = Study(
        trial=trial,
        nuisance=nuisance,
        scores=scores,
        bins=Bins.of(trial.matrix, trial.columns.categorical, seed=seed),
        seed=seed,
    )
    gains = np.array([effect.gain for effect in averages])
    predictor = Pooled.fit(study, gains) if learner == "pooled" else Individual.fit(learner, study, gains)
    warnings = [
        warning
        for offer, effect in enumerate(averages)
        for warning in design_warnings(effect, balance.get(offer), basis)
    ]
    return EffectModel(
        offers=trial.offers,
        basis=basis,
        learner=learner,
        pooling=pooling,
        averages=averages,
        balance=tuple(balance.values()),
        heterogeneity=predictor.heterogeneity,
        warnings=(*doubts, *warnings),
        columns=trial.columns,
        predictor=predictor,
        costs=None if trial.cost is None else CostModel.fit(trial, nuisance.fold, seed=seed),
    )


def _refuse_flat(trial: Trial) -> None:
    if np.ptp(trial.outcome) == 0:
        raise DesignError(
            f"outcome is {trial.outcome[0]:g} in every row, so no effect can be seen; choose one that varies"
        )


def _settle_basis(trial: Trial) -> tuple[Trial, Basis, list[str]]:
    """Believe logged propensities only if they agree with the rows; otherwise drop them, and say why."""
    if trial.propensity is None:
        return trial, "adjusted", []
    doubts = lottery_doubts(trial)
    if not doubts:
        return trial, "randomised", []
    reason = (
        "the logged propensities do not agree with the rows, so they were estimated and the basis is not randomised: "
    )
    return replace(trial, propensity=None), "adjusted", [reason + "; ".join(doubts)]


def _has_own_effect(trial: Trial, scores: Scores, offer: int) -> bool:
    overlap = scores.has_overlap[:, offer]
    compared = [np.unique(trial.cluster[overlap & (trial.arm == arm)]) for arm in (0, offer + 1)]
    return min(map(len, compared)) >= FEWEST_GUESTS


def _refuse_without_any(trial: Trial, own: list[int]) -> None:
    if own:
        return
    counts = ", ".join(f"{offer} to {trial.guests(arm)}" for arm, offer in enumerate(("nothing", *trial.offers)))
    raise DesignError(
        f"too few comparable guests: given {counts}; at least one offer and nothing need {FEWEST_GUESTS} guests each "
        "who could have got either; randomise the next campaign"
    )


def _with_borrowed(trial: Trial, known: dict[int, AverageEffect]) -> tuple[AverageEffect, ...]:
    others = list(known.values())
    return tuple(known.get(offer) or borrowed_effect(trial, offer, others) for offer in range(len(trial.offers)))


def _choose_learner(trial: Trial, learner: str) -> tuple[str, str]:
    """The learner to use, and the reason in words."""
    exposed = len(np.unique(trial.cluster[trial.arm > 0]))
    pooled = "effects are of groups of guests, each drawn towards the average as far as the data ask"
    if learner == "pooled":
        return learner, f"Pooled, as asked: {pooled}."
    if learner == "auto" and exposed < POOL_BELOW:
        return "pooled", f"{exposed:,} exposed guests are fewer than {POOL_BELOW:,}: {pooled}."
    kind = "dr" if learner == "auto" else learner
    return kind, f"{exposed:,} exposed guests: effects are individual ({kind} learner), calibrated on guests held out."
