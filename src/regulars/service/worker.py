"""The worker's own work: reservations whose time is up, vouchers that expired, keys and jobs to be forgotten; and what others give it."""

import datetime as dt
import logging
import signal
import threading
from collections.abc import Iterable

from regulars.errors import DataError
from regulars.jobs import actions as jobs
from regulars.jobs import schedules
from regulars.jobs.kinds import Kind
from regulars.jobs.running import Running
from regulars.jobs.worker import Worker, system_clock
from regulars.offers import actions as offers


def sweep(job: Running) -> None:
    """Sweep the offers, and forget what nobody asks for again. Each part is a transaction of its own, and does no harm twice."""
    _log.info("swept", extra={"facts": offers.sweep(system_clock())})
    jobs.forget(system_clock())


_log = logging.getLogger(__name__)
SWEEP = Kind(name="sweep", work=sweep, lease=dt.timedelta(minutes=5))


def work(every_seconds: float, *, more: Iterable[Kind] = (), once: bool = False) -> None:
    """Sweep every so many seconds, and do the jobs that are due, until somebody stops it. once: do what is due, and leave.

    more: kinds of jobs that other rooms give.
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    worker = Worker([SWEEP, *more])
    if once:
        job_id = jobs.enqueue("sweep", key="schedule sweep", now=system_clock())
        while worker.turn():
            pass
        if error := jobs.find(job_id).error:
            raise DataError(f"could not sweep: {error}; `regulars jobs` shows when it is tried again")
        return
    schedules.every("sweep", "sweep", max(round(every_seconds), 1), now=system_clock())
    worker.work(stopped.wait)
