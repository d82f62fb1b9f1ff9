"""Results: what campaigns brought.

statements  what one campaign brought, by its holdout
seasons     what all campaigns of a quarter brought together
outcomes    what past campaigns brought, guest by guest, as a table
backtest    what earlier campaigns foretold of later ones, beside what happened
"""

from regulars.results.backtest import Backtest, backtest, keep_backtest, kept_backtest, middle_date
from regulars.results.outcomes import keep_outcomes
from regulars.results.seasons import Season, measure_season
from regulars.results.statements import Measured, measure_campaign

__all__ = [
    "Backtest",
    "Measured",
    "Season",
    "backtest",
    "keep_backtest",
    "keep_outcomes",
    "kept_backtest",
    "measure_campaign",
    "measure_season",
    "middle_date",
]
