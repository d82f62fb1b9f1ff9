"""Terms: what an offer gives, to whom, where and when, how often, and who pays.

    kind = "amount_off"
    name = "Five off lunch"
    amount_minor = 500
    minimum_spend_minor = 2000
    currency = "USD"
    audience = "holders"
    hours = ["11:00-14:00"]
    ends_at = 2027-01-01T00:00:00Z
    cap = 1000
    budget_minor = 500000
    policy = "guaranteed"

Money is in minor units (500 is 5.00 dollars). Audience, end, cap, budget and policy have no default, for an offer without
one of them is how money is lost overnight.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

import pydantic

from regulars.benefits import KINDS, Benefit, Kind, needs
from regulars.clock import Holding, Hours, Weekday
from regulars.documents import Document, nearest
from regulars.errors import DataError
from regulars.money import exponent_of, share_of
from regulars.offers.bill import MOST_MINOR

_BENEFITS = tuple(dict.fromkeys(field for kind in KINDS for field in needs(kind)))
_YEARS = range(2000, 2200)
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")
_SCALE = 10**4


def _as_text(text: str) -> str:
    """Letters of every script and whatever else people write, but nothing that hides, breaks lines or breaks databases."""
    if (place := next((i for i, char in enumerate(text) if unicodedata.category(char) in _UNSEEN), None)) is not None:
        raise ValueError(f"character {place + 1} is a control character (U+{ord(text[place]):04X}); leave it out")
    return text


def _as_written(instant: Any) -> Any:
    if isinstance(instant, str | dt.datetime):
        return instant
    raise ValueError("it is no time; write one such as 2027-01-01T00:00:00Z")


def _as_utc(instant: dt.datetime) -> dt.datetime:
    if instant.year not in _YEARS:
        raise ValueError(f"the year {instant.year} is too far away; give one from {_YEARS[0]} to {_YEARS[-1]}")
    return instant.astimezone(dt.UTC)


def _as_currency(word: str) -> str:
    try:
        exponent_of(word)
    except DataError as error:
        raise ValueError(str(error)) from None
    return word


Minor = Annotated[int, pydantic.Field(strict=True, ge=0, le=MOST_MINOR)]
Count = Annotated[int, pydantic.Field(strict=True, ge=1, le=MOST_MINOR)]
Key = Annotated[str, pydantic.Field(min_length=1, max_length=64), pydantic.AfterValidator(_as_text)]
Title = Annotated[str, pydantic.Field(max_length=100), pydantic.AfterValidator(_as_text)]
Instant = Annotated[pydantic.AwareDatetime, pydantic.BeforeValidator(_as_written), pydantic.AfterValidator(_as_utc)]
Exact = Annotated[
    Decimal,
    pydantic.Field(ge=0, decimal_places=4, allow_inf_nan=False),
    pydantic.PlainSerializer(float, return_type=float, when_used="json"),
]


class Terms(Document):
    """What an offer promises. Fields that are left out do not limit it.

    name, name_zh: as guests read it. amount_minor: taken off, or the fixed price. percent, most_minor: percent off, and the
    most it takes off. item_id: the dish that is free or has its price. points: given to the guest. worth_minor: the most one
    use may cost us, where that does not follow: the dish's price or what the points are worth.
    scope, items: whether an amount or a percentage is taken off the whole order, or once off these dishes together.
    minimum_spend_minor: of the whole bill, before anything is taken off; minimum_excludes: dishes that do not count towards it.
    weekdays, hours: on the clock of the store; hours past midnight belong to the day they began on.
    valid_days: the last trading day of a voucher, counted from the one it was issued on.
    per_guest, per_day, per_store_hour, per_code, cap: most uses by one guest, in a trading day, in an hour of a store, of one
    code, and in all. per_minute: more uses than this in a minute halt the offer.
    policy: whether the worst case is set aside when a voucher is issued (guaranteed), or whoever comes first is served.
    platform_share: of the cost; the merchant bears the rest.
    group, with_groups: an offer goes together with those of the groups it names, if they name its own; alone unless it names
    any; a group that does not name itself gives at most one to a bill. order: the lower is taken off first.
    """

    kind: Kind
    name: Annotated[Title, pydantic.Field(min_length=1)]
    name_zh: Title = ""
    currency: Annotated[str, pydantic.AfterValidator(_as_currency)]
    amount_minor: Count | None = None
    percent: Annotated[Exact, pydantic.Field(gt=0, le=100)] | None = None
    most_minor: Count | None = None
    item_id: Key | None = None
    points: Count | None = None
    worth_minor: Count | None = None
    scope: Literal["order", "item"] = "order"
    items: Annotated[tuple[Key, ...], pydantic.Field(max_length=1000)] = ()
    minimum_spend_minor: Minor = 0
    minimum_excludes: Annotated[tuple[Key, ...], pydantic.Field(max_length=1000)] = ()

    audience: Literal["anyone", "holders"]
    stores: Annotated[tuple[Key, ...], pydantic.Field(max_length=10_000)] = ()
    first_order_only: pydantic.StrictBool = False
    weekdays: Annotated[tuple[Weekday, ...], pydantic.Field(max_length=7)] = ()
    hours: Annotated[tuple[Hours, ...], pydantic.Field(max_length=24)] = ()
    starts_at: Instant | None = None
    ends_at: Instant
    valid_days: Annotated[int, pydantic.Field(strict=True, ge=1, le=366)] | None = None

    cap: Count
    per_code: Count = 1
    per_guest: Count | None = None
    per_day: Count | None = None
    per_store_hour: Count | None = None
    per_minute: Count | None = None
    budget_minor: Count
    policy: Literal["guaranteed", "first_come"]
    platform_share: Annotated[Exact, pydantic.Field(le=1)] = Decimal(0)
    again_after_refund: pydantic.StrictBool = False

    group: Annotated[str, pydantic.Field(max_length=64), pydantic.AfterValidator(_as_text)] = ""
    with_groups: Annotated[tuple[Key, ...], pydantic.Field(max_length=100)] = ()
    order: Annotated[int, pydantic.Field(strict=True, ge=-1000, le=1000)] = 0

    @pydantic.model_validator(mode="after")
    def _holds_together(self) -> "Terms":
        if problems := [*self._of_benefit(), *self._of_time_and_place(), *self._of_caps()]:
            raise ValueError("; and ".join(problems))
        return self

    def _of_benefit(self) -> Iterator[str]:
        if self._missing:
            yield f"an offer of kind {self.kind} needs {' and '.join(self._missing)}; add it"
        if idle := [field for field in _BENEFITS if field not in needs(self.kind) and getattr(self, field) is not None]:
            yield f"{' and '.join(idle)} says nothing in an offer of kind {self.kind}; leave it out"
        if self.scope == "item" and self.kind not in ("amount_off", "percent_off"):
            yield f"scope = item is for amount_off and percent_off; {self.kind} does not need it, leave it out"
        elif (self.scope == "item") != bool(self.items):
            yield "scope = item and items belong together; give both or neither"

        if self.minimum_excludes and not self.minimum_spend_minor:
            yield "minimum_excludes says nothing without minimum_spend_minor; give both or neither"

    def _of_time_and_place(self) -> Iterator[str]:
        if self.starts_at is not None and self.starts_at >= self.ends_at:
            yield f"ends_at {self.ends_at.isoformat()} is not after starts_at {self.starts_at.isoformat()}; swap them"
        if self.with_groups and not self.group:
            yield "with_groups is given but no group, so no other offer could name this one; give it a group"

    def _of_caps(self) -> Iterator[str]:
        if self.per_code > self.cap:
            yield f"per_code {self.per_code} is more than cap {self.cap}, the uses of all codes; lower it to {self.cap}"
        if self.policy == "guaranteed" and not self._missing and self.worst_minor * self.cap > self.budget_minor:
            fit = self.budget_minor // self.worst_minor
            yield (
                f"budget_minor {self.budget_minor} guarantees {fit} uses of {self.worst_minor} each, not {self.cap}; lower cap"
                f" to {fit}, raise budget_minor to {self.worst_minor * self.cap}, or say policy = first_come"
            )

    @property
    def _missing(self) -> list[str]:
        return [field for field in needs(self.kind) if getattr(self, field) is None]

    @cached_property
    def benefit(self) -> Benefit:
        """What it gives."""
        return KINDS[self.kind](**{field: getattr(self, field) for field in needs(self.kind)})

    @cached_property
    def dishes(self) -> frozenset[str]:
        """The dishes that have to be on the bill; none where it is for the whole order."""
        return frozenset(self.items if self.item_id is None else (self.item_id,))

    @cached_property
    def uncounted(self) -> frozenset[str]:
        """The dishes that do not count towards the minimum spend."""
        return frozenset(self.minimum_excludes)

    @property
    def worst_minor(self) -> int:
        """The most that one use can cost us."""
        return self.benefit.worst_minor

    @cached_property
    def holding(self) -> Holding:
        """Its weekdays and hours."""
        return Holding.of(self.weekdays, self.hours)

    @cached_property
    def is_capped(self) -> bool:
        """Whether a use counts against more than its account and its code."""
        return any((self.per_guest, self.per_day, self.per_store_hour, self.per_minute))

    def title(self, language: str) -> str:
        """Its name for guests who read this language."""
        return self.name_zh if language == "zh" and self.name_zh else self.name

    def split(self, cost_minor: int) -> tuple[int, int]:
        """What the merchant and what the platform bears of a cost: together exactly the cost, halves to the platform."""
        platform = share_of(cost_minor, int(self.platform_share * _SCALE), _SCALE)
        return cost_minor - platform, platform


_MENDS = {
    "int_type": "give a whole number, money in minor units (550 for 5.50)",
    "bool_type": "say true or false",
    "timezone_aware": "say in which zone, such as 2027-01-01T00:00:00Z",
    "decimal_max_places": "round it",
}


def read(values: Mapping[str, Any]) -> Terms:
    """The terms in a document such as a JSON body. Raises DataError with a line for every field that is wrong, and its mend.

    >>> read({"kind": "points", "capp": 3})
    Traceback (most recent call last):
    regulars.errors.DataError: name: is missing; add it
    ...
    capp: no such field (did you mean 'cap'?)
    """
    try:
        return Terms.model_validate(values)
    except pydantic.ValidationError as error:
        raise DataError("\n".join(f"{field}: {text}" for field, text in problems_of(error))) from None


def problems_of(error: pydantic.ValidationError) -> list[tuple[str, str]]:
    """Every wrong field of the terms, and what is wrong with it. `terms` stands for what concerns several fields."""
    return [(".".join(map(str, problem["loc"])) or "terms", _sentence(dict(problem))) for problem in error.errors()]


def _sentence(problem: dict[str, Any]) -> str:
    match problem["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return f"no such field{nearest(str(problem['loc'][-1])[:64], Terms.model_fields)}"
        case "value_error":
            return str(problem["ctx"]["error"])
    given = problem["input"]
    shown = f"{str(given)[:40]!r}: " if isinstance(given, str | int | float) else ""
    mend = f"; {_MENDS[problem['type']]}" if problem["type"] in _MENDS else ""
    return f"{shown}{problem['msg'][0].lower()}{problem['msg'][1:]}{mend}"
