"""The page on quality: food safety first, then score cards, changes with their causes, consistency, and what to mend."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from regulars.charts.quality import Praise, score_card
from regulars.errors import DesignError
from regulars.quality import Change, Effect, Quality, Watch, Worth
from regulars.quality.assessment import OF_REVIEWS
from regulars.quality.control_charts import MEASURES
from regulars.reports.page import render, svg
from regulars.tables import Lake
from regulars.wording import LANGUAGES, Language, Sentence, Voice

_MOST_CLUES, _MOST_CHANGES, _MOST_CARDS, _MOST_DISHES, _MOST_REPLIES = 50, 6, 4, 4, 20
_REPLY_DAYS = 90
_NOTHING = "–"


class Page(NamedTuple):
    """html: the page. watched: what each measure's charts found."""

    html: str
    watched: dict[str, Watch]


class Standing(NamedTuple):
    """A store on the page. cells: rating, ordered again, refunds and voids, place by rating, reviews."""

    store: str
    cells: tuple[str, ...]


class Picture(NamedTuple):
    """A chart with what it says."""

    drawn: str
    words: str


def write_quality_report(
    lake: Lake, *, language: Language = "en", coupon_price: float = 0.0, baseline_until: dt.date | None = None
) -> Path:
    """Write the page into the workspace; returns the file."""
    page = quality_page(Quality(lake), language=language, coupon_price=coupon_price, baseline_until=baseline_until)
    path = lake.workspace.reports / f"quality-{language}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.html, encoding="utf-8")
    return path


def quality_page(
    quality: Quality, *, language: Language = "en", coupon_price: float = 0.0, baseline_until: dt.date | None = None
) -> Page:
    """The page of a lake. Raises ValueError for a language that is not there."""
    if language not in LANGUAGES:
        raise ValueError(f"language is {' or '.join(LANGUAGES)}, not {language!r}")
    settings = quality.lake.settings
    maker = _Maker(quality, Voice(language=language, currency=settings.currency, zone=settings.zone, most_echo=500))
    watched = maker.watched(baseline_until)
    worth = quality.worth(coupon_price=coupon_price)
    return Page(render("quality.html", maker.values(watched, worth)), watched)


