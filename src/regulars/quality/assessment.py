"""Assessment: the questions of an operator about dishes and service, asked of a lake."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.charts import quality as pictures
from regulars.charts.quality import Mending
from regulars.charts.theme import Chart
from regulars.errors import DataError, DesignError
from regulars.guests import Facts, kept_profiles, staff
from regulars.money import exponent_of
from regulars.quality import cards, control_charts, worth
from regulars.quality import servings as serving
from regulars.quality.consistency import Consistency, consistency
from regulars.quality.dishes import dish_names
from regulars.quality.mentions import CLAUSES, kept_clauses
from regulars.quality.names import NOBODY, Names
from regulars.quality.replies import Replies, reply_queue
from regulars.quality.safety import CLASSES
from regulars.quality.servings import Coded, FloatArray, IntArray, Servings
from regulars.quality.trust import Doubts, Trust, doubts, trust
from regulars.tables import Lake
from regulars.tabular import Rows, Tabular, rows_table
from regulars.wording import Sentence, Voice

OF_REVIEWS = ("rating", "positive")
_EPOCH = 719_163


class Clue(NamedTuple):
    """One hint at harm, with its words."""

    kind: str
    severity: int
    review_id: str
    store_id: str
    guest_id: str | None
    item: str | None
    reviewed_at: dt.datetime
    clause: str


class Clues(Rows[Clue]):
    """The worst class and the newest first."""

    schema: ClassVar = {
        "kind": pa.string(), "severity": pa.int64(), "review_id": pa.string(), "store_id": pa.string(), "guest_id": pa.string(),
        "item": pa.string(), "reviewed_at": pa.timestamp("us", "UTC"), "clause": pa.string(),
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Worth(Tabular):
    """effects: of each experience on return and on margin. unknown: what could not be known, and why. mends: what to mend, first the best.

    coupon_price: what the next unit of coupon budget brings.
    """

    effects: tuple[worth.Effect, ...]
    unknown: tuple[Sentence, ...]
    mends: tuple[worth.Mend, ...]
    coupon_price: float

    @property
    def headline(self) -> str:
        return f"Worth: {len(self.effects):,} effects known, {len(self.unknown):,} unknown; {len(self.mends):,} things to mend"

    def to_arrow(self) -> pa.Table:
        return rows_table(self.mends, worth.MEND_COLUMNS)

    @property
    def gains(self) -> tuple[worth.Mend, ...]:
        """What mending would bring something."""
        return tuple(mend for mend in self.mends if mend.worth_minor > 0)

    def plot(self, voice: Voice = Voice(), names: Names = NOBODY) -> Chart | None:  # noqa: B008
        """What to mend first; None where nothing would bring anything."""
        scale = 1 if voice.currency is None else 10 ** exponent_of(voice.currency)
        bars = [
            Mending(
                f"{names.dish(mend.item)} · {names.store(mend.store)} · {voice.say(f'experience_{mend.experience}')}",
                *(value / scale for value in (mend.worth_minor, mend.low_minor, mend.high_minor)),
            )
            for mend in self.gains
        ]
        return pictures.fix_or_coupon(bars, voice) if bars else None


class Quality:
    """The dishes and the service of one lake. What several questions need is worked out once.

    horizon_days: within how many days a dish ordered again, and a guest come again, count.
    """

    def __init__(self, lake: Lake, *, horizon_days: int = serving.HORIZON_DAYS) -> None:
        self.lake, self._horizon = lake, horizon_days

    @cached_property
    def servings(self) -> Servings:
        return serving.of_lake(self.lake, horizon_days=self._horizon)

    @cached_property
    def dishes(self) -> dict[str, str]:
        """item_id -> name on the menu."""
        return dish_names(self.lake.read("menu_items")) if self.lake.has("menu_items") else {}

    @cached_property
    def names(self) -> Names:
        """What people call dishes and stores."""
        stores: dict[str, str] = {}
        if self.lake.has("stores"):
            table = self.lake.collect(self.lake.scan("stores").select("store_id", "name"))
            stores = {
                store: name for store, name in zip(*(column.to_pylist() for column in table), strict=True) if name
            }
        return Names(self.dishes, stores)

    @cached_property
    def reviews(self) -> pa.Table:
        """Raises DataError where the lake holds none."""
        return self.lake.read("reviews").sort_by("review_id")

    @cached_property
    def clauses(self) -> pa.Table:
        """Raises DataError where no review was read yet."""
        return kept_clauses(self.lake)

    @cached_property
    def trust(self) -> Trust:
        return trust(self.reviews, self.clauses, staff=staff(self.lake), ordered_at=self._ordered_at())

    def doubts(self) -> Doubts:
        """The reviews that weigh less, each with its reasons."""
        return doubts(self.reviews, self.trust)

    def _ordered_at(self) -> pa.Array | None:
        if not self.lake.has("orders"):
            return None
        told = self.lake.scan("reviews").filter(~nw.col("order_id").is_null()).select("order_id").unique()
        orders = self.lake.collect(self.lake.scan("orders").select("order_id", "ordered_at").join(told, on="order_id"))
        place = pc.index_in(self.reviews["order_id"], value_set=orders["order_id"].combine_chunks(), skip_nulls=True)
        return orders["ordered_at"].combine_chunks().take(place.combine_chunks())

    @property
    def has_reviews(self) -> bool:
        """Whether there are reviews that were read."""
        return self.lake.has("reviews") and self.lake.has(CLAUSES)

    @cached_property
    def _coded(self) -> cards.Reviews | None:
        if not self.has_reviews:
            return None
        return cards.coded_reviews(self.servings, self.reviews, self.clauses, self.trust.weight)

    def cards(self, by: Sequence[str] = ("store",), *, level: float = 0.9) -> pa.Table:
        """Score cards, as `score_cards`; stores are compared within their cuisine, dishes within their category."""
        stores = self._kinds("stores", "store_id", "cuisine", self.servings.store)
        items = self._kinds("menu_items", "item_id", "category", self.servings.item)
        return cards.score_cards(self.servings, self._coded, by=by, store_peers=stores, item_peers=items, level=level)

    def _kinds(self, table: str, key: str, column: str, coded: Coded) -> list[str] | None:
        if not self.lake.has(table):
            return None
        known = self.lake.collect(self.lake.scan(table).select(key, column))
        kind_of = dict(zip(known[key].to_pylist(), known[column].to_pylist(), strict=True))
        return [kind_of.get(name) or "" for name in coded.names]

    def stream(self, measure: str) -> control_charts.Stream:
        """One of `MEASURES` as a stream. Raises DataError for another name, and where its reviews were never read."""
        if measure not in control_charts.MEASURES:
            raise DataError(f"no measure '{measure}'; there are {', '.join(control_charts.MEASURES)}")
        if measure not in OF_REVIEWS:
            return control_charts.of_servings(self.servings, measure)
        reviews = self._coded
        if reviews is None:
            raise DataError(f"{measure} is of reviews; load them, then `regulars quality read`")
        return _review_stream(self, reviews, measure)

    def watch(
        self,
        measure: str = "reorder_rate",
        *,
        baseline_until: dt.date | None = None,
        false_alarms_per_year: float = 1.0,
    ) -> control_charts.Watch:
        """Control charts of every dish, and of every dish in each store and shift; reviews by store, and by dish and store.

        baseline_until: None takes the middle of the time observed. Raises DesignError where there is nothing to watch.
        """
        stream = self.stream(measure)
        if not len(stream):
            raise DesignError(f"{measure}: nothing was observed; for prep_seconds load the table kitchen")
        levels = (
            (("item",), ("item", "store", "shift")) if measure not in OF_REVIEWS else (("store",), ("store", "item"))
        )
        until = baseline_until or dt.date.fromordinal(int((stream.day[0] + stream.day[-1]) // 2))
        return control_charts.watch(
            stream, baseline_until=until, levels=levels, false_alarms_per_year=false_alarms_per_year
        )

    def consistency(self, item: str, measure: str = "reorder_rate") -> Consistency:
        """How much one dish varies. item: its id or its name on the menu. Raises DataError for a dish that was never served."""
        ids = [known for known, name in self.dishes.items() if name == item] or [item]
        found = [known for known in ids if known in self.servings.item.names]
        if not found:
            raise DataError(f"no dish '{item}' was served; `regulars quality cards --by item` lists them")
        return consistency(self.stream(measure), found[0])

    def clues(self, *, since: dt.date | None = None) -> Clues:
        """All hints at harm, the worst class and the newest first; each with its text, whatever its review's weight."""
        rows = self.clauses.filter(pc.greater_equal(self.clauses["safety"], 0))
        rows = rows.sort_by([("safety", "ascending"), ("reviewed_at", "descending"), ("review_id", "ascending")])
        found = [
            Clue(
                CLASSES[r["safety"]].name, CLASSES[r["safety"]].severity, r["review_id"], r["store_id"], r["guest_id"],
                self.dishes.get(r["item_id"], r["item_id"]), r["reviewed_at"], r["clause"],
            )
            for r in rows.to_pylist()
        ]  # fmt: skip
        return Clues(clue for clue in found if since is None or clue.reviewed_at.date() >= since)

    def replies(self, *, as_of: dt.date | None = None, days: int = 30, limit: int = 50) -> Replies:
        """Whom to answer first. as_of: None takes the day of the last review."""
        last = pc.max(self.reviews["reviewed_at"]).as_py()
        day = as_of or (last.date() if last else dt.date.max)
        return reply_queue(
            self.reviews,
            self.clauses,
            self._profiles(),
            as_of=day,
            dishes=self.dishes,
            weight=self.trust.weight,
            days=days,
            limit=limit,
        )

    def _profiles(self) -> pa.Table | None:
        """The kept profiles, worked out first where there are none; None where no order names its guest."""
        return self.lake.collect(kept_profiles(self.lake)) if len(self.servings) else None

    def worth(self, *, coupon_price: float = 0.0) -> Worth:
        """What each experience goes with, and what to mend; what cannot be known is said in `unknown`."""
        after = worth.visits(self.servings, self._margins())
        effects: list[worth.Effect] = []
        unknown: list[Sentence] = []
        mends: list[worth.Mend] = []
        for name, experience in self._experiences().items():
            for outcome, values in (("return", after.returned), ("margin", after.margin)):
                compared = _compared(self.servings, after, experience, values)
                if compared.exposed < worth.LEAST_EXPOSED:
                    unknown.append(_too_few(name, outcome, compared.exposed))
                    continue
                effects.append(compared.effect((name, outcome), is_share=outcome == "return"))
                if outcome == "margin" and name != "stars_lost":
                    mends += worth.mends(self.servings, experience, effects[-1], coupon_price=coupon_price)
        mends.sort(key=lambda mend: -mend.worth_minor)
        return Worth(effects=tuple(effects), unknown=tuple(unknown), mends=tuple(mends), coupon_price=coupon_price)

    def _experiences(self) -> dict[str, FloatArray]:
        """Of each serving: late or not, complained of or not, and the stars that its review lost."""
        found = {"late": worth.late(self.servings)}
        if not self.has_reviews:
            return found
        order = pc.index_in(
            self.servings.order_id, value_set=self.reviews["order_id"].combine_chunks(), skip_nulls=True
        )
        review = pc.fill_null(order, -1).to_numpy().astype(np.int64)
        stars = pc.fill_null(self.reviews["rating"].cast(pa.float64()), np.nan).to_numpy()
        found["stars_lost"] = np.where(review >= 0, 5 - stars[review], np.nan)
        found["complaint"] = np.where(review >= 0, self._complained()[review], np.nan)
        return found

    def _complained(self) -> FloatArray:
        """1 for a review with more complaints than praise, else 0, shape (r,)."""
        of = pc.index_in(self.clauses["review_id"], value_set=self.reviews["review_id"].combine_chunks())
        told = self.clauses["is_told"].to_numpy() & (self.clauses["aspects"].to_numpy() > 0)
        balance = np.bincount(
            of.to_numpy()[told], weights=self.clauses["polarity"].to_numpy()[told], minlength=len(self.reviews)
        )
        return np.asarray(balance < 0, dtype=np.float64)

    def _margins(self) -> FloatArray:
        """The margin of the check of each serving, minor units, NaN where unknown."""
        orders = self.lake.collect(Facts.of(self.lake).orders.select("order_id", "margin_minor"))
        place = pc.index_in(self.servings.order_id, value_set=orders["order_id"].combine_chunks())
        margin = orders["margin_minor"].combine_chunks().cast(pa.float64()).take(place)
        return np.asarray(pc.fill_null(margin, np.nan).to_numpy(zero_copy_only=False))


