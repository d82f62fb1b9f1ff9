"""Contracts: the tables of the lake, their columns, units and keys.

A contract says what a row must be; `readings` makes values of it, `intake` applies it, `docs/tables.md` prints it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import pyarrow as pa

from regulars.benefits import KINDS
from regulars.documents import nearest
from regulars.errors import DataError


class Kind(enum.Enum):
    """What a column holds, and how the lake stores it."""

    ID = "id"
    TEXT = "text"
    MONEY = "money"
    NUMBER = "number"
    INTEGER = "integer"
    INSTANT = "instant"
    DATE = "date"
    BOOLEAN = "boolean"
    CLOCK = "clock"
    ZONE = "zone"

    @property
    def arrow(self) -> pa.DataType:
        return _ARROW[self]


INSTANT = pa.timestamp("us", "UTC")
_ARROW = {
    Kind.ID: pa.string(),
    Kind.TEXT: pa.string(),
    Kind.MONEY: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.INTEGER: pa.int64(),
    Kind.INSTANT: INSTANT,
    Kind.DATE: pa.date32(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.CLOCK: pa.string(),
    Kind.ZONE: pa.string(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a contract.

    default: the value where the source has none; a column without default must be mapped unless `is_optional`.
    is_setting: where the source has none, the workspace's setting of that name is the value.
    least, most: bounds, in the column's own unit. is_scale: the source may judge on another scale, which the mapping says.
    is_percent: 95 is 95 %. words: the only ones it may hold. nothing: values with which systems say that they know none.
    is_birthday: of somebody alive. may_lie_ahead: a time that may be in the future.
    """

    name: str
    kind: Kind
    meaning: str
    is_optional: bool = False
    default: str | int | float | bool | None = None
    is_setting: bool = False
    least: float | None = None
    most: float | None = None
    is_scale: bool = False
    is_percent: bool = False
    words: tuple[str, ...] = ()
    nothing: tuple[float, ...] = ()
    is_birthday: bool = False
    may_lie_ahead: bool = False

    @property
    def may_be_absent(self) -> bool:
        return self.is_optional or self.is_setting or self.default is not None


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One table: its columns, its key, and the tables whose keys it speaks of.

    references: column -> table in which its value must be found.
    derived: columns that the load adds, never read from a source.
    lasting: columns that stay as they were loaded first; a row that says otherwise is rejected and does not replace.
    place: columns that say where and when a row was; one that comes with another place is hardly the same.
    come_whole: rows that share the first column of the key come together: what a later source no longer has of them goes.
    """

    table: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    references: Mapping[str, str] = field(default_factory=dict)
    derived: tuple[Column, ...] = ()
    lasting: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    come_whole: bool = False

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def instants(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kind is Kind.INSTANT)

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the stored table."""
        return pa.schema([pa.field(column.name, column.kind.arrow) for column in (*self.columns, *self.derived)])


def _id(name: str, meaning: str, *, is_optional: bool = False) -> Column:
    return Column(name=name, kind=Kind.ID, meaning=meaning, is_optional=is_optional)


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, kind=Kind.TEXT, meaning=meaning, is_optional=True)


def _money(
    name: str, meaning: str, *, optional: bool = False, default: int | None = None, least: float | None = None
) -> Column:
    return Column(name=name, kind=Kind.MONEY, meaning=meaning, is_optional=optional, default=default, least=least)


def _number(name: str, meaning: str, *, least: float | None = None, most: float | None = None) -> Column:
    return Column(name=name, kind=Kind.NUMBER, meaning=meaning, is_optional=True, least=least, most=most)


def _date(name: str, meaning: str) -> Column:
    return Column(name=name, kind=Kind.DATE, meaning=meaning, is_optional=True)


ARMS = ("treated", "explore", "holdout")
_PLACE = (
    _number("latitude", "degrees north", least=-90, most=90),
    _number("longitude", "degrees east", least=-180, most=180),
)
_IN_STORES = MappingProxyType({"store_id": "stores"})

