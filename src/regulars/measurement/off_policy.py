"""Off-policy: what would another plan have brought to the same guests? Answered from what was logged.

Every guest's action was drawn with a known chance, their propensity. Guests who happened to get what the other plan would have
given speak for it, each as loudly as they were unlikely (Horvitz and Thompson 1952; Dudik, Langford and Li 2011).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from regulars.alignment import refuse_shuffled
from regulars.errors import DataError, DesignError
from regulars.measurement.contrasts import Interval, holds
from regulars.measurement.guests import LabelArray, as_amounts, as_labels
from regulars.measurement.moments import FloatArray, Label
from regulars.wording import Sentence, Voice

Method = Literal["ips", "snips", "dr"]
Plan = ArrayLike | Mapping[Label, ArrayLike]
"""What each guest would get, labels of shape (n,), or for each action the chance of each guest to get it, shape (n,)."""

_FEW, _HEAVY, _FAR = 50.0, 0.1, 3.3


class PolicyValue(NamedTuple):
    """What a plan would have brought, per guest.

    change, change_interval: against what was really done, whose mean is `logged`.
    effective_n: as many guests drawn by the plan itself would tell as much (Kish 1965).
    heaviest: the part of all weight that the loudest guest has.
    notes: where the logs hardly overlap with the plan.
    """

    estimate: float
    interval: Interval
    logged: float
    change: float
    change_interval: Interval
    n: int
    effective_n: float
    heaviest: float
    level: float
    method: Method
    notes: tuple[Sentence, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What it would have brought, whether that is better, and what must be known before believing it."""
        low, high = self.interval
        brought = Sentence(
            "policy_brought", estimate=self.estimate, level_share=1 - self.level, low=low, high=high, logged=self.logged
        )
        unsure = (Sentence("policy_no_better"),) if holds(self.change_interval, 0.0) else ()
        return (brought, *unsure, *self.notes)

    def words(self, voice: Voice | None = None) -> str:
        """The same in words; a voice with a currency reads the amounts as money."""
        return " ".join((voice or Voice()).each(self.sentences))


class PolicyDifference(NamedTuple):
    """What a plan would have brought more than another on the same log, per guest. values: of the one and of the other."""

    estimate: float
    interval: Interval
    values: tuple[PolicyValue, PolicyValue]
    level: float
    notes: tuple[Sentence, ...]

    @property
    def is_conclusive(self) -> bool:
        """Whether the interval excludes no difference."""
        return not holds(self.interval, 0.0)

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        low, high = self.interval
        facts = {"estimate": abs(self.estimate), "low": low, "high": high, "level_share": 1 - self.level}
        code = "policies_alike" if not self.is_conclusive else "policy_better" if self.estimate > 0 else "policy_worse"
        return (Sentence(code, **facts), *self.notes)

    def words(self, voice: Voice | None = None) -> str:
        """The same in words; a voice with a currency reads the amounts as money."""
        return " ".join((voice or Voice()).each(self.sentences))


def policy_value(
    outcome: ArrayLike,
    action: ArrayLike,
    propensity: ArrayLike | None,
    plan: Plan,
    *,
    predicted: Mapping[Label, ArrayLike] | None = None,
    method: Method | None = None,
    alpha: float = 0.05,
) -> PolicyValue:
    """Value a plan on logged exposures.

    outcome: of each guest, shape (n,). action: what they got, shape (n,). propensity: the chance they had of getting it, (0, 1].
    plan: what each guest would get, labels of shape (n,), or for each action the chance of each guest to get it, shape (n,).
    predicted: for each action the predicted outcome of each guest, from a model that has not seen that guest, shape (n,).
    method: "ips" is unbiased and noisy, "snips" divides by the weights that came out, "dr" corrects predictions by what was
    seen and is the default when there are any; else "snips".

    Raises DesignError if propensities were not logged, or if the plan gives what nobody got; DataError for a chance that is none.

    >>> policy_value([9, 1, 7, 3], ["soup", "none", "soup", "none"], [0.5] * 4, ["soup"] * 4).estimate
    8.0
    """
    amounts, actions, logged = _logged(outcome, action, propensity)
    weight, found, chosen = _contributions(amounts, actions, logged, plan, predicted, method)
    return _policy_value(found, amounts, weight, alpha, chosen)


