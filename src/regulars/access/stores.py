"""Stores: where vouchers are taken, and the clock on the wall of each."""

from regulars.access.models import Store
from regulars.clock import CLOSES, StoreClock
from regulars.records.shelves import Shelf

STORES = Shelf(Store, by="store_id")


def add_store(store_id: str, zone: str, day_closes_at: str = CLOSES) -> None:
    """A store where vouchers are taken, or its new clock. Raises DataError for a zone or a time that is none."""
    StoreClock(zone, day_closes_at).check()
    Store.objects.update_or_create(store_id=store_id, defaults={"zone": zone, "day_closes_at": day_closes_at})


def stores() -> list[dict[str, str]]:
    """The stores, by id."""
    return [dict(row) for row in Store.objects.order_by("store_id").values("store_id", "zone", "day_closes_at")]


def clocks() -> dict[str, StoreClock]:
    """The clock of every store, by id."""
    return {store["store_id"]: StoreClock(store["zone"], store["day_closes_at"]) for store in stores()}
