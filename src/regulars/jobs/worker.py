"""The worker: takes jobs one after another, and puts in those whose time has come."""

import datetime as dt
import logging
import secrets
from collections.abc import Callable, Iterable

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Subquery, Value, When

from regulars.jobs import schedules
from regulars.jobs.kinds import Kind
from regulars.jobs.models import Job
from regulars.jobs.running import Clock, LostError, Running, StoppedError

_log = logging.getLogger(__name__)
_PAUSE = 0.5
_MOST_LETTERS = 2_000


def system_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Worker:
    """Does jobs of these kinds, in the order in which they are due."""

    def __init__(self, kinds: Iterable[Kind], clock: Clock = system_clock) -> None:
        self.kinds = {kind.name: kind for kind in kinds}
        self.clock = clock

    def work(self, wait: Callable[[float], bool]) -> None:
        """Do jobs until `wait`, which waits so many seconds, says that it is enough. A database that goes away is waited for."""
        is_over = False
        while not is_over:
            try:
                is_over = wait(0 if self.turn() else _PAUSE)
            except (DatabaseError, InterfaceError):
                _log.exception("the records cannot be reached")
                connection.close()
                is_over = wait(10 * _PAUSE)

    def turn(self) -> bool:
        """Put in what is due, and do one job; whether there was one."""
        schedules.tick(self.clock())
        job = self.claim()
        if job is None:
            return False
        kind = self.kinds[job.kind]
        if job.attempt > kind.most_attempts:
            self._end(job, Job.FAILED, job.error or "its workers went away each time, killed or out of memory")
        else:
            self._do(job, kind)
        return True

    def claim(self) -> Job | None:
        """The next job that is due, now this worker's; also one whose worker has been silent for longer than its lease."""
        now, claim = self.clock(), secrets.token_hex(16)
        is_free = Q(state=Job.WAITING, due_at__lte=now) | Q(state=Job.RUNNING, lease_until__lt=now)
        free = Job.objects.filter(is_free, kind__in=list(self.kinds), ended_at=None)
        first = free.select_for_update(skip_locked=True).order_by("due_at", "pk").values("pk")[:1]
        leases = (When(kind=kind.name, then=Value(now + kind.lease)) for kind in self.kinds.values())
        with transaction.atomic():  # one value, which is found once; a list would be found anew for every row
            taken = free.filter(pk=Subquery(first)).update(
                state=Job.RUNNING, attempt=F("attempt") + 1, claim=claim,
                lease_until=Case(*leases, output_field=DateTimeField()),
            )  # fmt: skip
        return Job.objects.get(claim=claim) if taken else None

    def _do(self, job: Job, kind: Kind) -> None:
        running = Running(job, kind.lease, self.clock)
        try:
            running.check_stop()
            kind.work(running)
            if not running.has_ended:
                with running.finishing():
                    pass
        except StoppedError:
            self._end(job, Job.STOPPED, "")
        except LostError:
            _log.warning("another worker has the job", extra={"facts": {"job": job.pk, "kind": job.kind}})
        except Exception as error:  # noqa: BLE001  (whatever a kind raises is kept with its job, and seen there)
            self._failed(job, kind, error)

    def _failed(self, job: Job, kind: Kind, error: Exception) -> None:
        _log.exception("a job failed", extra={"facts": {"job": job.pk, "kind": job.kind, "attempt": job.attempt}})
        if isinstance(error, DatabaseError | InterfaceError):
            connection.close()
        words = f"{type(error).__name__}: {error}"[:_MOST_LETTERS]
        if job.attempt >= kind.most_attempts:
            return self._end(job, Job.FAILED, words)
        due = self.clock() + kind.pause_after(job.attempt)
        self._own(job).update(state=Job.WAITING, due_at=due, error=words, lease_until=None)
        return None

    def _end(self, job: Job, state: str, error: str) -> None:
        self._own(job).update(state=state, ended_at=self.clock(), lease_until=None, error=error)

    def _own(self, job: Job) -> "QuerySet[Job]":
        return Job.objects.filter(pk=job.pk, attempt=job.attempt, claim=job.claim, state=Job.RUNNING)
