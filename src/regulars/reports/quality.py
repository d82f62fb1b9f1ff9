"""The page on quality: food safety first, then score cards, changes with their causes, consistency, and what to mend."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from regulars.errors import DesignError
from regulars.money import exponent_of
from regulars.money import say as in_words
from regulars.quality import CLASSES, Change, Quality, Watch, Worth
from regulars.quality.control import MEASURES
from regulars.quality.judging import OF_REVIEWS
from regulars.reports import quality_charts as charts
from regulars.reports.page import render, svg
from regulars.reports.quality_words import called, words
from regulars.tables import Lake

_MOST_CLUES, _MOST_CHANGES, _MOST_CARDS, _MOST_DISHES, _MOST_REPLIES = 50, 6, 4, 4, 20


class Page(NamedTuple):
    """html: the page. watched: what each measure's charts found."""

    html: str
    watched: dict[str, Watch]


def write_quality_report(
    lake: Lake, *, language: str = "en", coupon_price: float = 0.0, baseline_until: dt.date | None = None
) -> Path:
    """Write the page into the workspace; returns the file. language: en or zh."""
    page = quality_page(Quality(lake), language=language, coupon_price=coupon_price, baseline_until=baseline_until)
    path = lake.workspace.reports / f"quality-{language}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.html, encoding="utf-8")
    return path


def quality_page(
    quality: Quality, *, language: str = "en", coupon_price: float = 0.0, baseline_until: dt.date | None = None
) -> Page:
    """The page of a lake. Raises ValueError for a language that is neither en nor zh."""
    maker = _Maker(quality, language)
    watched = maker.watched(baseline_until)
    worth = quality.worth(coupon_price=coupon_price)
    return Page(render("quality.html", maker.values(watched, worth)), watched)


