"""Replies: whom to answer first, and with what facts.

What is at stake in an answer is what the guest brings in a year, times the chance that they come again at all, times how badly
it went. Hints at harm come before everything, whatever the guest brings and however little the review is believed.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.quality.aspects import NAMES
from regulars.quality.mentions import unpacked
from regulars.quality.safety import CLASSES
from regulars.tabular import Rows
from regulars.wording import Sentence

_NEUTRAL_STARS = 3.0
_FADES_DAYS = 14.0
_LEAST_SEVERITY = 0.25
_NO_HARM = len(CLASSES)


class Facts(NamedTuple):
    """What to answer with. wrong, right: the aspects that were judged so, with their words. harm: the words that hint at it."""

    store_id: str
    reviewed_at: dt.datetime
    order_id: str | None
    dishes: tuple[str, ...]
    wrong: tuple[Sentence, ...]
    right: tuple[Sentence, ...]
    harm: tuple[str, ...]


class Reply(NamedTuple):
    """One review to answer. at_stake_minor: the score, minor units a year. severity: 0 to 1. chance: to come again."""

    review_id: str
    guest_id: str | None
    safety: str | None
    severity: float
    value_minor: float
    chance: float
    at_stake_minor: float
    days_ago: int
    rating: float | None
    text: str
    facts: Facts


class Replies(Rows[Reply]):
    """The most urgent first."""

    schema: ClassVar = {
        "review_id": pa.string(), "guest_id": pa.string(), "safety": pa.string(), "at_stake_minor": pa.float64(),
        "chance": pa.float64(), "days_ago": pa.int64(), "rating": pa.float64(), "text": pa.string(),
    }  # fmt: skip


class _Scores(NamedTuple):
    """Of r reviews, each (r,). harm: the worst class, the number of classes for none. ago: days. stake: minor units a year."""

    harm: np.ndarray
    severity: np.ndarray
    value: np.ndarray
    chance: np.ndarray
    stake: np.ndarray
    ago: np.ndarray


def reply_queue(
    reviews: pa.Table, clauses: pa.Table, profiles: pa.Table | None, *, as_of: dt.date, dishes: Mapping[str, str] | None = None,
    weight: np.ndarray | None = None, days: int = 30, limit: int = 50,
) -> Replies:  # fmt: skip
    """The reviews of the last `days` that most need an answer.

    reviews, clauses: as `mentions` keeps them. profiles: the kept profiles; a guest without one counts as the median guest.
    dishes: item_id -> name. weight: (r,) by `trust`; what is not believed waits, unless it hints at harm.
    """
    of = pc.index_in(clauses["review_id"], value_set=reviews["review_id"].combine_chunks())
    known = pc.is_valid(of)
    review, clauses = of.filter(known).to_numpy().astype(np.int64), clauses.filter(known)
    scores = _scores(reviews, clauses, review, profiles, weight, as_of)
    asks = (scores.severity > _LEAST_SEVERITY) & (scores.ago >= 0) & (scores.ago <= days)
    order = np.lexsort((-scores.stake, scores.harm))
    chosen = order[asks[order]][:limit]
    return Replies(
        _reply(reviews, clauses.take(pa.array(np.flatnonzero(review == row))), int(row), scores, dishes or {})
        for row in chosen
    )


def _scores(
    reviews: pa.Table, clauses: pa.Table, review: np.ndarray, profiles: pa.Table | None, weight: np.ndarray | None,
    as_of: dt.date,
) -> _Scores:  # fmt: skip
    """review: (c,) of which each clause is."""
    day = reviews["reviewed_at"].cast(pa.timestamp("us", "UTC")).cast(pa.date32()).cast(pa.int32()).to_numpy() + 719_163
    told = clauses["is_told"].to_numpy() & (clauses["aspects"].to_numpy() > 0)
    good, bad = (
        np.bincount(review[told & (clauses["polarity"].to_numpy() == sign)], minlength=len(reviews)) for sign in (1, -1)
    )
    harm, ago = _harm(review, clauses, len(reviews)), as_of.toordinal() - day
    stars = pc.fill_null(reviews["rating"].cast(pa.float64()), _NEUTRAL_STARS).to_numpy()
    severity = np.clip(0.5 * (5 - stars) / 4 + 0.5 * bad / np.maximum(good + bad, 1), 0, 1)
    severity = np.where(harm < _NO_HARM, 1.0, severity * (1.0 if weight is None else weight))
    value, chance = _guests(reviews["guest_id"], profiles)
    return _Scores(
        harm, severity, value, chance, severity * value * chance * np.exp(-np.maximum(ago, 0) / _FADES_DAYS), ago
    )


def _harm(review: np.ndarray, clauses: pa.Table, size: int) -> np.ndarray:
    """The worst food-safety class of each review, the number of classes for none."""
    kind = clauses["safety"].to_numpy().astype(np.int64)
    worst = np.full(size, _NO_HARM, dtype=np.int64)
    np.minimum.at(worst, review[kind >= 0], kind[kind >= 0])
    return worst


def _guests(guests: pa.ChunkedArray, profiles: pa.Table | None) -> tuple[np.ndarray, np.ndarray]:
    """What each guest brings in a year, and their chance to come again, each (r,).

    A year's margin (spend where margin is unknown) at their pace so far; the chance halves with every rhythm they are overdue.
    """
    if profiles is None or not len(profiles):
        return np.ones(len(guests)), np.full(len(guests), 0.5)

    def column(name: str) -> np.ndarray:
        return np.asarray(pc.fill_null(profiles[name].cast(pa.float64()), np.nan).to_numpy())

    brought = np.where(np.isnan(column("margin_minor")), column("spend_minor"), column("margin_minor"))
    yearly = np.maximum(brought, 0) * 365.25 / np.maximum(column("tenure_days"), 90)
    overdue = np.maximum(column("recency_days") / np.maximum(column("rhythm_days"), 1) - 1, 0)
    chance = 0.5 ** np.minimum(np.nan_to_num(overdue, nan=1.0), 10)
    place = (
        pc.fill_null(pc.index_in(guests, value_set=profiles["guest_id"].combine_chunks()), -1)
        .to_numpy()
        .astype(np.int64)
    )
    return (
        np.where(place >= 0, yearly[place], np.median(yearly)),
        np.where(place >= 0, chance[place], np.median(chance)),
    )


def _reply(reviews: pa.Table, clauses: pa.Table, row: int, scores: _Scores, dishes: Mapping[str, str]) -> Reply:
    """clauses: those of this review."""
    written, said = reviews.slice(row, 1).to_pylist()[0], clauses.to_pylist()
    aspects = unpacked(np.array([piece["aspects"] for piece in said], dtype=np.int64).reshape(-1))
    facts = Facts(
        store_id=written["store_id"], reviewed_at=written["reviewed_at"], order_id=written["order_id"],
        dishes=tuple(sorted({dishes.get(p["item_id"], p["item_id"]) for p in said if p["item_id"] is not None})),
        wrong=_judged(said, aspects, -1), right=_judged(said, aspects, 1),
        harm=tuple(piece["clause"] for piece in said if piece["safety"] >= 0),
    )  # fmt: skip
    kind = CLASSES[scores.harm[row]].name if scores.harm[row] < _NO_HARM else None
    severity, value, chance, stake = (
        float(values[row]) for values in (scores.severity, scores.value, scores.chance, scores.stake)
    )
    return Reply(
        written["review_id"], written["guest_id"], kind, severity, value, chance, stake, int(scores.ago[row]),
        written["rating"], (written["text"] or "")[:500], facts,
    )  # fmt: skip


def _judged(said: list[dict[str, Any]], aspects: np.ndarray, sign: int) -> tuple[Sentence, ...]:
    """The aspects judged one way, each with its words."""
    return tuple(
        Sentence("judged_aspects", aspects=_named(aspects[row]), clause=piece["clause"])
        for row, piece in enumerate(said)
        if piece["is_told"] and piece["polarity"] == sign and aspects[row].any()
    )


def _named(aspects: np.ndarray) -> list[Sentence]:
    return [Sentence(f"aspect_{NAMES[place]}") for place in np.flatnonzero(aspects)]
