"""The report of a planned campaign: who the guests are, what is expected, what it costs, and how sure that is.

It shows what was kept with the plan, and fits and solves nothing.
"""

from typing import NamedTuple

from regulars import __version__, charts
from regulars.charts import guests as of_guests
from regulars.charts import plans as of_plans
from regulars.charts.theme import Chart, marked
from regulars.effects import AverageEffect
from regulars.planning.limits import LimitUse
from regulars.planning.plan_page import PlanPage
from regulars.planning.summary import PlanSummary
from regulars.reports.page import render
from regulars.results import Backtest
from regulars.wording import Language, Sentence, Voice

MOST_LIMITS = 12
_MOST_ECHO = 10_000


class Card(NamedTuple):
    """One figure with its name and what to know of it."""

    name: str
    value: str
    note: str


class Line(NamedTuple):
    """One limit: what may be used, what is expected to be, in per cent, and what the next units bring."""

    name: str
    may: str
    uses: str
    percent: float
    brings: str


def campaign_report(
    summary: PlanSummary,
    page: PlanPage,
    *,
    test: Backtest | None = None,
    about: Sentence | None = None,
    mark: str = "",
    language: Language = "en",
) -> str:
    """One HTML page. about: what the data are. mark: a word under the title of every picture, such as simulated."""
    voice = Voice(language=language, currency=summary.currency, most_echo=_MOST_ECHO)
    shown = scarcest(summary.limits)
    values = {
        "version": __version__, "summary": summary, "campaign": summary.campaign, "page": page, "test": test, "voice": voice,
        "about": voice.say(about) if about else "", "verdict": " ".join(voice.each(summary.verdict)), "cards": _cards(summary, voice),
        "who_words": " ".join(voice.each(_who(page))), "limits": [_line(use, voice) for use in shown],
        "limits_left": len([use for use in summary.limits if use.used > 0]) - len(shown),
        "next_unit": voice.say(summary.budget.next_units(summary.currency)), "averages": [(a, _meaning(a, voice)) for a in page.averages],
        "given_up": summary.best_gain - summary.expected.gain,
        **{name: marked(chart, mark) for name, chart in _pictures(summary, page, test, voice).items()},
    }  # fmt: skip
    return render("campaign.html", values)


def scarcest(limits: tuple[LimitUse, ...], most: int = MOST_LIMITS) -> list[LimitUse]:
    """The limits that matter most: the scarce ones first, then the most used."""
    used = [use for use in limits if use.used > 0]
    return sorted(used, key=lambda use: (-use.price, -use.used / max(use.amount, 1e-9)))[:most]


def _cards(summary: PlanSummary, voice: Voice) -> list[Card]:
    expected, held = summary.expected, summary.left_out["held_back"] or None
    note = voice.say("card_audience_note", given=summary.given, held_out=summary.arms["holdout"], held_back=held)
    cards = [
        Card(voice.say("card_audience"), voice.told(summary.audience), note),
        Card(
            voice.say("card_subsidy"), voice.money(expected.cost), voice.say("card_subsidy_note", budget_minor=summary.budget.amount)
        ),
    ]  # fmt: skip
    if summary.is_known:
        ends = {"low_minor": expected.gain_low, "high_minor": expected.gain_high}
        interval = voice.say("card_gain_note", **ends) if summary.has_interval else ""
        cards.append(Card(voice.say(f"card_gain_{summary.campaign.outcome}"), voice.money(expected.gain), interval))
    if summary.design is not None:
        note = voice.say("card_finds_note", held_out=summary.design.control)
        cards.append(Card(voice.say("card_finds"), voice.money(summary.design.effect), note))
    return cards


def _who(page: PlanPage) -> tuple[Sentence, ...]:
    regular, slipping = page.everybody.stage("regular"), page.everybody.stage("slipping")
    return (
        Sentence(
            "who_guests_are", guests=page.everybody.guests, regular_share=regular.share, gap_days=page.everybody.gap_days
        ),
        Sentence("who_is_slipping", guests=slipping.guests, spend_share=slipping.spend_share),
    )  # fmt: skip


def _line(use: LimitUse, voice: Voice) -> Line:
    may, does = (voice.money(value) if use.is_money else f"{value:,.0f}" for value in (use.amount, use.used))
    percent = min(100.0 * use.used / use.amount, 100.0) if use.amount else 0.0
    name = f"{voice.say(f'limit_{use.limit}')} {use.group}".rstrip()
    return Line(name, may, does, percent, voice.say(use.next_units(voice.currency or "USD")))


def _meaning(effect: AverageEffect, voice: Voice) -> str:
    """What an average effect says, and what the plain difference made of it."""
    if effect.is_borrowed:
        says = Sentence("average_borrowed")
    elif effect.is_clear:
        says = Sentence("average_clear", hidden=effect.robustness_of_interval)
    else:
        says = Sentence("average_not_shown")
    if effect.naive != effect.naive:
        return voice.say(says)
    which = "plain_overstates" if effect.naive >= effect.gain else "plain_understates"
    return " ".join(voice.each([says, Sentence(which, by_minor=abs(effect.naive - effect.gain))]))


def _pictures(
    summary: PlanSummary, page: PlanPage, test: Backtest | None, voice: Voice
) -> dict[str, charts.theme.Chart | None]:
    everybody = page.everybody
    gaps = [(band.above_days, band.until_days, band.guests) for band in everybody.gaps]
    tenths = [tenth.share for tenth in everybody.tenths]
    chosen = (summary.budget.amount, summary.best_gain)
    return {
        "life_cycle": everybody.plot(voice),
        "concentration": of_guests.concentration(tenths, voice) if tenths else None,
        "visit_gaps": of_guests.visit_gaps(gaps, voice),
        "effects": _effects(page, voice),
        "calibration": test.plot(voice) if test else None,
        "profit": of_plans.frontier(page.frontier, chosen, voice) if page.frontier else None,
        "who": of_plans.who_gets_what(page.who_gets_what, voice),
    }


def _effects(page: PlanPage, voice: Voice) -> Chart | None:
    changes = [
        of_plans.Change(a.offer, is_adjusted, value, *interval)
        for a in page.averages
        for is_adjusted, value, interval in ((False, a.naive, a.naive_interval), (True, a.gain, a.interval))
    ]
    return of_plans.average_effects(changes, voice) if changes else None
