"""Jobs: put in with what they belong to, done once by their effect, stopped, tried again; on both databases."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError

from databases import Database
from jobs.conftest import BEGINNING, HandClock, leave, left
from regulars.errors import DataError
from regulars.jobs import actions
from regulars.jobs.kinds import Kind
from regulars.jobs.running import LostError, Running, StoppedError
from regulars.jobs.worker import Worker

pytestmark = pytest.mark.usefixtures("database", "effects")


def chunks(job: Running) -> None:
    """Leave `of` effects, one a chunk, from where it was left off."""
    job.of = job.arguments["of"]
    while job.done < job.of:
        with job.step():
            leave(job.job_id, job.done)
            job.done += 1


def once(job: Running) -> None:
    with job.finishing():
        leave(job.job_id)


def broken(job: Running) -> None:
    raise ValueError("no such dish")


def worker(clock: HandClock, *more: Kind) -> Worker:
    return Worker([Kind(name="chunks", work=chunks), Kind(name="once", work=once), *more], clock)


def test_a_job_is_there_only_when_what_it_belongs_to_is(clock: HandClock) -> None:
    with transaction.atomic():
        actions.enqueue("once", now=clock())
        transaction.set_rollback(True)
    assert actions.jobs() == ()
    assert not worker(clock).turn()


def test_a_job_is_done_once_with_its_effect(clock: HandClock) -> None:
    job_id = actions.enqueue("once", now=clock())
    own = worker(clock)
    assert own.turn()
    assert not own.turn()
    assert left() == [(job_id, 0)]
    assert actions.find(job_id).state == "done"


def test_the_same_key_is_the_same_job_until_it_has_ended(clock: HandClock) -> None:
    first = actions.enqueue("once", key="launch 7", now=clock())
    assert actions.enqueue("once", key="launch 7", now=clock()) == first
    assert actions.enqueue("chunks", {"of": 1}, key="launch 7", now=clock()) != first
    worker(clock).turn()
    assert actions.enqueue("once", key="launch 7", now=clock()) != first


def test_many_who_ask_at_once_put_in_one(database: Database, clock: HandClock) -> None:
    found: list[int] = []

    def ask() -> None:
        found.append(actions.enqueue("once", key="the same", now=clock()))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_what_is_due_first_is_done_first_and_what_is_not_due_waits(clock: HandClock) -> None:
    later = actions.enqueue("once", due_at=BEGINNING + dt.timedelta(hours=1), now=clock())
    first = actions.enqueue("once", now=clock())
    own = worker(clock)
    assert own.turn()
    assert not own.turn()
    clock.forward(hours=2)
    assert own.turn()
    assert left() == sorted([(first, 0), (later, 0)])


def test_kinds_that_a_worker_does_not_know_are_left_to_others(clock: HandClock) -> None:
    actions.enqueue("of a newer version", now=clock())
    assert not worker(clock).turn()


def test_chunks_go_on_where_a_dead_worker_left_off(clock: HandClock) -> None:
    job_id = actions.enqueue("chunks", {"of": 5}, now=clock())
    dead = worker(clock).claim()
    assert dead is not None
    running = Running(dead, dt.timedelta(minutes=1), clock)
    for _ in range(2):
        with running.step():
            leave(job_id, running.done)
            running.done += 1
    assert not worker(clock).turn(), "its lease holds"
    clock.forward(seconds=61)
    assert worker(clock).turn()
    assert left() == [(job_id, n) for n in range(5)]
    assert (actions.find(job_id).state, actions.find(job_id).attempt) == ("done", 2)


@pytest.mark.parametrize("end", ["step", "finishing"])
def test_a_worker_that_slept_beyond_its_lease_doubles_nothing(clock: HandClock, end: str) -> None:
    job_id = actions.enqueue("once", now=clock())
    sleeper = worker(clock).claim()
    assert sleeper is not None
    clock.forward(seconds=61)
    assert worker(clock).turn()
    running = Running(sleeper, dt.timedelta(minutes=1), clock)
    with pytest.raises(LostError), getattr(running, end)():
        leave(job_id, 99)
    assert left() == [(job_id, 0)]


def test_a_chunk_that_fails_leaves_no_progress(clock: HandClock) -> None:
    actions.enqueue("once", now=clock())
    claimed = worker(clock).claim()
    assert claimed is not None
    running = Running(claimed, dt.timedelta(minutes=1), clock)

    def half(job: Running) -> None:
        with job.step():
            job.done, job.cursor = 1, "there"
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        half(running)
    assert (running.done, running.cursor) == (0, None)


def test_what_fails_is_tried_again_after_growing_pauses_and_ends_with_its_reason(clock: HandClock) -> None:
    kind = Kind(name="broken", work=broken, most_attempts=3, pause=dt.timedelta(seconds=10))
    job_id, own = actions.enqueue("broken", now=clock()), worker(clock, kind)
    pauses = []
    while actions.find(job_id).state != "failed":
        assert own.turn()
        pauses.append((actions.find(job_id).due_at - clock()).total_seconds())
        assert not own.turn()
        clock.forward(seconds=max(pauses[-1], 0))
    assert pauses[:2] == [10, 20]
    assert actions.find(job_id).error == "ValueError: no such dish"
    assert [(job.job_id, job.state) for job in actions.jobs()] == [(job_id, "failed")]


def test_a_job_whose_workers_always_die_has_failed_in_the_end(clock: HandClock) -> None:
    job_id, own = actions.enqueue("once", now=clock()), worker(clock)
    for _ in range(5):
        assert own.claim() is not None
        clock.forward(minutes=2)
    assert own.turn()
    assert "went away" in actions.find(job_id).error
    assert left() == []


def test_pauses_end_at_an_hour() -> None:
    kind = Kind(name="x", work=once)
    assert kind.pause_after(1) == dt.timedelta(seconds=5)
    assert kind.pause_after(1_000) == dt.timedelta(hours=1)


def test_a_job_is_stopped_after_its_chunk_and_goes_on_where_it_left_off(clock: HandClock) -> None:
    def until_stopped(job: Running) -> None:
        with job.step():
            leave(job.job_id, job.done)
            job.done += 1
        if job.done == 1:
            actions.stop(job.job_id, now=clock())
            with job.step():
                leave(job.job_id, job.done)
                job.done += 1
            with pytest.raises(StoppedError), job.step():
                raise AssertionError
            job.check_stop()

    own = worker(clock, Kind(name="stoppable", work=until_stopped))
    job_id = actions.enqueue("stoppable", now=clock())
    assert own.turn()
    assert actions.find(job_id).state == "stopped"
    assert left() == [(job_id, 0), (job_id, 1)]
    assert actions.retry(job_id, now=clock()).state == "waiting"
    assert own.turn()
    assert left() == [(job_id, 0), (job_id, 1), (job_id, 2)]


def test_a_waiting_job_is_stopped_at_once_and_an_ended_one_is_not(clock: HandClock) -> None:
    job_id = actions.enqueue("once", now=clock())
    assert actions.stop(job_id, now=clock()).state == "stopped"
    assert not worker(clock).turn()
    with pytest.raises(DataError, match="stopped since 2026-11-30 12:00 UTC; there is nothing to stop"):
        actions.stop(job_id, now=clock())
    with pytest.raises(DataError, match="there is no job 99"):
        actions.stop(99, now=clock())


def test_only_what_failed_or_was_stopped_is_tried_again_and_not_beside_its_like(clock: HandClock) -> None:
    job_id = actions.enqueue("once", key="a", now=clock())
    with pytest.raises(DataError, match="is waiting; only a job that failed or was stopped"):
        actions.retry(job_id, now=clock())
    actions.stop(job_id, now=clock())
    other = actions.enqueue("once", key="a", now=clock())
    with pytest.raises(DataError, match=f"job {other} does the same already"):
        actions.retry(job_id, now=clock())


def test_a_heart_beats_while_something_long_is_computed(clock: HandClock) -> None:
    def fit(job: Running) -> None:
        with job.beating():
            for _ in range(8):
                clock.forward(seconds=0.1)
                time.sleep(0.1)
            assert worker(clock).claim() is None, "nobody else takes it"
        with job.finishing():
            leave(job.job_id)

    job_id = actions.enqueue("fit", now=clock())
    Worker([Kind(name="fit", work=fit, lease=dt.timedelta(seconds=0.4))], clock).turn()
    assert left() == [(job_id, 0)]


def test_a_database_that_goes_away_is_waited_for(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    own, turns, waits = worker(clock), [], []

    def turn() -> bool:
        turns.append(1)
        if len(turns) == 1:
            raise OperationalError("gone")
        return len(turns) == 2

    monkeypatch.setattr(own, "turn", turn)
    own.work(lambda seconds: bool(waits.append(seconds)) or len(waits) == 3)
    assert waits == [5, 0, 0.5]


def test_what_ended_long_ago_is_forgotten_and_failures_later(clock: HandClock) -> None:
    actions.enqueue("once", now=clock())
    stopped = actions.enqueue("once", now=clock())
    worker(clock).turn()
    actions.stop(stopped, now=clock())
    actions.enqueue("once", due_at=BEGINNING + dt.timedelta(days=900), now=clock())
    assert actions.forget(BEGINNING + dt.timedelta(days=8)) == 1
    assert actions.forget(BEGINNING + dt.timedelta(days=71)) == 1
    assert [job.state for job in actions.jobs()] == ["waiting"]
