"""The global holdout: the share of all guests whom no campaign of the same quarter contacts."""

import datetime as dt

import numpy as np

from regulars.measurement import global_holdout
from regulars.planning.campaign import Campaign


def season_of(day: dt.date) -> str:
    """The quarter, 2026Q4: how long the global holdout stays the same."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def is_held_back(guest: np.ndarray, campaign: Campaign, salt: str) -> np.ndarray:
    """Which of these guests no campaign of the season contacts, shape (n,)."""
    if not (campaign.global_holdout and len(guest)):
        return np.zeros(len(guest), np.bool_)
    return global_holdout(guest, salt=salt, share=campaign.global_holdout, season=season_of(campaign.starts_on))
