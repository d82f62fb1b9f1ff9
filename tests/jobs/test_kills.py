"""Two workers, killed again and again: each job is done exactly once by its effect. The whole has 10,000 jobs and 20 kills."""

import datetime as dt
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from databases import Database
from jobs.conftest import left
from jobs.hand import CHUNKS
from regulars.jobs import actions

HAND = Path(__file__).with_name("hand.py")
pytestmark = pytest.mark.usefixtures("effects")


def start(database: Database) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, str(HAND)], env=os.environ | database.environment, stderr=subprocess.DEVNULL
    )


def test_jobs_are_done_once_whatever_dies_when(database: Database, is_whole: bool) -> None:
    count, kills = (10_000, 20) if is_whole else (200, 3)
    now = dt.datetime.now(dt.UTC)
    ids = [actions.enqueue("leave", now=now) for _ in range(count)]
    draw, workers = random.Random(0), [start(database), start(database)]
    try:
        for _ in range(kills):
            before = len(left())
            while len(left()) == before:  # the work goes on
                time.sleep(0.05)
            time.sleep(draw.random() * (count * CHUNKS / 100 / kills if is_whole else 0.2))
            place = draw.randrange(2)
            workers[place].kill()
            workers[place].wait()
            workers[place] = start(database)
        until = time.monotonic() + (900 if is_whole else 60)
        while actions.jobs(is_alive=True, most=1) and time.monotonic() < until:
            time.sleep(0.2)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        connection.close()
    assert left() == [(job_id, chunk) for job_id in ids for chunk in range(CHUNKS)]
    assert not actions.jobs(is_alive=True)
