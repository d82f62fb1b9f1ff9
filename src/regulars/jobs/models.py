"""The records of jobs. Private to this room."""

from django.db import models
from django.db.models import Q

from regulars.records.fields import never_negative, text


class Job(models.Model):
    """Something to do. key: nothing else of this kind and key is alive. cursor: where it went on from, as its kind wrote it.

    attempt: how often it was begun; whoever works on it holds the claim of that attempt, until the lease ends. done, of: how far it
    is. error: why its last attempt failed.
    """

    WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"

    kind = text()
    key = text(200, null=True)
    arguments = models.JSONField()
    cursor = models.JSONField(null=True)
    state = text(10, default=WAITING)
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempt = models.PositiveIntegerField(default=0)
    claim = text(32, default="")
    lease_until = models.DateTimeField(null=True)
    done = models.PositiveBigIntegerField(default=0)
    of = models.PositiveBigIntegerField(null=True)
    is_to_stop = models.BooleanField(default=False)
    error = models.TextField(default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "key"], condition=Q(ended_at__isnull=True), name="jobs_one_alive"),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "running"), ended_at__isnull=True)
                | Q(state__in=("done", "failed", "stopped"), ended_at__isnull=False),
                name="jobs_ended_or_alive",
            ),
        )
        indexes = (
            models.Index(fields=["due_at", "id"], condition=Q(ended_at__isnull=True), name="jobs_alive"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="jobs_ended"),
        )


class Schedule(models.Model):
    """A job that comes again: every so many seconds, or each day at a time of the clock of a zone."""

    name = text(primary_key=True)
    kind = text()
    arguments = models.JSONField()
    every_seconds = models.PositiveIntegerField(null=True)
    daily_at = text(5, default="")
    zone = text(default="UTC")
    next_at = models.DateTimeField()

    class Meta:
        constraints = (never_negative("jobs_schedule_forward", "every_seconds"),)
