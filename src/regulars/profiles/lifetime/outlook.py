"""The outlook of each guest: what to expect of him, added to his profile."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import narwhals as nw
import numpy as np
import pyarrow as pa
from narwhals.typing import IntoFrame, IntoFrameT

from regulars.errors import DataError
from regulars.profiles.frames import checked
from regulars.profiles.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from regulars.profiles.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from regulars.profiles.lifetime.newton import FloatArray

_SILENCE_DAYS = 30.0
_INTERVAL = (0.05, 0.95)


class Histories(NamedTuple):
    """What the models need of each guest, shape (n,): repeat visits, days from the first visit to the latest, and to now."""

    frequency: FloatArray
    recency: FloatArray
    age: FloatArray


def histories(profiles: IntoFrame) -> Histories:
    """The histories of the guests who visited at all, in the order of the frame."""
    known = _columns(profiles, ("visits", "recency_days", "tenure_days"))
    came = known[:, 0] > 0
    visits, away, tenure = known[came].T
    return Histories(visits - 1, tenure - away, tenure)


def fit_visits(profiles: IntoFrame) -> BgNbd:
    """The BG/NBD model of the visits in a profile frame, in days. Raises as `fit_bg_nbd` does."""
    return fit_bg_nbd(*histories(profiles))


def fit_values(profiles: IntoFrame, value: str = "margin_minor") -> GammaGamma:
    """The Gamma-Gamma model of the mean value of a visit, from the guests who came twice and left more than nothing.

    Raises as `fit_gamma_gamma` does.
    """
    known = _columns(profiles, ("visits", value))
    visits, total = known[(known[:, 0] > 1) & (known[:, 1] > 0)].T
    return fit_gamma_gamma(visits, total / visits)


def outlook(
    profiles: IntoFrameT,
    visits: BgNbd,
    values: GammaGamma | None = None,
    *,
    value: str = "margin_minor",
    horizons: Sequence[int] = (90, 365),
) -> IntoFrameT:
    """Profiles with what to expect of each guest; what goes in comes out, worked out at once.

    A DuckDB relation comes back as one of DuckDB's default connection.

    Adds `alive_probability`, `no_visit_30_probability`, and for each horizon in days `expected_visits_90`, its
    interval `expected_visits_90_low` to `_high` (nine in ten guests with this history, given the parameters), and with
    `values` the value expected of these visits, `expected_margin_90_minor`, from the column `value`. Empty for guests
    who never visited; a value not known counts as the crowd's.
    The interval trusts the model: in grocery households (Complete Journey, 90 days) it held 82 in a hundred, not 90,
    while the visits of all together came out within 1 %.
    """
    brought: IntoFrame = profiles
    table = _table(brought)
    known = _columns(table, ("visits", "recency_days", "tenure_days"))
    came = known[:, 0] > 0
    n, away, tenure = known[came].T
    history = Histories(n - 1, tenure - away, tenure)
    added = _visit_columns(visits, history, horizons)
    if values is not None:
        total = _columns(table, (value,))[came, 0]
        worth = values.expected_value(np.where(np.isnan(total), 0, n), np.nan_to_num(total / n))
        name = value.removesuffix("_minor")
        added |= {f"expected_{name}_{days}_minor": added[f"expected_visits_{days}"] * worth for days in horizons}
    for column, numbers in added.items():
        table = table.append_column(column, _spread(numbers, came))
    return cast("IntoFrameT", _as_brought(table, brought))


def _visit_columns(model: BgNbd, history: Histories, horizons: Sequence[int]) -> dict[str, FloatArray]:
    low, high = _INTERVAL
    columns = {
        "alive_probability": model.alive_probability(*history),
        "no_visit_30_probability": model.silence_probability(_SILENCE_DAYS, *history),
    }
    for days in horizons:
        columns[f"expected_visits_{days}"] = model.expected_orders(days, *history)
        columns[f"expected_visits_{days}_low"] = model.order_quantiles(low, days, *history)
        columns[f"expected_visits_{days}_high"] = model.order_quantiles(high, days, *history)
    return columns


def _table(profiles: IntoFrame) -> pa.Table:
    known = nw.from_native(profiles)
    eager = known.collect("pyarrow") if isinstance(known, nw.LazyFrame) else known
    return cast("pa.Table", eager.to_arrow())


def _columns(profiles: IntoFrame, names: tuple[str, ...]) -> FloatArray:
    """Columns as numbers, shape (n, k), in the order of the frame; nothing is NaN. Raises DataError if one is missing."""
    checked(profiles, needs=names)
    table = _table(profiles)
    columns = [table[name].cast(pa.float64()).to_numpy() for name in names]
    return np.column_stack(columns)


def _spread(numbers: FloatArray, came: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Array:
    spread = np.zeros(came.size)
    spread[came] = numbers
    return pa.array(spread, mask=~came)


def _as_brought(table: pa.Table, brought: IntoFrame) -> Any:
    known = nw.from_native(brought)
    if isinstance(known, nw.DataFrame):
        return nw.from_arrow(table, backend=known.implementation).to_native()
    if known.implementation.is_polars():
        return nw.from_arrow(table, backend="polars").lazy().to_native()
    if known.implementation.is_duckdb():
        return nw.from_native(table, eager_only=True).lazy("duckdb").to_native()
    raise DataError(f"profiles: cannot hand back a {known.implementation} frame; bring an Arrow table of the profiles")
