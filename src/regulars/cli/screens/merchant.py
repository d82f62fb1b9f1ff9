"""Screens of the store's own questions: sales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group, RenderableType

from regulars.cli.screens.layout import notes, plain, sheet, strong
from regulars.clock import WEEKDAYS
from regulars.wording import Sentence, Voice

if TYPE_CHECKING:
    from regulars.merchant import DishesSold, PairsSold, Sales

_MOST_BLOCKS = 24


def sales(found: Sales, dishes: DishesSold, pairs: PairsSold, limit: int, voice: Voice) -> RenderableType:
    """What came in, where, on which days and at what hours; what was sold, and what together."""
    facts = {"first": found.first, "last": found.last, "orders": found.orders, "sales_minor": found.sales_minor}
    parts: list[RenderableType] = [
        strong(voice.say("sales_title", **facts, average_minor=found.average_minor)),
        "",
        _stores(found, limit, voice),
    ]
    parts += ["", _weekdays(found, voice), "", _hours(found, voice)]
    if dishes:
        parts += ["", _dishes(dishes, limit, voice)]
    if pairs:
        parts += ["", _pairs(pairs, limit, voice)]
    return Group(*parts, *notes(voice, list(_remarks(found, dishes))))


def _stores(found: Sales, limit: int, voice: Voice) -> RenderableType:
    rows = [
        (
            store.store_id,
            store.orders,
            voice.money(store.sales_minor),
            voice.money(store.average_minor),
            voice.money(store.daily_minor),
        )
        for store in found.stores[:limit]
    ]
    columns = ["store", "orders", "sales", "average_check", "each_day"]
    more = len(found.stores) - len(rows)
    made = sheet(voice, columns, rows, numbers=[1, 2, 3, 4])
    return Group(made, plain(voice.say("sales_more_stores", more=more))) if more > 0 else made


def _weekdays(found: Sales, voice: Voice) -> RenderableType:
    rows = [
        (voice.weekdays([day]), voice.money(taken), _blocks(taken, found.weekdays))
        for day, taken in zip(WEEKDAYS, found.weekdays, strict=True)
        if np.isfinite(taken)
    ]
    return sheet(voice, ["weekday", "sales_of_a_day", ""], rows, numbers=[1])


def _hours(found: Sales, voice: Voice) -> RenderableType:
    counted = found.hours.sum()
    rows = [
        (f"{hour:02}:00", voice.percent(orders / counted), _blocks(orders, found.hours))
        for hour, orders in enumerate(found.hours)
        if orders
    ]
    return sheet(voice, ["hour", "share_of_orders", ""], rows, numbers=[1])


def _dishes(dishes: DishesSold, limit: int, voice: Voice) -> RenderableType:
    rows = [(one.dish, voice.money(one.sales_minor), voice.percent(one.of_share, 1)) for one in dishes[:limit]]
    return sheet(voice, ["dish", "sales", "on_checks"], rows, numbers=[1, 2])


def _pairs(pairs: PairsSold, limit: int, voice: Voice) -> RenderableType:
    rows = [
        (f"{one.dish} + {one.other}", one.together, f"{one.times:.1f}", f"{one.low:.1f} – {one.high:.1f}")
        for one in pairs[:limit]
    ]
    return sheet(voice, ["bought_together", "checks", "times_chance", "interval"], rows, numbers=[1, 2, 3])


def _blocks(value: float, among: np.ndarray) -> str:
    return "█" * round(_MOST_BLOCKS * max(value, 0) / max(float(np.nanmax(among)), 1))


def _remarks(found: Sales, dishes: DishesSold) -> Iterator[Sentence]:
    if found.hourless:
        yield Sentence("sales_hourless", orders=found.hourless)
    if not dishes:
        yield Sentence("sales_no_lines")
    if found.named_share < 1:
        yield Sentence("sales_named" if found.named_share else "sales_nobody_named", named_share=found.named_share)
