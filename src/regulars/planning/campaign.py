"""The campaign file: audience, offers, budget, caps and window, as an operator writes them.

    name = "Autumn regulars"
    audience = "visits >= 3 and recency_days <= 90"
    starts_on = 2026-10-01
    window_days = 28
    holdout = 0.10

    [budget]
    total = 2000

    [[offers]]
    offer_id = "five-off"
    kind = "amount_off"
    amount = 5
    minimum_spend = 30

Amounts are in major units of the workspace's currency (12.50).
"""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, assert_never

import pydantic

from regulars.benefits import AmountOff, Benefit, FixedPrice, FreeItem, Kind, PercentOff, needs
from regulars.clock import Hours, Weekday
from regulars.documents import Document, parse, read_text
from regulars.errors import DataError
from regulars.money import to_minor
from regulars.segments import Segment, is_reference

Share = Annotated[float, pydantic.Field(ge=0, lt=1)]
Amount = Annotated[Decimal, pydantic.Field(ge=0, le=Decimal(10**12), allow_inf_nan=False)]
Name = Annotated[str, pydantic.Field(min_length=1, max_length=200)]
Planned = Literal["amount_off", "percent_off", "free_item", "fixed_price"]
"""The kinds of offer that a campaign can plan; points change what guests do in ways that no past voucher tells."""
_BENEFITS = ("amount", "percent", "most", "item_id")


def needed(kind: Kind) -> tuple[str, ...]:
    """The fields of an offer of this kind; what a dish is worth follows from the menu."""
    return tuple(field.removesuffix("_minor") for field in needs(kind) if field != "worth_minor")


class Offer(Document):
    """What a guest may be given.

    amount: taken off, or the fixed price. percent, most: percent off, and the most it may take off. item_id: the dish.
    like: the past offer whose exposures teach what this one does; None means its own.
    stock: how many guests may get it.
    """

    offer_id: Name
    kind: Planned
    name: str | None = None
    amount: Amount | None = None
    percent: Annotated[float, pydantic.Field(gt=0, le=100)] | None = None
    most: Amount | None = None
    item_id: Name | None = None
    minimum_spend: Amount | None = None
    valid_days: Annotated[int, pydantic.Field(ge=1, le=366)] | None = None
    stores: tuple[Name, ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    hours: tuple[Hours, ...] = ()
    stock: Annotated[int, pydantic.Field(ge=0)] | None = None
    like: Name | None = None

    @pydantic.model_validator(mode="after")
    def _is_complete(self) -> "Offer":
        if missing := [field for field in needed(self.kind) if getattr(self, field) is None]:
            raise ValueError(f"an offer of kind {self.kind} needs {' and '.join(missing)}; add it")
        idle = [field for field in _BENEFITS if field not in needed(self.kind) and getattr(self, field) is not None]
        if idle:
            raise ValueError(f"{' and '.join(idle)} says nothing in an offer of kind {self.kind}; leave it out")
        return self

    def benefit(self, currency: str, price_of: Callable[[str], float]) -> Benefit:
        """What it gives. price_of: the menu's price of a dish, minor units, asked only for offers of a dish."""
        match self.kind:
            case "amount_off":
                return AmountOff(amount_minor=to_minor(self._said("amount"), currency))
            case "percent_off":
                return PercentOff(percent=Decimal(str(self.percent)), most_minor=to_minor(self._said("most"), currency))
            case "free_item":
                item = str(self.item_id)
                return FreeItem(item_id=item, worth_minor=round(price_of(item)))
            case "fixed_price":
                item, price = str(self.item_id), to_minor(self._said("amount"), currency)
                return FixedPrice(amount_minor=price, item_id=item, worth_minor=max(round(price_of(item)) - price, 0))
        assert_never(self.kind)

    def _said(self, field: str) -> Decimal:
        return Decimal(getattr(self, field))

    @property
    def learns_from(self) -> str:
        return self.like or self.offer_id

    @property
    def title(self) -> str:
        return self.name or self.offer_id


class Budget(Document):
    """What may be spent on subsidies, in expectation: in all, and at each store (by the guest's home store)."""

    total: Amount
    per_store: dict[str, Amount] = pydantic.Field(default_factory=dict)
    each_store: Amount | None = None


class Caps(Document):
    """Whom to leave in peace. messages: most guests to contact. rest_days: days since a guest's last offer."""

    messages: Annotated[int, pydantic.Field(ge=0)] | None = None
    rest_days: Annotated[int, pydantic.Field(ge=0, le=365)] = 0


class Campaign(Document):
    """One campaign, as planned from its file.

    holdout: share of the audience kept without contact. global_holdout: share of all guests whom no campaign of the same quarter
    contacts, the same ones in all of them. exploration: share that gets a random action, so that every
    campaign teaches. window_days: how long after the start offers hold and the outcome is counted; after_days: how many days
    more, so that what was only pulled forward is taken off. expected_redemption: the share of vouchers that is thought to be
    redeemed while nothing is known. min_roi: least total gain per cost.
    """

    name: Annotated[str, pydantic.Field(min_length=1, max_length=100)]
    campaign_id: Annotated[str, pydantic.Field(pattern=r"^[\w-]{0,60}$")] = ""
    audience: str
    starts_on: dt.date
    window_days: Annotated[int, pydantic.Field(ge=1, le=365)] = 28
    after_days: Annotated[int, pydantic.Field(ge=0, le=365)] = 0
    outcome: Literal["margin", "spend"] = "margin"
    holdout: Share = 0.10
    global_holdout: Share = 0.02
    exploration: Share = 0.05
    expected_redemption: Annotated[float, pydantic.Field(gt=0, le=1)] = 1.0
    min_roi: Annotated[float, pydantic.Field(ge=0)] | None = None
    seed: int = 0
    budget: Budget
    caps: Caps = Caps()
    offers: Annotated[tuple[Offer, ...], pydantic.Field(min_length=1, max_length=30)]

    @pydantic.field_validator("audience")
    @classmethod
    def _is_a_rule(cls, audience: str) -> str:
        try:
            if not is_reference(audience):
                Segment(audience)
        except DataError as error:
            raise ValueError(str(error)) from None
        return audience

    @pydantic.model_validator(mode="after")
    def _holds_together(self) -> "Campaign":
        names = [offer.offer_id for offer in self.offers]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"offers: '{twice}' stands twice; give each offer an offer_id of its own")
        if self.holdout == 0 and self.exploration == 0:
            raise ValueError(
                "holdout and exploration are both 0, so nobody could ever know what it brought; keep one of them"
            )
        if self.holdout + self.exploration >= 1:
            raise ValueError("holdout and exploration leave nobody to treat; lower one of them")
        return self

    @property
    def identity(self) -> str:
        """The campaign's id: as written, or made from its name and start."""
        slug = re.sub(r"[^\w]+", "-", self.name.lower()).strip("-")[:48]
        return self.campaign_id or f"{slug}-{self.starts_on:%Y%m%d}"

    @property
    def counted_days(self) -> int:
        """Over how many days from the start the outcome is counted."""
        return self.window_days + self.after_days

    @property
    def decided_on(self) -> dt.date:
        """The last business date that may be known when it is planned."""
        return self.starts_on - dt.timedelta(days=1)


def read_campaign(path: Path) -> Campaign:
    """The campaign in a file. Raises DataError with line, field and mend for everything that is wrong in it."""
    return parse_campaign(read_text(path), name=path.name)


def parse_campaign(text: str, *, name: str = "campaign.toml") -> Campaign:
    """The campaign in a text; `name` stands for its file in error messages."""
    return parse(text, Campaign, name=name)