def policy_difference(
    outcome: ArrayLike,
    action: ArrayLike,
    propensity: ArrayLike | None,
    plan: Plan,
    other: Plan,
    *,
    predicted: Mapping[Label, ArrayLike] | None = None,
    method: Method | None = None,
    alpha: float = 0.05,
) -> PolicyDifference:
    """What a plan would have brought more than another, on the same log; arguments and errors as `policy_value`.

    Guests whom both treat alike say the same of both, so the difference is known far better than either value.

    >>> log = [9, 1, 7, 3], ["soup", "none", "soup", "none"], [0.5] * 4
    >>> policy_difference(*log, ["soup"] * 4, ["none"] * 4).estimate
    6.0
    """
    amounts, actions, logged = _logged(outcome, action, propensity)
    weight, found, chosen = _contributions(amounts, actions, logged, plan, predicted, method)
    weight_other, found_other, _ = _contributions(amounts, actions, logged, other, predicted, method)
    values = [
        _policy_value(found, amounts, weight, alpha, chosen),
        _policy_value(found_other, amounts, weight_other, alpha, chosen),
    ]
    effective = min(value.effective_n for value in values)
    half = _half_width(found.influence - found_other.influence, effective, alpha)
    change = found.value - found_other.value
    return PolicyDifference(
        estimate=change, interval=(change - half, change + half), values=(values[0], values[1]), level=alpha,
        notes=tuple(dict.fromkeys(note for value in values for note in value.notes)),
    )  # fmt: skip


def _logged(
    outcome: ArrayLike, action: ArrayLike, propensity: ArrayLike | None
) -> tuple[FloatArray, LabelArray, FloatArray]:
    refuse_shuffled(outcome=outcome, action=action, propensity=propensity)
    amounts = as_amounts(outcome, "outcome")
    return amounts, as_labels(action, "action", len(amounts)), _propensities(propensity, len(amounts))


def _contributions(
    amounts: FloatArray, actions: LabelArray, propensity: FloatArray, plan: Plan,
    predicted: Mapping[Label, ArrayLike] | None, method: Method | None,
) -> tuple[FloatArray, _Contributions, Method]:  # fmt: skip
    """The weight of each guest for a plan, (n,), its value with their influence on it, and how it was made."""
    chances = _chances(plan, actions)
    weight = _chance_of_logged(chances, actions) / propensity
    if not weight.any():
        raise DesignError(
            "no guest got what the plan would give them, so the logs say nothing about it; explore it first"
        )
    chosen: Method = method or ("snips" if predicted is None else "dr")
    if chosen == "dr":
        if predicted is None:
            raise ValueError("method 'dr' needs the predicted outcomes of each action")
        return weight, _doubly_robust(amounts, actions, weight, chances, predicted), chosen
    if chosen == "ips":
        return weight, _Contributions.of(weight * amounts), chosen
    level = float(weight @ amounts / weight.sum())
    return weight, _Contributions(value=level, influence=weight * (amounts - level) / weight.mean()), chosen


def _half_width(influence: FloatArray, effective: float, alpha: float) -> float:
    n = len(influence)
    if n < 2:
        return math.inf
    quantile = -float(special.stdtrit(max(effective - 1, 1.0), alpha / 2))
    return quantile * math.sqrt(float(influence @ influence) / (n - 1) / n)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Contributions:
    """A value and each guest's influence on it, shape (n,), with mean 0."""

    value: float
    influence: FloatArray

    @classmethod
    def of(cls, terms: FloatArray) -> _Contributions:
        return cls(value=float(terms.mean()), influence=terms - terms.mean())


def _policy_value(
    found: _Contributions, amounts: FloatArray, weight: FloatArray, alpha: float, method: Method
) -> PolicyValue:
    n = len(amounts)
    effective = float(weight.sum() ** 2 / (weight @ weight))
    half = _half_width(found.influence, effective, alpha)
    half_change = _half_width(found.influence - (amounts - amounts.mean()), effective, alpha)
    logged = float(amounts.mean())
    change = found.value - logged
    heaviest = float(weight.max() / weight.sum())
    return PolicyValue(
        estimate=found.value,
        interval=(found.value - half, found.value + half),
        logged=logged,
        change=change,
        change_interval=(change - half_change, change + half_change),
        n=n,
        effective_n=effective,
        heaviest=heaviest,
        level=alpha,
        method=method,
        notes=_overlap_notes(weight, effective, heaviest),
    )