GUESTS = Contract(
    table="guests",
    meaning="people who eat with us",
    key=("guest_id",),
    columns=(
        _id("guest_id", "the guest"),
        Column(name="joined_at", kind=Kind.INSTANT, meaning="when they joined", is_optional=True),
        Column(name="birthday", kind=Kind.DATE, meaning="day of birth", is_optional=True, is_birthday=True),
        _text("gender", "as they gave it"),
        _text("language", "language tag, such as zh-CN"),
        Column(name="zone", kind=Kind.ZONE, meaning="time zone, such as Asia/Shanghai", is_optional=True),
        _id("home_store", "the store they call their own", is_optional=True),
        *_PLACE,
        _text("tags", "free words, separated by semicolons"),
    ),
)

STORES = Contract(
    table="stores",
    meaning="restaurant locations",
    key=("store_id",),
    columns=(
        _id("store_id", "the store"),
        _text("name", "as guests know it"),
        Column(name="zone", kind=Kind.ZONE, meaning="time zone, such as America/New_York", is_setting=True),
        Column(
            name="day_closes_at", kind=Kind.CLOCK, meaning="local time at which the trading day ends", is_setting=True
        ),
        _text("city", "city"),
        *_PLACE,
        _text("cuisine", "what it cooks"),
        Column(name="seats", kind=Kind.INTEGER, meaning="seats", is_optional=True, least=0, nothing=(0,)),
        _date("opened_on", "first day of trade"),
    ),
)

MENU_ITEMS = Contract(
    table="menu_items",
    meaning="what can be ordered",
    key=("item_id",),
    columns=(
        _id("item_id", "the dish"),
        Column(name="name", kind=Kind.TEXT, meaning="as on the menu"),
        _text("category", "section of the menu"),
        _money("price_minor", "list price, minor units", optional=True, least=0),
        _money("cost_minor", "cost of its ingredients, minor units", optional=True, least=0),
        _text("tags", "free words, separated by semicolons; a dish with the word stop is never offered"),
    ),
)

ORDERS = Contract(
    table="orders",
    meaning="checks, one row each",
    key=("order_id",),
    columns=(
        _id("order_id", "the check"),
        _id("guest_id", "who ordered, where known", is_optional=True),
        _id("store_id", "where"),
        Column(name="ordered_at", kind=Kind.INSTANT, meaning="when, an instant in UTC"),
        _money("amount_minor", "paid, after discounts, before tip, minor units; negative on a refund"),
        _money("discount_minor", "discount given, minor units", default=0),
        _money(
            "margin_minor",
            "what the order left: the amount paid, so after the discount, less the cost of the food; minor units",
            optional=True,
        ),
        _text("currency", "ISO 4217 code; must be the workspace's"),
        _text("channel", "dine-in, takeaway, delivery, ..."),
        Column(
            name="covers", kind=Kind.INTEGER, meaning="guests at the table", is_optional=True, least=0, nothing=(0,)
        ),
        _text("voucher_code", "voucher used"),
        Column(name="is_refund", kind=Kind.BOOLEAN, meaning="gives money back", default=False),
    ),
    references=_IN_STORES,
    place=("store_id", "business_date"),
    derived=(
        Column(name="business_date", kind=Kind.DATE, meaning="trading day in the store's zone"),
        Column(name="hour", kind=Kind.INTEGER, meaning="hour on the store's clock, 0 to 23"),
    ),
)

ORDER_ITEMS = Contract(
    table="order_items",
    meaning="the lines of the checks",
    key=("order_id", "line"),
    columns=(
        _id("order_id", "the check"),
        Column(name="line", kind=Kind.INTEGER, meaning="number that tells the lines of one check apart"),
        _id("item_id", "the dish"),
        Column(name="quantity", kind=Kind.NUMBER, meaning="how many; negative where returned", default=1.0),
        _money("amount_minor", "paid for the line, after discounts, minor units"),
        _money("discount_minor", "discount on the line, minor units", default=0),
    ),
    references=MappingProxyType({"order_id": "orders"}),
    come_whole=True,
)

KITCHEN = Contract(
    table="kitchen",
    meaning="what the kitchen recorded of the lines of the checks",
    key=("order_id", "line"),
    columns=(
        _id("order_id", "the check"),
        Column(name="line", kind=Kind.INTEGER, meaning="the line of the check, as in order_items"),
        _id(
            "item_id",
            "the dish, where the line is not among order_items, as one that was struck off is not",
            is_optional=True,
        ),
        _id("cook", "who cooked it", is_optional=True),
        _id("batch", "the supplier's batch of its main ingredient", is_optional=True),
        _number("prep_seconds", "from the order to the pass, seconds", least=0),
        Column(name="is_void", kind=Kind.BOOLEAN, meaning="sent back or struck off", default=False),
    ),
    references=MappingProxyType({"order_id": "orders"}),
)

