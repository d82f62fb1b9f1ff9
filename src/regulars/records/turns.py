"""Turns: SQLite lets one write at a time, and whoever finds it busy sleeps and looks again, up to a tenth of a second. Within a
process those who write wait in line instead, and nobody goes twice before another went once."""

import threading
from collections import deque
from contextlib import AbstractContextManager, nullcontext

from django.db import connection


class Line:
    """A lock that is handed to whoever has waited longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False


_LINE = Line()


def turn() -> AbstractContextManager[None]:
    """A turn to write, in the order of asking; at once where the database sees to that itself, or within a transaction."""
    return nullcontext() if connection.vendor != "sqlite" or connection.in_atomic_block else _LINE
