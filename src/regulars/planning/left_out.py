"""Left out: who is in no audience, whatever the rule says."""

import datetime as dt

import narwhals as nw
import numpy as np
import pyarrow as pa

from regulars.measurement import global_holdout
from regulars.planning.campaign import Campaign
from regulars.profiles.things import tag_words
from regulars.tables import Lake

STAFF_TAG = "staff"


def season_of(day: dt.date) -> str:
    """The quarter, 2026Q4: how long the global holdout stays the same."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def staff(lake: Lake) -> pa.Array:
    """Guests with `staff` among their tags: what they eat says nothing about guests, and they hear of offers anyway."""
    if not lake.has("guests"):
        return pa.array([], pa.string())
    tagged = lake.collect(lake.scan("guests").filter(~nw.col("tags").is_null()).select("guest_id", "tags"))
    is_staff = [STAFF_TAG in tag_words(tags) for tags in tagged["tags"].to_pylist()]
    return tagged["guest_id"].combine_chunks().filter(pa.array(is_staff, pa.bool_()))


def is_held_back(guest: np.ndarray, campaign: Campaign, salt: str) -> np.ndarray:
    """Which of these guests no campaign of the season contacts, shape (n,)."""
    if not (campaign.global_holdout and len(guest)):
        return np.zeros(len(guest), np.bool_)
    return global_holdout(guest, salt=salt, share=campaign.global_holdout, season=season_of(campaign.starts_on))
