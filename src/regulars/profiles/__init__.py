"""Profiles: who is he, what would he like. `lifetime` is opened when first asked for: its kernels take a moment to load."""

import importlib
from types import ModuleType

from regulars.profiles.build import build
from regulars.profiles.cohorts import CohortMonth, cohorts
from regulars.profiles.columns import BIRTHDAY, COLUMNS, DAYPARTS, FAVOURITE_CATEGORY, WEEKDAYS, Column, category_column
from regulars.profiles.lifecycle import STAGES
from regulars.profiles.migration import Move, migration
from regulars.profiles.summaries import Decile, GapBand, StageCount, concentration, stage_counts, visit_gaps
from regulars.profiles.taste import taste, variety

__all__ = [
    "BIRTHDAY",
    "COLUMNS",
    "DAYPARTS",
    "FAVOURITE_CATEGORY",
    "STAGES",
    "WEEKDAYS",
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
    "stage_counts",
    "taste",
    "variety",
    "visit_gaps",
]


def __getattr__(name: str) -> ModuleType:
    if name == "lifetime":
        return importlib.import_module("regulars.profiles.lifetime")
    raise AttributeError(f"module 'regulars.profiles' has no attribute {name!r}")