class _Maker:
    """What the page shows, in one language."""

    def __init__(self, quality: Quality, language: str) -> None:
        self.quality, self.language, self.words = quality, language, words(language)
        self.currency = quality.lake.settings.currency

    def money(self, amount: float) -> str:
        return in_words(amount, self.currency)

    def name(self, by: dict[str, str]) -> str:
        """A unit as people call it."""
        called = {
            "item": self.quality.dishes,
            "shift": {by.get("shift", ""): self._called("levels", by.get("shift", ""))},
        }
        return " · ".join(called.get(key, {}).get(value, value) for key, value in by.items())

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

    def values(self, watched: dict[str, Watch], worth: Worth) -> dict[str, Any]:
        quality = self.quality
        clues = quality.clues() if quality.has_reviews else ()
        changes = sorted((change for watch in watched.values() for change in watch.changes), key=lambda c: -_surety(c))
        chinese = self.language == "zh"
        return {
            "w": self.words, "language": self.language, "money": self.money, "about": self._about(),
            "verdict": self._verdict(len(clues), changes), "cards": self._cards(len(clues)),
            "clues": clues[:_MOST_CLUES], "kinds": {c.name: c.chinese if chinese else c.english for c in CLASSES},
            **self._score_cards(), **self._changes(watched, changes), "consistencies": self._consistencies(),
            **self._worth(worth), "doubts": self._doubts(),
            "replies": quality.replies(days=90, limit=_MOST_REPLIES) if quality.has_reviews else (),
        }  # fmt: skip

    def _about(self) -> str:
        servings = self.quality.servings
        first, last = (dt.date.fromordinal(int(servings.day[place])) for place in (0, -1))
        reviews = len(self.quality.reviews) if self.quality.has_reviews else 0
        said = self.words["about"].format(
            servings=len(servings), dishes=len(servings.item.names), stores=len(servings.store.names),
            first=first, last=last, reviews=reviews,
        )  # fmt: skip
        return str(said) if reviews else f"{said} {self.words['unread']}"

    def _verdict(self, clues: int, changes: list[Change]) -> str:
        harm = self.words["verdict_harm"].format(n=clues) if clues else ""
        worse = (
            self.words["verdict_change"].format(name=self.name(changes[0].by), day=changes[0].changed_on)
            if changes
            else ""
        )
        return harm + worse or str(self.words["verdict_calm"])

    def _cards(self, clues: int) -> list[dict[str, str]]:
        servings = self.quality.servings
        known = servings.reordered[~np.isnan(servings.reordered)]
        reviews = len(self.quality.reviews) if self.quality.has_reviews else 0
        shown = (
            (f"{known.mean():.1%}" if len(known) else "–", f"n = {len(known):,}"),
            (f"{servings.is_bad.mean():.2%}", f"n = {len(servings):,}"),
            (f"{reviews:,}", ""),
            (f"{clues:,}", ""),
        )
        return [
            {"name": n, "value": v, "note": note} for n, (v, note) in zip(self.words["card_names"], shown, strict=True)
        ]

    def _score_cards(self) -> dict[str, Any]:
        card = self.quality.cards(("store",))
        rows = {(r["store"], r["measure"]): r for r in card.to_pylist() if r["aspect"] is None}
        stores = sorted({store for store, _ in rows}, key=lambda s: rows.get((s, "rating"), {"rank": 0})["rank"])
        standings = [{"store": store, "cells": self._standing(store, rows)} for store in stores]
        pictures = [svg(charts.score_card(card, store, language=self.language)) for store in stores[:_MOST_CARDS]]
        return {"standings": standings, "card_pictures": pictures if self.quality.has_reviews else []}

    def _standing(self, store: str, rows: dict[tuple[str, str], dict[str, Any]]) -> list[str]:
        rating, again, bad = (rows.get((store, measure)) for measure in ("rating", "reorder_rate", "refunds_and_voids"))
        place = (
            f"{rating['rank']:.0f} ({rating['rank_best']:.0f}–{rating['rank_worst']:.0f} / {rating['peers']})"
            if rating
            else "–"
        )
        return [
            _with_interval(rating, "{:.2f}"), _with_interval(again, "{:.1%}"), _with_interval(bad, "{:.2%}"),
            place, f"{rating['n']:,.0f}" if rating else "0",
        ]  # fmt: skip

    def _changes(self, watched: dict[str, Watch], changes: list[Change]) -> dict[str, Any]:
        charted, few = (sum(getattr(w, name) for w in watched.values()) for name in ("charts", "too_few"))
        form = self.words["changes_some" if changes else "changes_none"]
        told = [
            {
                "picture": svg(
                    charts.control_chart(
                        self.quality.stream(c.measure), c, name=self.name(c.by), language=self.language
                    )
                ),
                "words": self.change_words(c),
            }
            for c in changes[:_MOST_CHANGES]
        ]
        return {"changes": told, "changes_words": form.format(charts=charted, changes=len(changes), few=few)}

    def change_words(self, change: Change) -> str:
        """A change and its likeliest causes, in a sentence or two."""
        measure = MEASURES[change.measure]
        causes = [
            self.words["cause"].format(
                level=self._called("levels", cause.level),
                factor=self._called("factors", cause.factor),
                share=cause.share,
            )
            for cause in change.causes[:2]
        ]
        return str(self.words["changed"].format(
            name=self.name(change.by), measure=measure.called(self.language),
            before=measure.written(change.before), after=measure.written(change.after), low=measure.written(change.low),
            high=measure.written(change.high),
            day=change.changed_on, early=change.changed_from, late=change.changed_until, alarmed=change.alarmed_on,
            causes=self.words["causes"].format(causes=", ".join(causes)),
        ))  # fmt: skip

    def _consistencies(self) -> list[dict[str, Any]]:
        """The dishes served most, where they can be compared."""
        servings = self.quality.servings
        most = np.argsort(-np.bincount(servings.item.code, minlength=len(servings.item.names)))[:_MOST_DISHES]
        found = []
        for place in most:
            item = str(servings.item.names[place])
            try:
                one = self.quality.consistency(item)
            except DesignError:
                continue
            parts = ", ".join(f"{self._called('factors', c.factor)} {c.share:.1%}" for c in one.components)
            picture = charts.consistency_chart(one, name=self.quality.dishes.get(item), language=self.language)
            found.append({"picture": svg(picture), "words": self.words["consistent"].format(parts=parts)})
        return found

    def _worth(self, worth: Worth) -> dict[str, Any]:
        said = self.words["worth_words"].format(unit=self.currency, price=worth.coupon_price)
        picture, exponent = None, exponent_of(self.currency)
        good = [mend for mend in worth.mends if mend.worth_minor > 0]
        if good:
            best = good[0]
            said += self.words["worth_first"].format(
                what=f"{self.quality.dishes.get(best.item, best.item)}, {self._called('experiences', best.experience)}", store=best.store,
                worth=self.money(best.worth_minor), low=self.money(best.low_minor), high=self.money(best.high_minor),
                breakeven=self.money(best.breakeven_minor),
            )  # fmt: skip
            shown = [mend._replace(experience=self._called("experiences", mend.experience)) for mend in good]
            picture = charts.fix_or_coupon(
                shown, exponent, self.currency, names=self.quality.dishes, language=self.language
            )
        return {
            "worth_words": said, "worth_picture": picture, "unknown": worth.unknown,
            "effects": [self._effect(effect) for effect in worth.effects],
        }  # fmt: skip

    def _called(self, kind: str, name: str) -> str:
        return called(kind, name, self.language)

    def _effect(self, effect: Any) -> list[str]:
        form = (lambda value: f"{value:+.1%}") if effect.outcome == "return" else self.money
        return [
            self._called("experiences", effect.experience), self._called("experiences", effect.outcome),
            form(effect.effect), f"{form(effect.low)} … {form(effect.high)}",
            f"{effect.exposed:,} / {effect.visits:,}", f"{effect.e_value:.2f} ({effect.e_value_low:.2f})",
        ]  # fmt: skip

    def _doubts(self) -> list[tuple[str, str]]:
        if not self.quality.has_reviews:
            return []
        counts = Counter(
            reason for said in self.quality.trust.reasons.to_pylist() if said for reason in said.split("; ")
        )
        return [(self._called("reasons", reason), f"{n:,}") for reason, n in counts.most_common()]


def _surety(change: Change) -> float:
    """What the likeliest cause gains: how far from chance the change is."""
    return change.causes[0].gain if change.causes else 0.0


def _with_interval(row: dict[str, Any] | None, form: str) -> str:
    if row is None:
        return "–"
    return f"{form.format(row['estimate'])} ({form.format(row['low'])}–{form.format(row['high'])})"
