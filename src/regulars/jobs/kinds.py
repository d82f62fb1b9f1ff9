"""Kinds: what there is to do. A room gives its kinds to the worker; a worker leaves alone what it does not know."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from regulars.jobs.running import Running


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of job is done. work: does it; it may be begun again wherever it was cut off.

    lease: how long a worker may be silent before another begins the job again. most_attempts: after so many it has failed.
    pause: before the second attempt; it doubles with each, up to an hour.
    """

    name: str
    work: Callable[[Running], None]
    lease: dt.timedelta = dt.timedelta(minutes=1)
    most_attempts: int = 5
    pause: dt.timedelta = dt.timedelta(seconds=5)

    def pause_after(self, attempt: int) -> dt.timedelta:
        """How long to wait after an attempt, the first is 1, that failed."""
        return min(self.pause * 2.0 ** min(attempt - 1, 30), dt.timedelta(hours=1))
