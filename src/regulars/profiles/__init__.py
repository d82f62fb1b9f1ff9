"""Profiles: who is he, what would he like."""

from regulars.profiles.build import build
from regulars.profiles.columns import COLUMNS, DAYPARTS, FAVOURITE_CATEGORY, WEEKDAYS, Column, category_column
from regulars.profiles.lifecycle import STAGES
from regulars.profiles.summaries import Decile, GapBand, StageCount, concentration, stage_counts, visit_gaps

__all__ = [
    "COLUMNS",
    "DAYPARTS",
    "FAVOURITE_CATEGORY",
    "STAGES",
    "WEEKDAYS",
    "Column",
    "Decile",
    "GapBand",
    "StageCount",
    "build",
    "category_column",
    "concentration",
    "stage_counts",
    "visit_gaps",
]
