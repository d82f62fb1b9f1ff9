"""Clock: zones, trading days, opening hours and weekdays.

instants    for one instant: a store's trading day and hour, when a day begins
hours       opening hours and weekdays on which something holds, also over midnight
zones       which zones there are
arrays      for many instants at once, with the same answers (it alone needs pyarrow)

Instants are in UTC; what people agreed on is read from the clock on the wall of the store. Where that clock shows a time twice,
the first is meant; a time that it leaps over counts as what it would have been without the leap (RFC 5545, 3.3.5).
"""

from regulars.clock.hours import Holding, Hours, Weekday, Window, window_of
from regulars.clock.instants import CLOSES, StoreClock, business_date, closing_minute, day_begins, store_hour
from regulars.clock.zones import WEEKDAYS, weekday_of, zone_of, zones

__all__ = [
    "CLOSES",
    "WEEKDAYS",
    "Holding",
    "Hours",
    "StoreClock",
    "Weekday",
    "Window",
    "business_date",
    "closing_minute",
    "day_begins",
    "store_hour",
    "weekday_of",
    "window_of",
    "zone_of",
    "zones",
]
