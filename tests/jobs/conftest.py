"""A clock that only tests move, and a table in which jobs leave their effects."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import connection

from databases import Database

BEGINNING = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


class HandClock:
    """It shows what it is set to."""

    def __init__(self) -> None:
        self.now = BEGINNING

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **time: float) -> None:
        self.now += dt.timedelta(**time)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def effects(database: Database) -> Iterator[None]:
    """The table `effect`, with what each job did."""
    with connection.cursor() as cursor:
        cursor.execute("create table effect (job bigint not null, chunk bigint not null)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("drop table effect")


def leave(job: int, chunk: int = 0) -> None:
    """Leave an effect, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("insert into effect (job, chunk) values (%s, %s)", [job, chunk])


def left() -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute("select job, chunk from effect order by 1, 2")
        return list(map(tuple, cursor.fetchall()))
