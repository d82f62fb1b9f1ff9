"""One town for all tests: small, with guests who come often, so that little luck tells much."""

import pytest

import regulars as rg
from regulars.planning import Offer
from regulars.rehearsal import OFFERS, Town

ONE_STORE = Offer.model_validate(
    {
        "offer_id": "lunch-at-one", "kind": "percent_off", "percent": 30, "most": 12, "stores": ["S01"],
        "hours": ["11:00-16:00"], "valid_days": 14,
    }
)  # fmt: skip


@pytest.fixture(scope="session")
def town() -> Town:
    """Read it; it never changes."""
    return rg.rehearsal.town(guests=4_000, stores=6, seed=1, pace=4, history_days=200, offers=(*OFFERS, ONE_STORE))