class _Maker:
    """What the page shows, said by one voice."""

    def __init__(self, quality: Quality, voice: Voice) -> None:
        self.quality, self.voice, self.names = quality, voice, quality.names

    def watched(self, baseline_until: dt.date | None) -> dict[str, Watch]:
        """The charts of every measure that was observed long enough."""
        found = {}
        for measure in MEASURES:
            if measure in OF_REVIEWS and not self.quality.has_reviews:
                continue
            try:
                found[measure] = self.quality.watch(measure, baseline_until=baseline_until)
            except DesignError:
                continue
        return found

    def values(self, watched: Mapping[str, Watch], worth: Worth) -> dict[str, Any]:
        """What the template is filled with."""
        quality, voice = self.quality, self.voice
        clues = quality.clues() if quality.has_reviews else ()
        changes = sorted((change for watch in watched.values() for change in watch.changes), key=lambda c: -_surety(c))
        card = quality.cards(("store",))
        return {
            "say": voice.say, "told": voice.told, "listed": voice.listed, "money": voice.money, "language": voice.language,
            "names": self.names, "about": self._about(), "verdict": voice.each(self._verdict(len(clues), changes)),
            "tiles": list(self._tiles(len(clues))), "clues": clues[:_MOST_CLUES], "standings": self._standings(card),
            "card_pictures": self._card_pictures(card) if quality.has_reviews else [],
            "changes": [self._change(change) for change in changes[:_MOST_CHANGES]],
            "changes_words": self._charted(watched, len(changes)), "consistencies": list(self._consistencies()),
            "worth_words": voice.each(self._worth(worth)), "worth_picture": worth.plot(voice, self.names),
            "unknown": voice.each(worth.unknown), "effects": [self._effect(effect) for effect in worth.effects],
            "doubts": quality.trust.counts if quality.has_reviews else {},
            "replies": quality.replies(days=_REPLY_DAYS, limit=_MOST_REPLIES) if quality.has_reviews else (),
        }  # fmt: skip

    def _about(self) -> list[str]:
        servings = self.quality.servings
        first, last = (dt.date.fromordinal(int(servings.day[place])) for place in (0, -1))
        reviews = len(self.quality.reviews) if self.quality.has_reviews else None
        said = self.voice.say(
            "quality_about", servings=len(servings), dishes=len(servings.item.names), stores=len(servings.store.names),
            first=first, last=last, reviews=reviews,
        )  # fmt: skip
        return [said] if reviews else [said, self.voice.say("quality_unread")]

    def _verdict(self, clues: int, changes: Sequence[Change]) -> Iterator[Sentence]:
        if clues:
            yield Sentence("quality_verdict_harm", clues=clues)
        if changes:
            worst = changes[0]
            yield Sentence("quality_verdict_change", unit=self.names.unit(worst.by), day=worst.changed_on)
        if not clues and not changes:
            yield Sentence("quality_verdict_calm")

    def _tiles(self, clues: int) -> Iterator[tuple[str, str, str]]:
        """Name, value and note."""
        servings, voice = self.quality.servings, self.voice
        known = servings.reordered[~np.isnan(servings.reordered)]
        again = voice.percent(float(known.mean()), 1) if len(known) else _NOTHING
        reviews = len(self.quality.reviews) if self.quality.has_reviews else 0
        yield voice.say("quality_tile_reorder"), again, f"n = {len(known):,}"
        yield voice.say("quality_tile_bad"), voice.percent(float(servings.is_bad.mean()), 2), f"n = {len(servings):,}"
        yield voice.say("quality_tile_reviews"), f"{reviews:,}", ""
        yield voice.say("quality_tile_clues"), f"{clues:,}", ""

    def _standings(self, card: pa.Table) -> list[Standing]:
        rows = {(r["store"], r["measure"]): r for r in card.to_pylist() if r["aspect"] is None}
        stores = sorted({store for store, _ in rows}, key=lambda s: rows.get((s, "rating"), {"rank": 0})["rank"])
        return [self._standing(store, rows) for store in stores]

    def _standing(self, store: str, rows: Mapping[tuple[str, str], dict[str, Any]]) -> Standing:
        rating, again, bad = (rows.get((store, measure)) for measure in ("rating", "reorder_rate", "refunds_and_voids"))
        place = _NOTHING if rating is None else self._place(rating)
        cells = (
            self._figure(rating, ".2f"), self._figure(again, ".1%"), self._figure(bad, ".2%"), place,
            f"{rating['n']:,.0f}" if rating else "0",
        )  # fmt: skip
        return Standing(self.names.store(store), cells)

    def _place(self, row: Mapping[str, Any]) -> str:
        rank, best, worst = (f"{row[name]:.0f}" for name in ("rank", "rank_best", "rank_worst"))
        return self.voice.say("quality_place", rank=rank, best=best, worst=worst, peers=row["peers"])

    def _figure(self, row: Mapping[str, Any] | None, form: str) -> str:
        """An estimate with what holds for nine in ten."""
        if row is None:
            return _NOTHING
        figure, low, high = (format(row[name], form) for name in ("estimate", "low", "high"))
        return self.voice.say("quality_figure", figure=figure, low=low, high=high)

    def _card_pictures(self, card: pa.Table) -> list[str]:
        rows = [row for row in card.to_pylist() if row["measure"] == "positive"]
        stores = list(dict.fromkeys(row["store"] for row in rows))[:_MOST_CARDS]
        return [svg(score_card(praises(rows, store), self.names.store(store), self.voice)) for store in stores]

    def _change(self, change: Change) -> Picture:
        return Picture(svg(change.plot(self.voice, self.names)), self.voice.say(change.sentence(self.names)))

    def _charted(self, watched: Mapping[str, Watch], changes: int) -> str:
        charts, few = (sum(getattr(watch, name) for watch in watched.values()) for name in ("charts", "too_few"))
        if not changes:
            return self.voice.say("quality_changes_none", charts=charts, few=few)
        return self.voice.say("quality_changes_some", charts=charts, few=few, changes=changes)

    def _consistencies(self) -> Iterator[Picture]:
        """The dishes served most, where they can be compared."""
        servings = self.quality.servings
        most = np.argsort(-np.bincount(servings.item.code, minlength=len(servings.item.names)))[:_MOST_DISHES]
        for place in most:
            try:
                found = self.quality.consistency(str(servings.item.names[place]))
            except DesignError:
                continue
            yield Picture(svg(found.plot(self.voice, self.names)), self.voice.say(found.sentence()))

    def _worth(self, worth: Worth) -> Iterator[Sentence]:
        yield Sentence("quality_worth_note", currency=self.voice.currency, price=worth.coupon_price)
        for best in worth.gains[:1]:
            yield Sentence(
                "quality_worth_first", dish=self.names.dish(best.item), store=self.names.store(best.store),
                experience=best.experience, worth_minor=best.worth_minor, low_minor=best.low_minor,
                high_minor=best.high_minor, breakeven_minor=best.breakeven_minor,
            )  # fmt: skip

    def _effect(self, effect: Effect) -> tuple[str, ...]:
        form = (lambda value: f"{value:+.1%}") if effect.outcome == "return" else self.voice.money
        return (
            self.voice.say(f"experience_{effect.experience}"), self.voice.say(f"outcome_{effect.outcome}"), form(effect.effect),
            f"{form(effect.low)} … {form(effect.high)}", f"{effect.exposed:,} / {effect.visits:,}",
            f"{effect.e_value:.2f} ({effect.e_value_low:.2f})",
        )  # fmt: skip


def praises(rows: Sequence[Mapping[str, Any]], store: str) -> list[Praise]:
    """The praise of one store's aspects, from the rows of its score card."""
    return [
        Praise(r["aspect"], r["n"], r["estimate"], r["low"], r["high"], r["group_mean"], bool(r["is_known"]))
        for r in rows
        if r["store"] == store and r["measure"] == "positive"
    ]


def _surety(change: Change) -> float:
    """What the likeliest cause gains: how far from chance the change is."""
    return change.causes[0].gain if change.causes else 0.0