REVIEWS = Contract(
    table="reviews",
    meaning="what guests said",
    key=("review_id",),
    columns=(
        _id("review_id", "the review"),
        _id("guest_id", "who wrote it, where known", is_optional=True),
        _id("store_id", "about which store"),
        _id("order_id", "about which check", is_optional=True),
        _id("item_id", "about which dish", is_optional=True),
        Column(name="reviewed_at", kind=Kind.INSTANT, meaning="when, an instant in UTC"),
        Column(
            name="rating", kind=Kind.NUMBER, meaning="stars, 1 to 5", is_optional=True, least=1, most=5, is_scale=True
        ),
        _text("text", "the words"),
    ),
    references=_IN_STORES,
)

OFFERS = Contract(
    table="offers",
    meaning="what may be given",
    key=("offer_id",),
    columns=(
        _id("offer_id", "the offer"),
        Column(name="kind", kind=Kind.TEXT, meaning="what is given", words=(*KINDS, "mixed")),
        _text("name", "as guests read it"),
        _money("amount_minor", "amount off or fixed price, minor units", optional=True, least=0),
        Column(
            name="percent",
            kind=Kind.NUMBER,
            meaning="percent off, 20 for 20 %",
            is_optional=True,
            least=0,
            most=100,
            is_scale=True,
            is_percent=True,
        ),
        _money("most_minor", "most that percent off may take off, minor units", optional=True, least=0),
        _id("item_id", "the free dish", is_optional=True),
        _money("least_spend_minor", "minimum spend, minor units", optional=True, least=0),
    ),
)

EXPOSURES = Contract(
    table="exposures",
    meaning="what each guest was assigned in past campaigns, including nothing",
    key=("campaign_id", "guest_id"),
    lasting=("offer_id", "arm"),
    columns=(
        _id("campaign_id", "the campaign"),
        _id("guest_id", "the guest"),
        _id("offer_id", "the offer; none means nothing was sent", is_optional=True),
        Column(name="arm", kind=Kind.TEXT, meaning="which part of the trial", default="treated", words=ARMS),
        _number(
            "propensity", "probability of this assignment, known only where it was drawn at random", least=0, most=1
        ),
        Column(name="exposed_at", kind=Kind.INSTANT, meaning="from when, an instant in UTC"),
        Column(
            name="ends_at",
            kind=Kind.INSTANT,
            meaning="until when the offer held, an instant in UTC",
            is_optional=True,
            may_lie_ahead=True,
        ),
        _id("plan_id", "the plan that was run", is_optional=True),
    ),
)

REDEMPTIONS = Contract(
    table="redemptions",
    meaning="vouchers that were used",
    key=("redemption_id",),
    columns=(
        _id("redemption_id", "the redemption"),
        _id("campaign_id", "the campaign", is_optional=True),
        _id("guest_id", "the guest", is_optional=True),
        _id("offer_id", "the offer"),
        _id("store_id", "where", is_optional=True),
        _id("order_id", "on which check", is_optional=True),
        Column(name="redeemed_at", kind=Kind.INSTANT, meaning="when, an instant in UTC"),
        _money("cost_minor", "what it cost us, minor units; none where unknown", optional=True, least=0),
        _money(
            "beside_check_minor",
            "the part of the cost by which no amount paid is lower, such as a platform's share; minor units",
            default=0,
            least=0,
        ),
    ),
)

CONTRACTS = MappingProxyType(
    {
        c.table: c
        for c in (STORES, GUESTS, MENU_ITEMS, ORDERS, ORDER_ITEMS, KITCHEN, REVIEWS, OFFERS, EXPOSURES, REDEMPTIONS)
    }
)


def contract(table: str) -> Contract:
    """The contract of a table. Raises DataError with the nearest known name."""
    if table not in CONTRACTS:
        raise DataError(f"no table '{table}'{nearest(table, CONTRACTS)}; the tables are {', '.join(CONTRACTS)}")
    return CONTRACTS[table]
