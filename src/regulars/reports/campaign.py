"""The report of a planned campaign: who the guests are, what is expected, what it costs, and how sure that is."""

from typing import Any

import numpy as np
import pyarrow as pa

from regulars import __version__
from regulars.charts.theme import Chart, marked
from regulars.errors import DataError
from regulars.money import exponent_of
from regulars.planning import Plan
from regulars.planning.limits import LimitUse
from regulars.profiles import STAGES, concentration, stage_counts, visit_gaps
from regulars.reports import charts
from regulars.reports.page import render
from regulars.reports.samples import samples
from regulars.results import Backtest
from regulars.wording import Voice

MOST_LIMITS = 12


def campaign_report(
    plan: Plan, crowd: pa.Table, *, test: Backtest | None = None, about: str = "", mark: str = ""
) -> str:
    """One HTML page. crowd: the profiles of all guests on the eve of the campaign. about: what the data are, in words.

    mark: a word under the title of every picture, such as simulated.
    """
    voice = Voice(currency=plan.currency)
    money = voice.money
    values = {
        "version": __version__, "plan": plan, "campaign": plan.campaign, "about": about, "money": money,
        "voice": voice,
        "verdict": _verdict(plan, money), "cards": _cards(plan, money), "crowd_words": _crowd_words(crowd),
        "samples": samples(plan), "next_unit": next(use.price for use in plan.decision.limits if use.limit == "budget"),
        "price_of_knowing": plan.decision.allocation.gain - plan.decision.certificate.gain,
        "limits": _limits(plan), "test": test,
        **{name: marked(chart, mark) for name, chart in _pictures(plan, crowd, test).items()},
    }  # fmt: skip
    return render("campaign.html", values)


def _cards(plan: Plan, money: Any) -> list[dict[str, str]]:
    expected, arms, decision = plan.decision.certificate, plan.decision.arm_counts, plan.decision
    given = int((decision.action >= 0).sum())
    held_back = plan.audience.held_back
    more = f"; {held_back:,} more are in the global holdout" if held_back else ""
    cards = [
        {
            "name": "audience",
            "value": f"{len(plan.audience):,}",
            "note": f"{given:,} get an offer, {arms['holdout']:,} are held out{more}",
        },
        {"name": "subsidy", "value": money(expected.cost), "note": f"expected, of {money(plan.budget)}"},
    ]
    if plan.lessons.model is not None:
        interval = f"between {money(expected.gain_low)} and {money(expected.gain_high)}"
        cards.append(
            {"name": f"expected gain in {plan.campaign.outcome}", "value": money(expected.gain), "note": interval}
        )
        gap = f"no plan under these limits beats it by more than {expected.gap:.2%}"
        cards.append({"name": "of the best possible", "value": f"{1 - expected.gap:.2%}", "note": gap})
    if plan.design is not None:
        note = f"the smallest change per guest that {plan.design.control:,} held-out guests can prove"
        cards.append({"name": "can find out", "value": money(plan.design.effect), "note": note})
    return cards


def _verdict(plan: Plan, money: Any) -> str:
    """What to make of it, in one sentence or two."""
    expected, design = plan.decision.certificate, plan.design
    proof = ""
    if design is not None:
        proof = f" Four times in five its {design.control:,} held-out guests will show a change of {money(design.effect)} a guest."
    if plan.lessons.model is None:
        return f"Run this to learn: it costs at most {money(expected.cost)}.{proof}"
    if expected.gain_low > 0:
        return f"Run it: even at the low end it brings {money(expected.gain_low)} for {money(expected.cost)}.{proof}"
    if expected.gain_high < 0:
        return "Do not run it: even at the high end it loses money."
    return (
        f"The past cannot tell whether this pays: {money(expected.gain)} is the best guess, both a gain and a loss are possible. "
        f"Run it as an experiment, for an expected {money(expected.cost)}.{proof}"
    )


def _crowd_words(crowd: pa.Table) -> str:
    counts = {count.stage: count for count in stage_counts(crowd)}
    gaps = crowd["gap_days"].drop_null().to_numpy()
    rhythm = f"; half of those who came back come at least every {np.median(gaps):g} days" if len(gaps) else ""
    slipping = counts["slipping"]
    return (
        f"{len(crowd):,} guests are known, {counts['regular'].share:.0%} of them regulars{rhythm}. "
        f"{slipping.guests:,} are slipping away: by their own rhythm they should have been back. "
        f"They spent {slipping.spend_share:.0%} of all the money so far."
    )


def _limits(plan: Plan) -> list[LimitUse]:
    """The limits that matter most: the scarce ones first, then the most used."""
    used = [use for use in plan.decision.limits if use.used > 0]
    return sorted(used, key=lambda use: (-use.price, -use.used / max(use.amount, 1e-9)))[:MOST_LIMITS]


def _pictures(plan: Plan, crowd: pa.Table, test: Backtest | None) -> dict[str, Any]:
    exponent, decision = exponent_of(plan.currency), plan.decision
    model = plan.lessons.model
    stages = [stage for stage in STAGES if (plan.audience.stage == stage).any()]
    titles = [offer.title for offer in plan.campaign.offers]
    gain = decision.allocation.gain
    return {
        "life_cycle": charts.life_cycle(stage_counts(crowd)),
        "concentration": _concentration(crowd),
        "visit_gaps": charts.visit_gaps(visit_gaps(crowd)),
        "effects": charts.average_effects(model.averages, exponent, plan.currency) if model else None,
        "calibration": charts.calibration(test) if test else None,
        "profit": charts.profit_curve(plan.frontier(), plan.budget, gain, exponent, plan.currency) if model else None,
        "who": charts.who_gets_what(plan.audience.stage, decision.action, titles, stages),
    }


def _concentration(crowd: pa.Table) -> Chart | None:
    try:
        return charts.concentration(concentration(crowd))
    except DataError:
        return None
