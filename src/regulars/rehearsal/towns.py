"""The town: guests, stores and rivals with a past, in which campaigns are lived and whose truth is known."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from regulars.errors import DesignError
from regulars.planning import Offer
from regulars.rehearsal import contract_tables
from regulars.rehearsal.contract_tables import guest_and_day
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.guests import Guests
from regulars.rehearsal.places import IntArray, Menu, Places
from regulars.rehearsal.runs import Run, told
from regulars.rehearsal.simulation import simulate
from regulars.rehearsal.truth import Truth, potential
from regulars.rehearsal.visits import Visits, past
from regulars.rehearsal.vouchers import Appeal, Voucher
from regulars.rehearsal.windows import Window, weariness

TODAY = dt.date(2026, 10, 5)
AVERAGE_CHECK = 3_532.0
WINDOW_DAYS, LATER_DAYS = 28, 28
_FORGOTTEN = 0.5

OFFERS = (
    Offer.model_validate({"offer_id": "ten-off", "kind": "amount_off", "amount": 10, "minimum_spend": 10}),
    Offer.model_validate({"offer_id": "free-dessert", "kind": "free_item", "item_id": "desserts-1", "minimum_spend": 28}),
    Offer.model_validate(
        {
            "offer_id": "quiet-days", "kind": "percent_off", "percent": 20, "most": 6, "minimum_spend": 15,
            "weekdays": ["monday", "tuesday", "wednesday", "thursday"],
        }
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Town:
    """A simulated town on one morning. Amounts are in minor units, n guests, k offers.

    guests, stores, menu_items, orders, order_items: Arrow tables in our contracts, all that happened before `today`.
    offers: what may be given. traits: what each guest is really like. is_lost: (n,) who is no longer ours.
    messages: (n,) how many recent messages weigh on each guest.
    """

    seed: int
    today: dt.date
    guests: pa.Table
    stores: pa.Table
    menu_items: pa.Table
    orders: pa.Table
    order_items: pa.Table
    offers: tuple[Offer, ...]
    traits: Guests
    places: Places
    menu: Menu
    is_lost: np.ndarray
    messages: FloatArray
    average_check: float

    def __len__(self) -> int:
        return len(self.traits)

    @property
    def offer_ids(self) -> tuple[str, ...]:
        return tuple(offer.offer_id for offer in self.offers)

    @property
    def store_ids(self) -> tuple[str, ...]:
        return tuple(self.stores["store_id"].to_pylist())

    @property
    def guest_ids(self) -> np.ndarray:
        """Shape (n,)."""
        return self.guests["guest_id"].to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    def spent(self, days: int) -> FloatArray:
        """What each guest paid in the last `days` days before today, minor units, shape (n,)."""
        guest, day = guest_and_day(self.orders)
        lately = day >= self.today.toordinal() - days
        paid = self.orders["amount_minor"].to_numpy()[lately]
        return np.bincount(guest[lately], weights=paid, minlength=len(self)).astype(np.float64)

    @property
    def truth(self) -> Truth:
        """What each offer would change in each guest in the next four weeks and the four that follow."""
        return self.truth_of(WINDOW_DAYS, LATER_DAYS)

    def truth_of(self, days: int, later_days: int = LATER_DAYS) -> Truth:
        """The same for a window of `days` days with `later_days` after it."""
        return potential(self._window(days, later_days))

    def run(self, assignment: ArrayLike, days: int = WINDOW_DAYS, *, later_days: int = LATER_DAYS) -> "Run[Town]":
        """Give each guest an offer and live the window and the weeks that follow.

        assignment: the index of each guest's offer, -1 for nothing, shape (n,).
        The town as it is then is the run's `after`. Chance is the same for any assignment, so two runs from the same morning
        differ by what was given and nothing else. Raises ValueError for an offer that is not there, or days below 1.
        """
        window = self._window(days, later_days)
        action = _as_action(assignment, self)
        visits, is_lost = simulate(window, action)
        orders, items = _booked(visits, self.traits, self.menu, self.store_ids, len(self.orders), self.seed)
        after = replace(
            self,
            today=self.today + dt.timedelta(days=days + later_days),
            orders=pa.concat_tables([self.orders, orders]),
            order_items=pa.concat_tables([self.order_items, items]),
            is_lost=is_lost,
            messages=self.messages * _FORGOTTEN + (action >= 0),
        )
        return told(self, after, window, action, visits, orders, items)

    def with_luck(self, seed: int) -> "Town":
        """The same morning and the same guests, whose next days will be lived with other luck."""
        return replace(self, seed=seed)

    def with_offers(self, offers: Sequence[Offer]) -> "Town":
        """The same morning, with other offers. Raises DesignError for dishes or stores that the town does not have."""
        _check_offers(offers, self.menu.item_id, self.store_ids)
        return replace(self, offers=tuple(offers))

    def _window(self, days: int, later_days: int) -> Window:
        if days < 1 or later_days < 0:
            raise ValueError(
                f"a window of {days} days and {later_days} after it; give at least 1 day, and 0 or more after it"
            )
        vouchers = [Voucher.of(offer, self.menu, self.store_ids) for offer in self.offers]
        tired = weariness(self.messages)
        return Window(
            guests=self.traits,
            is_lost=self.is_lost,
            messages=self.messages,
            vouchers=[(v, Appeal.of(v, self.traits, self.average_check, tired)) for v in vouchers],
            first=self.today,
            days=days,
            later_days=later_days,
            seed=self.seed,
        )


def town(
    guests: int = 10_000,
    stores: int = 20,
    seed: int = 0,
    *,
    today: dt.date = TODAY,
    history_days: int = 364,
    average_check: float = AVERAGE_CHECK,
    pace: float = 1.0,
    offers: Sequence[Offer] = OFFERS,
    store_ids: Sequence[str] = (),
) -> Town:
    """A town of `guests` people and `stores` own stores, with `history_days` of past before `today`; the same seed, the same town.

    average_check: minor units. pace: how often guests come, as a multiple of the customers the town is made after.
    offers: those of a campaign file; a dish they name is put on the menu. store_ids: names of the first stores.
    Raises ValueError for a town without guests, stores or past, DesignError for offers it cannot give.

    >>> small = town(guests=100, stores=2)
    >>> small.truth.gain.shape, small.run([-1] * 100).true_gain_minor
    ((100, 3), 0.0)
    """
    _check_town(guests, stores, seed, history_days, average_check, pace)
    rng = np.random.default_rng([seed, 0])
    places = Places.draw(stores, rng)
    wanted = tuple(offer.item_id for offer in offers if offer.item_id is not None)
    menu = Menu.draw(average_check, wanted, rng)
    called = (*store_ids, *(name for i in range(stores) if (name := f"S{i + 1:02d}") not in store_ids))[:stores]
    _check_offers(offers, menu.item_id, called)
    traits = Guests.draw(guests, places, average_check=average_check, pace=pace, days=history_days, rng=rng)
    first = today - dt.timedelta(days=history_days)
    visits, is_lost = past(traits, first, history_days, seed)
    orders, items = _booked(visits, traits, menu, called, 0, seed)
    return Town(
        seed=seed,
        today=today,
        guests=contract_tables.guest_table(traits, called, first),
        stores=contract_tables.store_table(places, called),
        menu_items=contract_tables.menu_table(menu),
        orders=orders,
        order_items=items,
        offers=tuple(offers),
        traits=traits,
        places=places,
        menu=menu,
        is_lost=is_lost,
        messages=np.zeros(guests),
        average_check=float(average_check),
    )


def _booked(
    visits: Visits, guests: Guests, menu: Menu, store_ids: tuple[str, ...], number: int, seed: int
) -> tuple[pa.Table, pa.Table]:
    lines = contract_tables.lines_of(visits, guests, menu, np.random.default_rng([seed, number, 4]))
    return contract_tables.order_table(visits, store_ids, number), contract_tables.item_table(lines, menu, number)


def _check_town(guests: int, stores: int, seed: int, history_days: int, average_check: float, pace: float) -> None:
    for name, value in (("guests", guests), ("stores", stores), ("history_days", history_days)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name} is a whole number, not {value!r}")
        if value < 1:
            raise ValueError(f"a town needs {name} of at least 1, not {value}")
    if seed < 0:
        raise ValueError(f"seed is {seed}; give 0 or a positive whole number")
    if not 1 <= average_check < 1e12:
        raise ValueError(f"average_check is {average_check}; give minor units, at least 1")
    if not 0 < pace <= 1_000:
        raise ValueError(f"pace is {pace}; 1 is that of the customers the town is made after, 4 is four times as often")


def _check_offers(offers: Sequence[Offer], items: Sequence[str], store_ids: Sequence[str]) -> None:
    if not offers:
        raise DesignError("a town without offers has nothing to find out; give at least one")
    for offer in offers:
        if offer.item_id is not None and offer.item_id not in items:
            raise DesignError(
                f"offer {offer.offer_id}: no dish '{offer.item_id}' in this town; it has {', '.join(items)}"
            )
        if unknown := sorted(set(offer.stores) - set(store_ids)):
            raise DesignError(
                f"offer {offer.offer_id}: no store {', '.join(unknown)} in this town; it has {len(store_ids)} stores"
            )


def _as_action(assignment: ArrayLike, place: Town) -> IntArray:
    action = np.asarray(assignment)
    if action.shape != (len(place),):
        raise ValueError(
            f"assignment has shape {action.shape}; give one offer for each guest, ({len(place)},), -1 for nothing"
        )
    if not np.issubdtype(action.dtype, np.integer):
        raise TypeError(f"assignment holds {action.dtype}; give the index of each guest's offer, -1 for nothing")
    if ((action < -1) | (action >= len(place.offers))).any():
        row = int(np.argmax((action < -1) | (action >= len(place.offers))))
        raise ValueError(
            f"assignment[{row}] is {action[row]}, no offer of this town; 0 to {len(place.offers) - 1} are "
            f"{', '.join(place.offer_ids)}, and -1 is nothing"
        )
    return action.astype(np.int64)
