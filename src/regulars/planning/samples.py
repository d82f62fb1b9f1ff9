"""Samples: some guests of a plan, what each gets, and why."""

from typing import NamedTuple

import numpy as np

from regulars.guests.words import fact
from regulars.planning.plan import Plan
from regulars.wording import Sentence

LEAST_REASON_MINOR = 1.0
_CONFIDENT = 1.96


class Sample(NamedTuple):
    """One guest of a plan. who: what is known of them. offer: its title, None for nothing."""

    guest_id: str
    who: Sentence
    arm: str
    offer: str | None
    why: Sentence


def samples(plan: Plan, count: int = 10) -> tuple[Sample, ...]:
    """Guests from the whole range of a plan: from those who gain most to those who get nothing, and one of each other arm."""
    return tuple(_sample(plan, int(row)) for row in _rows(plan, count))


def _rows(plan: Plan, count: int) -> np.ndarray:
    decision, rows = plan.decision, np.arange(len(plan.audience))
    taken = plan.lessons.gain[rows, decision.action] * (decision.action >= 0)
    is_treated = decision.arm == "treated"
    given = _spread(rows[is_treated & (decision.action >= 0)], taken, count - 4)
    nothing = _spread(rows[is_treated & (decision.action < 0)], plan.lessons.gain.max(axis=1), 2)
    others = [rows[decision.arm == arm][:1] for arm in ("explore", "holdout")]
    return np.concatenate([given, nothing, *others])


def _spread(rows: np.ndarray, value: np.ndarray, count: int) -> np.ndarray:
    """`count` of the rows, evenly from the highest value to the lowest."""
    ordered: np.ndarray = rows[np.argsort(-value[rows], kind="stable")]
    place = np.unique(np.linspace(0, max(len(ordered) - 1, 0), min(count, len(ordered))).astype(int))
    return np.asarray(ordered[place])


def _sample(plan: Plan, row: int) -> Sample:
    decision = plan.decision
    action, arm = int(decision.action[row]), str(decision.arm[row])
    return Sample(
        guest_id=str(plan.audience.guest[row]),
        who=_who(plan, row),
        arm=arm,
        offer=None if action < 0 else plan.campaign.offers[action].title,
        why=_why(plan, row, action, arm),
    )


def _who(plan: Plan, row: int) -> Sentence:
    known = plan.audience.profiles.slice(row, 1).to_pylist()[0]
    return Sentence(
        "sample_who", stage=known["stage"], visits=known["visits"], days=known["recency_days"],
        order_minor=known["average_order_minor"], likes=known.get("favourite_category"),
    )  # fmt: skip


def _why(plan: Plan, row: int, action: int, arm: str) -> Sentence:
    if arm != "treated":
        return Sentence(f"sample_{arm}")
    if action < 0:
        best = int(np.argmax(plan.lessons.gain[row]))
        why = "sample_nothing_is_better" if plan.lessons.gain[row].max() <= 0 else "sample_more_elsewhere"
        return Sentence(why, offer=plan.campaign.offers[best].title, expected=_expected(plan, row, best))
    explanation = plan.decision.treatment.explain(row)
    return Sentence(
        "sample_gets", expected=_expected(plan, row, action), because=_because(plan, row, action) or None,
        second=_title(plan, explanation.runner_up), lost_minor=round(abs(explanation.lost_by)),
    )  # fmt: skip


def _title(plan: Plan, action: int | tuple[int, ...]) -> str | Sentence:
    offers = action if isinstance(action, tuple) else (action,)
    return " + ".join(plan.campaign.offers[offer].title for offer in offers if offer >= 0) or Sentence("nothing")


def _because(plan: Plan, row: int, offer: int) -> tuple[Sentence, ...]:
    """What lifts or lowers this guest's gain most against other guests, as the model sees it; nothing where all are alike."""
    model = plan.lessons.model
    if model is None:
        return ()
    known = plan.audience.features(model.columns.names, plan.campaign.starts_on).slice(row, 1)
    found = model.reasons(known, plan.campaign.offers[offer].learns_from, most=2)[0]
    return tuple(
        Sentence(
            "reason_adds" if reason.change > 0 else "reason_takes",
            fact=fact(reason.feature, known[reason.feature][0].as_py()), change_minor=round(abs(reason.change)),
        )
        for reason in found
        if abs(reason.change) >= LEAST_REASON_MINOR
    )  # fmt: skip


def _expected(plan: Plan, row: int, offer: int) -> Sentence:
    """What an offer changes, with its interval where one is known."""
    gain, error, cost = (float(v[row, offer]) for v in (plan.lessons.gain, plan.lessons.gain_se, plan.lessons.cost))
    ends = (round(gain - _CONFIDENT * error), round(gain + _CONFIDENT * error)) if np.isfinite(error) else (None, None)
    return Sentence(
        "expected_change", gain_minor=round(gain), low_minor=ends[0], high_minor=ends[1], cost_minor=round(cost)
    )
