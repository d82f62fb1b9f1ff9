"""The worker: the clock's own work, every minute: reservations whose time is up, vouchers that expired, keys to be forgotten."""

import datetime as dt
import logging
import signal
import threading

from django.db import DatabaseError, InterfaceError, connection

from regulars.offers import actions

_log = logging.getLogger(__name__)


def work(every_seconds: float, *, once: bool = False) -> None:
    """Sweep until somebody stops it; a sweep that fails is tried again at the next turn."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        try:
            _log.info("swept", extra={"facts": actions.sweep(dt.datetime.now(dt.UTC))})
        except (DatabaseError, InterfaceError):
            if once:
                raise
            _log.exception("could not sweep")
            connection.close()
        if once:
            return
        stopped.wait(every_seconds)
