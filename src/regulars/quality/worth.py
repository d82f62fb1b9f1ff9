"""Worth: how return visits and margin move with what a guest experienced, and so what it is worth to mend it.

Every guest is their own comparison: their visits with a bad experience against their others, and every dish against itself. With y
the outcome of guest i at visit t, x the experience, and a mean of their own for every guest, dish and month,

    y = a_guest + b_dish + c_month + effect * x + error,

by alternating projections (Guimaraes & Portugal 2010, Stata Journal 10), with errors clustered by guest. It is observational: what else
made that visit bad may keep the guest away too. The E-value (VanderWeele & Ding 2017, Annals of Internal Medicine 167) says how
strong such a thing must be to explain all of it.
"""

import math
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from regulars.errors import DesignError
from regulars.quality.servings import FloatArray, IntArray, Servings
from regulars.quality.shrinkage import pooled_shares

BASIS = "observational"
_MOST_ROUNDS, _TOLERANCE = 500, 1e-8
LEAST_EXPOSED = 30
_LATE = 0.9
_Z = 1.96


class Effect(NamedTuple):
    """What one more unit of an experience goes with. effect: in the unit of the outcome. low, high: 95 %.

    exposed: visits that had it, of guests who also have others. usual: the outcome's mean without it. e_value, e_value_low: of the
    estimate, and of the end of the interval nearest to no effect; 1 means that nothing is needed to explain it away.
    """

    experience: str
    outcome: str
    effect: float
    low: float
    high: float
    visits: int
    exposed: int
    guests: int
    usual: float
    e_value: float
    e_value_low: float
    basis: str = BASIS


class Compared(NamedTuple):
    """m visits with a known outcome, without the means of their groups.

    outcome, experience: (m,) as they were. ours, theirs: (m,) outcome and experience without the means. cluster: (m,) codes.
    exposed: how many visits had it, of guests who also have others. guests: how many these are.
    """

    outcome: FloatArray
    experience: FloatArray
    ours: FloatArray
    theirs: FloatArray
    cluster: IntArray
    exposed: int
    guests: int

    @classmethod
    def of(cls, outcome: FloatArray, experience: FloatArray, groups: list[IntArray], cluster: IntArray) -> "Compared":
        rows = np.flatnonzero(~np.isnan(outcome) & ~np.isnan(experience) & (cluster >= 0))
        y, x = outcome[rows], experience[rows]
        codes = [np.unique(group[rows], return_inverse=True)[1] for group in groups]
        who = np.unique(cluster[rows], return_inverse=True)[1]
        ours, theirs = _demeaned(np.column_stack([y, x]), codes).T
        varies = np.bincount(who, weights=theirs**2) > 1e-6 if len(rows) else np.zeros(0, dtype=bool)
        exposed = int(((x != 0) & varies[who]).sum()) if len(rows) else 0
        return cls(y, x, ours, theirs, who, exposed, int(varies.sum()))

    def effect(self, names: tuple[str, str], *, is_share: bool) -> Effect:
        """names: of experience and outcome. is_share: the outcome is of 0 and 1."""
        bend = float(self.theirs @ self.theirs)
        effect = float(self.ours @ self.theirs) / bend
        scores = np.bincount(self.cluster, weights=self.theirs * (self.ours - effect * self.theirs))
        clusters = len(scores)
        error = math.sqrt(float(scores @ scores) * clusters / (clusters - 1)) / bend
        without = self.outcome[self.experience == 0]
        usual, spread = float((without if len(without) else self.outcome).mean()), float(self.outcome.std())
        low, high = effect - _Z * error, effect + _Z * error
        nearest = 0.0 if low <= 0 <= high else min(low, high, key=abs)
        values = [e_value(_risk_ratio(size, usual, spread, is_share)) for size in (effect, nearest)]
        visits = len(self.outcome)
        return Effect(*names, effect, low, high, visits, self.exposed, self.guests, usual, values[0], values[1])


def within(
    outcome: FloatArray,
    experience: FloatArray,
    groups: list[IntArray],
    *,
    cluster: IntArray,
    names: tuple[str, str],
    is_share: bool,
) -> Effect:
    """The effect of an experience on an outcome within groups.

    outcome, experience: (n,), NaN rows are left out. groups: (n,) codes each, such as guest, dish and month. cluster: (n,), the guests.
    names: of experience and outcome. Raises DesignError where fewer than 30 visits have it, or no group has it both ways.
    """
    compared = Compared.of(outcome, experience, groups, cluster)
    if compared.exposed < LEAST_EXPOSED:
        raise DesignError(
            f"{names[0]}: {compared.exposed} visits of guests who also had others; "
            f"what it is worth cannot be known from fewer than {LEAST_EXPOSED}"
        )
    return compared.effect(names, is_share=is_share)


def _demeaned(columns: FloatArray, codes: list[IntArray]) -> FloatArray:
    """Columns without the means of any group, shape as given."""
    sizes = [np.maximum(np.bincount(code), 1) for code in codes]
    for _ in range(_MOST_ROUNDS):
        before = columns
        for code, size in zip(codes, sizes, strict=True):
            means = np.column_stack([np.bincount(code, weights=column) / size for column in columns.T])
            columns = columns - means[code]
        if np.abs(columns - before).max(initial=0) <= _TOLERANCE * max(np.abs(columns).max(initial=0), 1e-300):
            break
    return columns


def _risk_ratio(effect: float, usual: float, spread: float, is_share: bool) -> float:
    """An effect as a ratio of risks: a share by the shares, a mean by its standardised difference (VanderWeele & Ding, table 2)."""
    if is_share:
        return max(usual + effect, 1e-6) / max(usual, 1e-6)
    return math.exp(0.91 * effect / spread) if spread > 0 else 1.0


