"""Profiles: who they are, what they would like. `lifetime` and `next_dishes` are opened when first asked for: their kernels take
a moment to load."""

import importlib
from typing import TYPE_CHECKING, Any

from regulars.profiles.build import build
from regulars.profiles.cohorts import CohortMonth, cohorts
from regulars.profiles.columns import BIRTHDAY, COLUMNS, DAYPARTS, FAVOURITE_CATEGORY, Column, category_column
from regulars.profiles.lifecycle import STAGES
from regulars.profiles.migration import Move, migration
from regulars.profiles.summaries import Decile, GapBand, StageCount, concentration, stage_counts, visit_gaps
from regulars.profiles.taste import taste, variety
from regulars.profiles.usual import usual_dishes

if TYPE_CHECKING:
    from regulars.profiles import lifetime
    from regulars.profiles.next_dish import next_dishes

__all__ = [
    "BIRTHDAY",
    "COLUMNS",
    "DAYPARTS",
    "FAVOURITE_CATEGORY",
    "STAGES",
    "CohortMonth",
    "Column",
    "Decile",
    "GapBand",
    "Move",
    "StageCount",
    "build",
    "category_column",
    "cohorts",
    "concentration",
    "lifetime",
    "migration",
    "next_dishes",
    "stage_counts",
    "taste",
    "usual_dishes",
    "variety",
    "visit_gaps",
]


def __getattr__(name: str) -> Any:
    if name == "lifetime":
        return importlib.import_module("regulars.profiles.lifetime")
    if name == "next_dishes":
        return importlib.import_module("regulars.profiles.next_dish").next_dishes
    raise AttributeError(f"module 'regulars.profiles' has no attribute {name!r}")
