"""What may be done with jobs."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from regulars.errors import DataError
from regulars.jobs.models import Job

KEPT = dt.timedelta(days=7)
"""How long a job that was done stays to be seen; failed and stopped ones stay ten times as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A job as people see it. error: why the last attempt failed; due_at: when it is, or was, tried next."""

    job_id: int
    kind: str
    key: str | None
    state: str
    done: int
    of: int | None
    attempt: int
    is_to_stop: bool
    made_at: dt.datetime
    due_at: dt.datetime
    ended_at: dt.datetime | None
    error: str

    @classmethod
    def _of(cls, job: Job) -> "JobState":
        return cls(
            job_id=int(job.pk), **{name: getattr(job, name) for name in cls.__dataclass_fields__ if name != "job_id"}
        )


def enqueue(
    kind: str, arguments: Mapping[str, Any] | None = None, *, key: str | None = None, due_at: dt.datetime | None = None,
    now: dt.datetime,
) -> int:  # fmt: skip
    """Put a job in, in the transaction of the caller: it is there when that commits, and not before. Its id.

    key: where a job of this kind and key is alive already, that one is meant, and nothing is put in.
    """
    made = Job(kind=kind, key=key, arguments=dict(arguments or {}), made_at=now, due_at=due_at or now)
    if key is None:
        made.save()
        return int(made.pk)
    with transaction.atomic():
        while True:
            Job.objects.bulk_create([made], ignore_conflicts=True)
            alive = Job.objects.filter(kind=kind, key=key, ended_at=None).values_list("pk", flat=True).first()
            if alive is not None:  # else it ended between the two statements
                return int(alive)


def stop(job_id: int, *, now: dt.datetime) -> JobState:
    """Ask that a job ends: at once where it waits, after its chunk where it runs. Raises DataError where there is none alive."""
    ended = Job.objects.filter(pk=job_id, state=Job.WAITING).update(state=Job.STOPPED, ended_at=now, is_to_stop=True)
    if not ended and not Job.objects.filter(pk=job_id, state=Job.RUNNING).update(is_to_stop=True):
        known = find(job_id)
        raise DataError(
            f"job {job_id} is {known.state} since {known.ended_at:%Y-%m-%d %H:%M} UTC; there is nothing to stop"
        )
    return find(job_id)


def retry(job_id: int, *, now: dt.datetime) -> JobState:
    """Let a job that failed or was stopped go on where it left off. Raises DataError where it is not one, or its key is alive."""
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None or job.state not in (Job.FAILED, Job.STOPPED):
            raise DataError(
                f"job {job_id} is {find(job_id).state}; only a job that failed or was stopped is tried again"
            )
        if job.key is not None and (other := Job.objects.filter(kind=job.kind, key=job.key, ended_at=None).first()):
            raise DataError(f"job {other.pk} does the same already; look at it with `regulars jobs`")
        Job.objects.filter(pk=job_id).update(
            state=Job.WAITING, ended_at=None, is_to_stop=False, attempt=0, due_at=now, claim="", lease_until=None
        )
    return find(job_id)


def find(job_id: int) -> JobState:
    """Raises DataError where there is no such job."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise DataError(f"there is no job {job_id}; `regulars jobs` lists them")
    return JobState._of(job)


def jobs(*, is_alive: bool | None = None, most: int = 50) -> tuple[JobState, ...]:
    """The newest jobs. is_alive: only those that wait or run, or only those that ended."""
    rows = Job.objects.order_by("-pk")
    if is_alive is not None:
        rows = rows.filter(ended_at__isnull=is_alive)
    return tuple(map(JobState._of, rows[:most]))


def forget(now: dt.datetime) -> int:
    """Forget jobs that ended long ago; how many."""
    done = Job.objects.filter(state=Job.DONE, ended_at__lt=now - KEPT)
    others = Job.objects.filter(ended_at__lt=now - 10 * KEPT)
    return int(done.delete()[0] + others.delete()[0])
