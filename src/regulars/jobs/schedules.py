"""Schedules: jobs that come again, put in by whichever worker looks first, once for each time."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from regulars.clock import day_begins
from regulars.jobs.actions import enqueue
from regulars.jobs.models import Schedule

_DAY = dt.timedelta(days=1)


def every(name: str, kind: str, seconds: int, *, now: dt.datetime, arguments: Mapping[str, Any] | None = None) -> None:
    """Do a kind of job every so many seconds, from now on. What stands under this name already takes the new pace."""
    if seconds < 1:
        raise ValueError(f"every {seconds} seconds; give at least 1")
    _keep(name, kind, arguments, now, every_seconds=seconds, daily_at="", zone="UTC")


def daily(
    name: str, kind: str, at: str, zone: str, *, now: dt.datetime, arguments: Mapping[str, Any] | None = None
) -> None:
    """Do a kind of job each day at a time such as 05:30 on the clock of a zone. Raises DataError where it is no time or no zone."""
    _keep(name, kind, arguments, _next_day(now, at, zone), every_seconds=None, daily_at=at, zone=zone)


def drop(name: str) -> None:
    """Do it no more; a job that was put in already is done."""
    Schedule.objects.filter(pk=name).delete()


def tick(now: dt.datetime) -> int:
    """Put in the jobs whose time has come; how many. What was missed while no worker ran is done once, not as often as missed."""
    count = 0
    for due in Schedule.objects.filter(next_at__lte=now):
        later = _after(due, now)
        with transaction.atomic():
            if Schedule.objects.filter(pk=due.pk, next_at=due.next_at).update(next_at=later):
                enqueue(due.kind, due.arguments, key=f"schedule {due.name}", now=now)
                count += 1
    return count


def _after(due: Schedule, now: dt.datetime) -> dt.datetime:
    if due.every_seconds is None:
        return _next_day(now, due.daily_at, due.zone)
    step = dt.timedelta(seconds=due.every_seconds)
    missed = max((now - due.next_at) // step, 0)
    return due.next_at + (missed + 1) * step


def _next_day(now: dt.datetime, at: str, zone: str) -> dt.datetime:
    """The first instant after now at which the clock of the zone shows this time."""
    today = now.date() - _DAY
    return next(begins for n in range(4) if (begins := day_begins(today + n * _DAY, zone, at)) > now)


def _keep(name: str, kind: str, arguments: Mapping[str, Any] | None, next_at: dt.datetime, **when: Any) -> None:
    said = {"kind": kind, "arguments": dict(arguments or {}), **when}
    known = Schedule.objects.filter(pk=name).first()
    if known is None:
        Schedule.objects.bulk_create([Schedule(name=name, next_at=next_at, **said)], ignore_conflicts=True)
    elif any(getattr(known, field) != value for field, value in said.items()):
        Schedule.objects.filter(pk=name).update(next_at=next_at, **said)
