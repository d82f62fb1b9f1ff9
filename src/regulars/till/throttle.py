"""The throttle: whoever asks for many codes that do not exist has to wait, and learns nothing by it.

It is counted in each process by itself, so a key gets at most as many tries a minute as it is set to, for each process, twice
that around the turn of a minute. A count in the database would let a guesser write to it; a code has 60 bits, so
against a million live ones even a thousand tries a minute would take two thousand years.
"""

import threading
import time

from regulars.till.metrics import GUESSES
from regulars.till.problems import Problem

_WINDOW = 60.0


class Guesses:
    """Unknown codes of each key in its present minute. most: how many are borne with."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def check(self, till_id: str) -> None:
        """Raises Problem too_many_attempts while the key has to wait."""
        begun, count = self._counts.get(till_id, (0.0, 0))
        if count >= self._most and (left := begun + _WINDOW - time.monotonic()) > 0:
            raise Problem("too_many_attempts", headers={"Retry-After": str(int(left) + 1)})

    def left(self, till_id: str) -> int:
        """How many more are borne with in its present minute."""
        begun, count = self._counts.get(till_id, (0.0, 0))
        return self._most - count if time.monotonic() - begun < _WINDOW else self._most

    def note(self, till_id: str, codes: int = 1) -> None:
        """So many more codes that do not exist."""
        if not codes:
            return
        GUESSES.inc(codes)
        now = time.monotonic()
        with self._lock:
            begun, count = self._counts.get(till_id, (now, 0))
            self._counts[till_id] = (begun, count + codes) if now - begun < _WINDOW else (now, codes)
