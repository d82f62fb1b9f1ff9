"""A running job: chunk by chunk, each in a transaction with its progress, fenced by the claim of its attempt.

A worker that was paused beyond its lease finds at its next commit that the job is another's, and what it did is rolled back. So the
effect of each chunk is there once, whatever dies when.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from regulars.jobs.models import Job

Clock = Callable[[], dt.datetime]
_MISSED_BEATS = (DatabaseError, InterfaceError, Job.DoesNotExist)


class LostError(RuntimeError):
    """Another worker has the job by now: nothing of this chunk is kept."""


class StoppedError(RuntimeError):
    """A person asked that it ends; what was done before stays."""


class Running:
    """One attempt at a job. arguments: what was asked. cursor, done, of: where the last attempt, or the last chunk, left off.

    Within a chunk set `cursor`, `done` and `of`; they are kept with the chunk.
    """

    def __init__(self, job: Job, lease: dt.timedelta, clock: Clock) -> None:
        self.job_id, self.attempt = int(job.pk), job.attempt
        self.arguments: Any = job.arguments
        self.cursor: Any = job.cursor
        self.done, self.of = job.done, job.of
        self.has_ended = False
        self._claim, self._lease, self._clock = job.claim, lease, clock
        self._is_to_stop = job.is_to_stop

    @contextmanager
    def step(self) -> Iterator[None]:
        """A chunk: what is written in it and its progress are one commit, which renews the lease.

        Raises StoppedError before a chunk where somebody asked for the end, LostError where the job is another's by now.
        """
        self.check_stop()
        kept = self.cursor, self.done, self.of
        try:
            with transaction.atomic():
                yield
                self._keep(lease_until=self._clock() + self._lease)
                self._is_to_stop = self._own().values_list("is_to_stop", flat=True).get()
        except BaseException:
            self.cursor, self.done, self.of = kept
            raise

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """The last chunk: its effect and the end of the job are one commit. Raises as `step` does."""
        self.check_stop()
        with transaction.atomic():
            yield
            self._keep(state=Job.DONE, ended_at=self._clock(), lease_until=None)
        self.has_ended = True

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Renew the lease from beside, while something long is computed that writes nothing, such as a fit."""
        stopped = threading.Event()
        heart = threading.Thread(target=self._beat, args=(stopped,), daemon=True)
        heart.start()
        try:
            yield
        finally:
            stopped.set()
            heart.join()
        self.check_stop()

    def check_stop(self) -> None:
        """Raise StoppedError where somebody asked for the end."""
        if self._is_to_stop:
            raise StoppedError

    def _own(self) -> Any:
        """The row, as long as it is ours."""
        return Job.objects.filter(pk=self.job_id, attempt=self.attempt, claim=self._claim, state=Job.RUNNING)

    def _keep(self, **changes: Any) -> None:
        if not self._own().update(cursor=self.cursor, done=self.done, of=self.of, **changes):
            raise LostError(self.job_id)

    def _beat(self, stopped: threading.Event) -> None:
        while not stopped.wait(self._lease.total_seconds() / 4):
            try:
                if not self._own().update(lease_until=self._clock() + self._lease):
                    break
                self._is_to_stop = self._own().values_list("is_to_stop", flat=True).get()
            except _MISSED_BEATS:  # the next one tries again; the commit is fenced anyhow
                connection.close()
        connection.close()
