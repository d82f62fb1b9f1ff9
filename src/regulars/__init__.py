"""regulars turns diners into regulars: growth operations for restaurants.

The rooms, in the order the data goes through them:

    tables        data in: contracts, readers, mappings, the lake
    profiles      who they are, what they would like
    segments      rules over profiles, one line of text each
    guests        what a workspace knows of its guests: facts, kept profiles, segments, one of them
    effects       what each offer changes in each guest
    allocation    who gets what under the budget
    measurement   the referee: design, assignment, lift
    quality       dishes and service: from reviews and orders, what is good, what changed, what it is worth
    planning      the campaign file and the plan
    results       what campaigns brought: statements, quarters, outcomes, back-tests
    reports       pictures and pages from results
    rehearsal     a simulated town whose truth is known
"""

import importlib
from types import ModuleType

from regulars.errors import (
    BudgetError,
    DataError,
    DeliveryError,
    DesignError,
    FitError,
    OfferError,
    PermissionDenied,
    RegularsError,
)

__version__ = "0.1.0"

_ROOMS = (
    "tables", "profiles", "segments", "guests", "effects", "allocation",
    "measurement", "quality", "planning", "results", "reports", "rehearsal",
)  # fmt: skip

__all__ = [
    "BudgetError",
    "DataError",
    "DeliveryError",
    "DesignError",
    "FitError",
    "Lake",
    "OfferError",
    "PermissionDenied",
    "RegularsError",
    "__version__",
    *_ROOMS,
]


def __getattr__(name: str) -> ModuleType | type:
    """Open a room when it is first asked for, so that `import regulars` stays quick."""
    if name == "Lake":
        return importlib.import_module("regulars.tables").Lake  # type: ignore[no-any-return]
    if name in _ROOMS:
        return importlib.import_module(f"regulars.{name}")
    raise AttributeError(f"module 'regulars' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