def _compared(servings: Servings, after: worth.Visits, experience: FloatArray, outcome: FloatArray) -> worth.Compared:
    guest, rows = servings.guest.code[after.row], after.row
    groups: list[IntArray] = [guest, servings.item.code[rows], servings.day[rows] // 30]
    return worth.Compared.of(outcome, experience[rows], groups, guest)


def _too_few(experience: str, outcome: str, exposed: int) -> Sentence:
    return Sentence(
        "too_few_exposed", experience=experience, outcome=outcome, exposed=exposed, least=worth.LEAST_EXPOSED
    )


def _review_stream(quality: Quality, reviews: cards.Reviews, measure: str) -> control_charts.Stream:
    """Ratings of reviews, or the judgements of their clauses, in time order."""
    day = quality.reviews["reviewed_at"].cast(pa.timestamp("us", "UTC")).cast(pa.date32()).cast(pa.int32()).to_numpy()
    known = pc.is_in(quality.reviews["store_id"], value_set=pa.array(quality.servings.store.names, pa.string()))
    day = day[known.to_numpy()].astype(np.int64) + _EPOCH
    if measure == "rating":
        rows = np.flatnonzero(~np.isnan(reviews.rating) & (reviews.weight > 0))
        review, value, item = rows, reviews.rating[rows], np.full(len(rows), -1, dtype=np.int64)
    else:
        rows = np.flatnonzero(reviews.is_told & (reviews.polarity != 0) & reviews.aspects.any(axis=1))
        rows = rows[reviews.weight[reviews.review[rows]] > 0]
        review, value, item = reviews.review[rows], (reviews.polarity[rows] > 0).astype(np.float64), reviews.item[rows]
    order = np.argsort(day[review], kind="stable")
    review, servings = review[order], quality.servings
    factors = {
        "item": Coded(servings.item.names, item[order]), "store": Coded(servings.store.names, reviews.store[review]),
        "shift": Coded(servings.shift.names, reviews.shift[review]),
    }  # fmt: skip
    return control_charts.Stream(
        measure=control_charts.MEASURES[measure], value=value[order], day=day[review], factors=factors
    )
