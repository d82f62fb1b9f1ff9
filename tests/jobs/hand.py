"""A worker in a process of its own, to be killed: each job leaves one effect for each of its three chunks.

DATABASE_URL=... python tests/jobs/hand.py
"""

import datetime as dt
import os
import threading

os.environ["DJANGO_SETTINGS_MODULE"] = "regulars.settings"

import django

django.setup()

from django.db import connection  # noqa: E402

from regulars.jobs.kinds import Kind  # noqa: E402
from regulars.jobs.running import Running  # noqa: E402
from regulars.jobs.worker import Worker  # noqa: E402

CHUNKS = 3


def leave(job: Running) -> None:
    with connection.cursor() as cursor:
        cursor.execute("insert into effect (job, chunk) values (%s, %s)", [job.job_id, job.done])
    job.done += 1


def work(job: Running) -> None:
    while job.done < CHUNKS - 1:
        with job.step():
            leave(job)
    with job.finishing():
        leave(job)


if __name__ == "__main__":
    kind = Kind(name="leave", work=work, lease=dt.timedelta(seconds=1), most_attempts=100)
    Worker([kind]).work(lambda seconds: threading.Event().wait(min(seconds, 0.05)))
