"""Arms: who was contacted and who was held out, as they were drawn, and what no arithmetic can mend.

By assignment: everybody who was not held out is compared with those who were, whatever they were given; so who explored and drew
nothing counts among the contacted. Where all guests had the same chances, as in a campaign drawn by lot alone, each offer is an arm
of its own, so that the next unit of subsidy can be told.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DesignError
from regulars.measurement import check_shares_steady, check_windows_over
from regulars.measurement.moments import Label
from regulars.planning.campaign import Campaign
from regulars.wording import Sentence

HOLDOUT, CONTACTED, NOTHING = "holdout", "contacted", "nothing"
_EXPLORE = "explore"
_FEWEST_IN_STORE = 5
"""Guests a store, on average, from which on it is no accident that all of a store are in one arm."""


def arms_of(rows: pa.Table) -> np.ndarray:
    """The arm of each guest of the exposures, shape (n,): holdout, and contacted, or the offer or nothing where chances were alike."""
    is_held = _is_held(rows)
    offers = rows["offer_id"].drop_null().unique().to_pylist()
    if len(offers) > 1 and rows["propensity"].null_count == 0 and _is_plain_lottery(rows):
        given = pc.fill_null(rows["offer_id"], NOTHING).to_numpy(zero_copy_only=False).astype(str)
        return np.where(is_held, HOLDOUT, given)
    return np.where(is_held, HOLDOUT, CONTACTED)


def has_holdout(rows: pa.Table) -> bool:
    """Whether any arm is called holdout."""
    return bool(pc.any(pc.equal(rows["arm"], HOLDOUT)).as_py())


def _is_held(rows: pa.Table) -> np.ndarray:
    """Who was held out. Where no arm is called so: explorers who drew nothing, or all who were given nothing where nobody explored."""
    arm = rows["arm"].to_numpy(zero_copy_only=False)
    if (arm == HOLDOUT).any():
        return np.array(arm == HOLDOUT, dtype=bool)
    has_nothing: np.ndarray = pc.is_null(rows["offer_id"]).to_numpy(zero_copy_only=False).astype(bool)
    drew_nothing = has_nothing & np.array(arm == _EXPLORE, dtype=bool)
    return drew_nothing if drew_nothing.any() else has_nothing


def _is_plain_lottery(rows: pa.Table) -> bool:
    """Whether each offer has one chance, the same for all guests who got it."""
    grouped = rows.group_by("offer_id").aggregate([("propensity", "min"), ("propensity", "max")])
    spread = pc.max(pc.subtract(grouped["propensity_max"], grouped["propensity_min"])).as_py()
    return len(grouped) > 1 and spread < 1e-9


def planned_shares(arm: np.ndarray, plan: Campaign | None) -> dict[Label, float] | None:
    """What share each arm was meant to get; None where no plan says it of these arms."""
    if plan is None or not plan.holdout or set(np.unique(arm)) != {CONTACTED, HOLDOUT}:
        return None
    return {CONTACTED: 1.0 - plan.holdout, HOLDOUT: plan.holdout}


def check_arms(campaign_id: str, rows: pa.Table, arm: np.ndarray) -> None:
    """Raise DesignError where nobody was held out, everybody was, or the lot was changed midway."""
    if not (arm == HOLDOUT).any():
        names = ", ".join(sorted(str(name) for name in pc.unique(rows["arm"]).to_pylist()))
        raise DesignError(
            f"campaign {campaign_id}: everybody was treated (arms {names}), so nobody can say what would have happened "
            "without it; keep a holdout in the next one, logged as arm holdout"
        )
    if (arm == HOLDOUT).all():
        raise DesignError(f"campaign {campaign_id}: everybody was held out, so there is nothing to judge")
    check_shares_steady(arm, rows["exposed_at"].to_numpy(zero_copy_only=False))


def check_over(guests: int, first: dt.date, days: int, as_of: dt.date) -> None:
    """Raise DesignError while `days` days from the first are not over at the end of a business date."""
    known_until = dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time(0))
    check_windows_over(np.full(guests, np.datetime64(first, "us")), days=days, as_of=known_until)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn by lot: guests, or stores treated or held out whole.

    arm: (n,); where stores were drawn, held out or contacted. store: (n,) the store of each guest, themselves where theirs is
    unknown; None where guests were drawn.
    """

    arm: np.ndarray
    store: np.ndarray | None = None
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def of(cls, guest: np.ndarray, home: np.ndarray, arm: np.ndarray) -> "Drawn":
        """home: the home store of each guest, "" where unknown, shape (n,).

        Raises DesignError where an arm is a single store: how that store fares cannot be told from what it was given.
        """
        side = np.where(arm == HOLDOUT, HOLDOUT, CONTACTED)
        is_known = home != ""
        stores, sides = np.unique(np.column_stack([home[is_known], side[is_known]]), axis=0).T
        is_whole = len(stores) > 1 and len(np.unique(stores)) == len(stores) and len(np.unique(sides)) > 1
        if not is_whole or is_known.sum() < _FEWEST_IN_STORE * len(stores):
            return cls(arm)
        counts = {name: int((sides == name).sum()) for name in (CONTACTED, HOLDOUT)}
        _refuse_single_store(stores, sides, counts)
        note = Sentence("stores_drawn_whole", contacted=counts[CONTACTED], held_out=counts[HOLDOUT])
        return cls(side, np.where(is_known, home, np.char.add("guest ", guest.astype(str))), (note,))


def _refuse_single_store(stores: np.ndarray, sides: np.ndarray, counts: dict[str, int]) -> None:
    alone = min(counts, key=lambda side: counts[side])
    if counts[alone] == 1:
        raise DesignError(
            f"cannot know: all who were {'contacted' if alone == CONTACTED else 'held out'} are guests of one store, "
            f"{stores[sides == alone][0]}, so what it was given cannot be told from how it fares; "
            "draw guests by lot, or ten stores or more for each arm"
        )
