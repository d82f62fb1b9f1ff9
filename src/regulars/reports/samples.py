"""Samples: some guests of a plan, what each gets, and why, in words."""

from typing import NamedTuple

import numpy as np

from regulars.money import say as in_words
from regulars.planning import Plan

LEAST_REASON_MINOR = 1.0


class Sample(NamedTuple):
    """One guest of a plan. who: what is known of them. gets: the offer or nothing. why: in a sentence."""

    guest_id: str
    who: str
    arm: str
    gets: str
    why: str


def samples(plan: Plan, count: int = 10) -> list[Sample]:
    """Guests from the whole range of a plan: from those who gain most to those who get nothing, and one of each other arm."""
    return [_sample(plan, int(row)) for row in _rows(plan, count)]


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
        gets="nothing" if action < 0 else plan.campaign.offers[action].title,
        why=_why(plan, row, action, arm),
    )


def _who(plan: Plan, row: int) -> str:
    facts = plan.audience.profiles.slice(row, 1).to_pylist()[0]
    likes = f", mostly {facts['favourite_category'].lower()}" if facts.get("favourite_category") else ""
    spend = in_words(facts["average_order_minor"], plan.currency)
    return f"{facts['stage']}: {facts['visits']} visits, last {facts['recency_days']} days ago, {spend} an order{likes}"


def _why(plan: Plan, row: int, action: int, arm: str) -> str:
    if arm == "holdout":
        return "kept without contact, by lot, so that the effect can be known"
    if arm == "explore":
        return "drawn by lot among all offers and nothing, so that the next plan knows more"
    best = int(np.argmax(plan.lessons.gain[row]))
    if action < 0:
        title = plan.campaign.offers[best].title
        return f"the best offer, {title}, would change {_expected(plan, row, best)}: {_too_little(plan, row)}"
    explanation = plan.decision.treatment.explain(row)
    second = _title(plan, explanation.runner_up)
    lost = in_words(abs(explanation.lost_by), plan.currency)
    because = _because(plan, row, action)
    expected = _expected(plan, row, action)
    return (
        f"expected to change {expected}{because}; next best is {second}, worth {lost} less at the price of the limits"
    )


def _title(plan: Plan, action: int | tuple[int, ...]) -> str:
    offers = action if isinstance(action, tuple) else (action,)
    return " and ".join(plan.campaign.offers[offer].title for offer in offers if offer >= 0) or "nothing"


def _because(plan: Plan, row: int, offer: int) -> str:
    """What lifts or lowers this guest's gain most against other guests, as the model sees it; nothing where all are alike."""
    model = plan.lessons.model
    if model is None:
        return ""
    known = plan.audience.features(model.columns.names, plan.campaign.starts_on).slice(row, 1)
    found = model.reasons(known, plan.campaign.offers[offer].learns_from, most=2)[0]
    words = [
        f"{_fact(reason.feature, known[reason.feature][0].as_py(), plan.currency)} "
        f"{'adds' if reason.change > 0 else 'takes'} {in_words(abs(reason.change), plan.currency)}"
        for reason in found
        if abs(reason.change) >= LEAST_REASON_MINOR
    ]
    return f" ({', '.join(words)})" if words else ""


def _fact(name: str, value: float | None, currency: str) -> str:
    """A profile column and its value as people say them."""
    plain = name.removesuffix("_minor").replace("_", " ")
    if value is None:
        return f"{plain} unknown"
    if name.endswith("_minor"):
        return f"{plain} {in_words(value, currency)}"
    return f"{plain} {value:.0%}" if name.endswith("_share") else f"{plain} {value:,.4g}"


def _expected(plan: Plan, row: int, offer: int) -> str:
    gain, se, cost = (float(v[row, offer]) for v in (plan.lessons.gain, plan.lessons.gain_se, plan.lessons.cost))
    low, high = in_words(gain - 1.96 * se, plan.currency), in_words(gain + 1.96 * se, plan.currency)
    return f"{in_words(gain, plan.currency)} ({low} to {high}) for {in_words(cost, plan.currency)}"


def _too_little(plan: Plan, row: int) -> str:
    if plan.lessons.gain[row].max() <= 0:
        return "nothing is better"
    return "the budget brings more elsewhere"
