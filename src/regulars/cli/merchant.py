"""The store's own questions on the command line: sales."""

import datetime as dt
from typing import Annotated, Any

import typer

from regulars.cli.answers import HERE, AsJson, Workspace, answer, opened, progress, voice

Day = Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A business date.")]


def sales(
    store: Annotated[str | None, typer.Option(help="One store only.")] = None,
    since: Day = None,
    until: Day = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many stores, dishes and pairs to show.")] = 8,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Say what came in: stores, days, hours, dishes, baskets; no guest has to be known.  Example:  regulars sales --since 2026-10-01"""
    from regulars import merchant
    from regulars.cli.screens import merchant as screens

    lake = opened(workspace)
    asked: Any = {"store": store, "since": since and since.date(), "until": until and until.date()}
    with progress("sales_progress"):
        found = merchant.sales(lake, **asked)
        has_lines = lake.has("order_items")
        dishes = merchant.dishes_sold(lake, **asked) if has_lines else merchant.DishesSold()
        pairs = merchant.pairs_sold(lake, **asked) if has_lines else merchant.PairsSold()
    value = {
        "first": found.first, "last": found.last, "orders": found.orders, "sales_minor": found.sales_minor,
        "named_share": found.named_share, "stores": found.stores[:limit], "weekdays_minor": found.weekdays.tolist(),
        "orders_by_hour": found.hours.tolist(), "dishes": dishes[:limit], "pairs": pairs[:limit],
    }  # fmt: skip
    answer(as_json, value, lambda: screens.sales(found, dishes, pairs, limit, voice(lake)))
