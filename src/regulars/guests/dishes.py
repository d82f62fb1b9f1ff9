"""Dishes: what guests of a workspace have as a rule and what to offer them next, by the names on its menu.

A dish is what its name says: items of one name, such as two stores' numbers for it, are one dish.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from regulars.documents import nearest
from regulars.errors import DataError
from regulars.guests.snapshot import snapshot
from regulars.profiles import usual_dishes
from regulars.profiles.next_dish import ranked
from regulars.profiles.things import tag_words
from regulars.tables import Lake
from regulars.tables.engines import Frame
from regulars.tables.spreadsheets import write_sheet

STOP_TAG = "stop"
"""Dishes with this word among their tags on the menu are never offered."""


class NextDishes(NamedTuple):
    """What to offer every guest next, as of a business date.

    rows: guest_id, rank, dish, item_id, score, times_ordered and reason, as in `profiles.next_dishes`, by guest_id and rank;
    of items that share the name of the dish, item_id is the one ordered most. stop_list: the dishes left out, by name.
    """

    as_of: dt.date
    stop_list: tuple[str, ...]
    rows: pa.Table

    @property
    def guests(self) -> int:
        """How many guests there is something for."""
        return int(pc.count_distinct(self.rows["guest_id"]).as_py())

    def first(self, guests: int) -> pa.Table:
        """The rows of the first guests."""
        return self.rows.filter(pc.is_in(self.rows["guest_id"], pc.unique(self.rows["guest_id"])[:guests]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dishes:
    """The order lines of a lake under the names of their dishes.

    lines: order items whose item_id is the name of the dish, its own where the menu has no name for it. item_of: for each
    dish the item of that name that was ordered most. stopped: the dishes never to be offered.
    """

    lake: Lake
    lines: Frame
    item_of: dict[str, str]
    stopped: frozenset[str]

    @classmethod
    def of(cls, lake: Lake, stop: Collection[str] = ()) -> "Dishes":
        """stop: item ids or names of dishes, beside those that the menu tags with `stop`.

        Raises DataError where the lake holds no order items, and for a dish that nobody knows.
        """
        sold = lake.collect(lake.scan("order_items").group_by("item_id").agg(nw.len().cast(nw.Int64).alias("n")))
        menu: list[dict[str, Any]] = []
        if lake.has("menu_items"):
            menu = lake.collect(lake.scan("menu_items").select("item_id", "name", "tags")).to_pylist()
        named = {item: item for item in sold["item_id"].to_pylist()} | {row["item_id"]: row["name"] for row in menu}
        often = sorted(sold.to_pylist(), key=lambda row: (row["n"], row["item_id"]))
        item_of = {named[row["item_id"]]: row["item_id"] for row in often}
        tagged = {row["name"] for row in menu if STOP_TAG in tag_words(row["tags"])}
        return cls(lake=lake, lines=named_lines(lake), item_of=item_of, stopped=frozenset(tagged | _known(stop, named)))

    def usual(self, guest_id: str, as_of: dt.date) -> tuple[dict[str, Any], ...]:
        """The dishes one guest has a habit of, the surest first, without those of the stop list."""
        own = self.lake.scan("orders").filter(nw.col("guest_id") == guest_id)
        rows = self.lake.collect(nw.from_native(usual_dishes(nw.to_native(own), nw.to_native(self.lines), as_of=as_of)))
        dishes = [self._named(row) for row in rows.drop_columns("guest_id").to_pylist()]
        kept = (row for row in dishes if row["dish"] not in self.stopped)
        return tuple(sorted(kept, key=lambda row: (-row["share_low"], row["dish"])))

    def next(
        self, guests: Frame, as_of: dt.date, *, k: int, new_only: bool = False, besides: Collection[str] = ()
    ) -> pa.Table:
        """The rows of `NextDishes` for these guests. besides: more dishes to leave out."""
        tables = [nw.to_native(frame) for frame in (self.lake.scan("orders"), self.lines, guests)]
        rows = ranked(*tables, as_of=as_of, k=k, stop_list=self.stopped.union(besides), new_only=new_only)
        items = [self.item_of[dish] for dish in rows["item_id"].to_pylist()]
        named = rows.rename_columns({"item_id": "dish"})
        return named.add_column(3, "item_id", pa.array(items, pa.string()))

    def _named(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"dish": row["item_id"], **row, "item_id": self.item_of[row["item_id"]]}


def named_lines(lake: Lake) -> Frame:
    """Order lines whose item_id is the name of the dish, its own where the menu has no name for it.

    Raises DataError where the lake holds no order items.
    """
    lines = lake.scan("order_items")
    if not lake.has("menu_items"):
        return lines
    joined = lines.join(lake.scan("menu_items").select("item_id", "name"), on="item_id", how="left")
    return joined.with_columns(item_id=nw.coalesce(nw.col("name"), nw.col("item_id")))


def next_dishes(
    lake: Lake, *, k: int = 3, new_only: bool = False, stop: Collection[str] = (), export: Path | None = None
) -> NextDishes:
    """What to offer every guest of the kept profiles next, as of their date; worked out first where there are none.

    new_only: only dishes they never had. stop: item ids or names, beside what the menu tags with `stop`. export: a file to write.
    Raises DataError as `Dishes.of` does, and for an export that is neither CSV nor Parquet.
    """
    dishes, (as_of, profiles, _) = Dishes.of(lake, stop), snapshot(lake)
    rows = dishes.next(profiles, as_of, k=k, new_only=new_only)
    if export is not None:
        write_sheet(rows, export)
    return NextDishes(as_of, tuple(sorted(dishes.stopped)), rows)


def _known(words: Collection[str], named: dict[str, str]) -> set[str]:
    """The dishes that item ids or names stand for, in capital or small letters."""
    spelled: dict[str, set[str]] = {}
    for item, dish in named.items() if words else ():
        for spelling in (item, dish):
            spelled.setdefault(spelling.casefold(), set()).add(dish)
    for word in words:
        if word.casefold() not in spelled:
            close = nearest(word.casefold(), spelled)
            raise DataError(f"no dish '{word}'{close}; a stop list takes the id of an item or its name on the menu")
    return {dish for word in words for dish in spelled[word.casefold()]}