def e_value(ratio: float) -> float:
    """How strongly something unseen must go with both experience and outcome, as a risk ratio, to explain a ratio away.

    >>> round(e_value(3.9), 2), round(e_value(1.0), 2)
    (7.26, 1.0)
    """
    ratio = 1 / ratio if ratio < 1 else ratio
    return ratio + math.sqrt(ratio * (ratio - 1))


class Visits(NamedTuple):
    """v servings of known guests whose window is over, in the rows of servings.

    row: (v,) place in servings. returned: (v,) whether the guest came on a later day within the window. margin: (v,) what they then
    brought, minor units; NaN where no margin is known.
    """

    row: IntArray
    returned: FloatArray
    margin: FloatArray


def visits(servings: Servings, order_margin: FloatArray | None = None) -> Visits:
    """What each guest did in the `horizon_days` after each serving.

    order_margin: (n,) margin of the check of each serving, minor units; NaN where unknown. A day's margin counts once for each check.
    """
    guest, day = servings.guest.code, servings.day
    rows = np.flatnonzero((guest >= 0) & ~servings.is_bad)
    span = int(day[-1] - day[0]) + 2 + servings.horizon_days if len(day) else 1
    key = guest[rows] * span + (day[rows] - day[0])
    distinct, place = np.unique(key, return_inverse=True)
    until = np.searchsorted(distinct, distinct + servings.horizon_days, "right")
    came = (until - np.arange(len(distinct)) - 1) > 0
    brought = np.full(len(distinct), np.nan)
    if order_margin is not None:
        checks = servings.order_id.take(pa.array(rows)).dictionary_encode().indices.to_numpy()
        _, once = np.unique(checks, return_index=True)
        daily = np.bincount(place[once], weights=order_margin[rows][once], minlength=len(distinct))
        total = np.concatenate([[0.0], np.cumsum(daily)])
        brought = total[until] - total[np.arange(len(distinct)) + 1]
    is_over = day[-1] - day[rows] >= servings.horizon_days if len(day) else np.zeros(0, dtype=bool)
    return Visits(rows[is_over], came[place][is_over].astype(np.float64), brought[place][is_over])


def late(servings: Servings) -> FloatArray:
    """1 for a serving slower than nine in ten of its dish, 0 for others, NaN where the kitchen recorded no time, shape (n,)."""
    known = ~np.isnan(servings.prep_seconds)
    found = np.full(len(servings), np.nan)
    order = np.lexsort((servings.prep_seconds, servings.item.code))
    order = order[known[order]]
    item = servings.item.code[order]
    counts = np.bincount(item, minlength=len(servings.item.names))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = (np.arange(len(order)) - starts[item]) / np.maximum(counts[item], 1)
    found[order] = place >= _LATE
    return found


class Mend(NamedTuple):
    """One thing to mend. bad: how often it happens, leaning on the dish in all stores; target: how often in the
    best quarter of its stores. visits_a_month: servings.

    worth_minor: margin a month that reaching the target goes with, low and high 95 %. breakeven_minor: what mending may cost a month
    to beat the next unit of coupon budget: one unit spent on mending must bring that unit back, and what a coupon would.
    """

    item: str
    store: str
    experience: str
    visits_a_month: float
    bad: float
    target: float
    worth_minor: float
    low_minor: float
    high_minor: float
    breakeven_minor: float
    chance: float
    basis: str = BASIS


MEND_COLUMNS = {
    "item": pa.string(), "store": pa.string(), "experience": pa.string(), "bad": pa.float64(), "target": pa.float64(),
    "worth_minor": pa.float64(), "low_minor": pa.float64(), "high_minor": pa.float64(), "breakeven_minor": pa.float64(),
}  # fmt: skip


def mends(
    servings: Servings, experience: FloatArray, effect: Effect, *, coupon_price: float, least: int = 50
) -> tuple[Mend, ...]:
    """What to mend, the most worth first. experience: (n,) of each serving. effect: of it on margin, minor units.

    coupon_price: what the next unit of coupon budget brings after it is paid, as allocation prices it. least: servings of a
    dish in a store below which nothing is said.
    """
    if coupon_price < 0:
        raise ValueError(f"coupon_price is {coupon_price}; what one more unit of budget brings is 0 or more")
    known = ~np.isnan(experience)
    size = len(servings.store.names)
    cell = servings.item.code[known] * size + servings.store.code[known]
    unit, place = np.unique(cell, return_inverse=True)
    count = np.bincount(place).astype(np.float64)
    item, store = np.divmod(unit, size)
    hits = np.bincount(place, weights=experience[known]).astype(np.float64)
    bad = pooled_shares(hits, count, np.unique(item, return_inverse=True)[1]).estimate
    months = max((servings.day[-1] - servings.day[0] + 1) / 30.44, 1.0)
    found = []
    for row in np.flatnonzero(count >= least):
        peers = np.flatnonzero((item == item[row]) & (count >= least))
        target = float(np.quantile(bad[peers], 0.25))
        fewer = max(bad[row] - target, 0.0) * count[row] / months
        if fewer <= 0 or len(peers) < 2:
            continue
        worth, low, high = (-size_of * fewer for size_of in (effect.effect, effect.high, effect.low))
        error = (high - low) / (2 * _Z)
        chance = float(norm.sf(0, loc=worth, scale=error)) if error > 0 else float(worth > 0)
        breakeven = worth / (1 + coupon_price)
        found.append(Mend(
            str(servings.item.names[item[row]]), str(servings.store.names[store[row]]), effect.experience, count[row] / months,
            float(bad[row]), target, worth, low, high, breakeven, chance,
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda mend: -mend.worth_minor))