def _overlap_notes(weight: FloatArray, effective: float, heaviest: float) -> tuple[Sentence, ...]:
    n = len(weight)
    notes = []
    if effective < _FEW:
        notes.append(Sentence("little_overlap", guests=n, effective=effective))
    if heaviest > _HEAVY:
        notes.append(Sentence("one_guest_weighs", weight_share=heaviest))
    error = float(weight.std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf
    if abs(weight.mean() - 1) > _FAR * error:
        notes.append(Sentence("weights_astray", mean=float(weight.mean())))
    return tuple(notes)


def _doubly_robust(
    amounts: FloatArray,
    actions: LabelArray,
    weight: FloatArray,
    chances: Mapping[Label, FloatArray],
    predicted: Mapping[Label, ArrayLike],
) -> _Contributions:
    """Prediction under the plan plus the weighted surprise (Dudik, Langford and Li 2011, equation 5)."""
    guesses = {label: as_amounts(values, f"predicted[{label!r}]", len(amounts)) for label, values in predicted.items()}
    if missing := [label for label in {*chances, *np.unique(actions).tolist()} if label not in guesses]:
        raise ValueError(f"no prediction for action {missing[0]!r}")
    under_plan = sum((chance * guesses[label] for label, chance in chances.items()), np.zeros(len(amounts)))
    of_logged = np.zeros(len(amounts))
    for label, values in guesses.items():
        of_logged[actions == label] = values[actions == label]
    return _Contributions.of(under_plan + weight * (amounts - of_logged))


def _chances(plan: Plan, actions: LabelArray) -> dict[Label, FloatArray]:
    """The chance of each action under the plan, each of shape (n,)."""
    n = len(actions)
    if isinstance(plan, Mapping):
        chances = {label: as_amounts(values, f"plan[{label!r}]", n) for label, values in plan.items()}
        total = sum(chances.values(), np.zeros(n))
        if min(float(chance.min()) for chance in chances.values()) < 0 or not np.allclose(total, 1, atol=1e-6):
            raise DataError(
                f"the plan's chances of guest {int(np.argmax(np.abs(total - 1)))} are no chances that add up to 1"
            )
    else:
        labels = as_labels(plan, "plan", n)
        chances = {label: (labels == label).astype(np.float64) for label in np.unique(labels).tolist()}
    seen = set(np.unique(actions).tolist())
    if unseen := [label for label, chance in chances.items() if label not in seen and chance.any()]:
        raise DesignError(
            f"the plan gives {unseen[0]!r} to {chances[unseen[0]].mean():.1%} of the guests, but nobody ever got it: "
            "cannot know; explore it first, or plan without it"
        )
    return chances


def _chance_of_logged(chances: Mapping[Label, FloatArray], actions: LabelArray) -> FloatArray:
    chance = np.zeros(len(actions))
    for label, values in chances.items():
        got_it: NDArray[np.bool_] = actions == label
        chance[got_it] = values[got_it]
    return chance


def _propensities(propensity: ArrayLike | None, n: int) -> FloatArray:
    logged = None if propensity is None else np.asarray(propensity, dtype=np.float64)
    if logged is None or (logged.shape == (n,) and np.isnan(logged).any()):
        missing = n if logged is None else int(np.isnan(logged).sum())
        raise DesignError(
            f"{missing:,} of {n:,} exposures were logged without propensity, so no other plan can be valued on them; "
            "assign with measurement.assign and log its propensity"
        )
    if logged.shape != (n,):
        raise ValueError(f"propensity has shape {logged.shape}; expected one for each guest, ({n},)")
    if not ((logged > 0) & (logged <= 1)).all():
        row = int(np.argmin((logged > 0) & (logged <= 1)))
        raise DataError(f"propensity[{row}] is {logged[row]}; the chance of what happened lies above 0 and not above 1")
    return logged
