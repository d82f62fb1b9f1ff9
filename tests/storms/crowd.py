"""A crowd of tills: many processes with many threads each, all let loose at one moment, over real HTTP.

Each answer is one line of the crowd's log, written before the next request is sent: what the crowd was told, it was told.
"""

import http.client
import json
import multiprocessing
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

BILL, STORE, CURRENCY = 2_000, "S1", "USD"


class Told(NamedTuple):
    """One answer: status 0 where none came. at: seconds since the crowd was let loose; took: seconds."""

    key: str
    code: str
    order_id: str
    status: int
    body: str
    at: float
    took: float


REDEEM = "/api/v1/vouchers/redeem"


def redeem_body(code: str, order_id: str, **more: object) -> bytes:
    bill = {"amount_minor": BILL, "currency": CURRENCY}
    return json.dumps({"codes": [code], "store_id": STORE, "order_id": order_id, "bill": bill} | more).encode()


def redeeming(code: str, order_id: str) -> tuple[str, bytes]:
    """What a till asks: where, and what."""
    return REDEEM, redeem_body(code, order_id)


class Till:
    """One connection of one till; it opens anew what broke."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self._connection: http.client.HTTPConnection | None = None

    def insist(self, path: str, key: str, body: bytes, seconds: float = 60) -> tuple[int, str]:
        """The same, asked again with the same key until there is an answer that is final."""
        began = time.monotonic()
        while True:
            status, text = self.post(path, key, body)
            is_final = status not in (0, 503) and not (status == 409 and "key_in_flight" in text)
            if is_final or time.monotonic() - began > seconds:
                return status, text
            time.sleep(0.05)

    def post(self, path: str, key: str, body: bytes) -> tuple[int, str]:
        """Status and body; (0, why) where no answer came."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self._connection = None
            return 0, repr(error)


class Crowd:
    """Threads in processes, waiting at a gate; `work` has one list of codes for each thread.

    is_stubborn: a till that got no answer asks again with the same key until it gets one, as tills do.
    """

    def __init__(
        self,
        port: int,
        token: str,
        work: Sequence[Sequence[str]],
        log: Path,
        *,
        processes: int,
        is_stubborn: bool = False,
        asks: Callable[[str, str], tuple[str, bytes]] = redeeming,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._gate = context.Barrier(len(work) + 1)
        self._logs = [log.with_suffix(f".{place}") for place in range(processes)]
        self._processes = [
            context.Process(
                target=_process, args=(port, token, work[place::processes], path, self._gate, is_stubborn, asks)
            )
            for place, path in enumerate(self._logs)
        ]
        for process in self._processes:
            process.start()

    def let_loose(self) -> None:
        self._gate.wait(120)

    @property
    def is_busy(self) -> bool:
        return any(process.is_alive() for process in self._processes)

    def told(self) -> list[Told]:
        """All answers, once everybody has finished."""
        for process in self._processes:
            process.join(600)
        assert [process.exitcode for process in self._processes] == [0] * len(self._processes)
        return [told for path in self._logs for told in read_log(path)]


def read_log(path: Path) -> list[Told]:
    return [Told(*json.loads(line)) for line in path.read_text().splitlines()]


def _process(
    port: int, token: str, part: Sequence[Sequence[str]], log: Path, gate: Any, is_stubborn: bool, asks: Any
) -> None:
    lock = threading.Lock()
    with log.open("w", buffering=1) as file:
        threads = [
            threading.Thread(target=_thread, args=(port, token, codes, file, lock, gate, is_stubborn, asks))
            for codes in part
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    os._exit(0)  # without the clean-up of what was forked


def _thread(
    port: int,
    token: str,
    codes: Sequence[str],
    file: Any,
    lock: threading.Lock,
    gate: Any,
    is_stubborn: bool,
    asks: Any,
) -> None:
    till = Till(port, token)
    ask = till.insist if is_stubborn else till.post
    gate.wait()
    began = time.monotonic()
    for code in codes:
        key, order_id = uuid.uuid4().hex, uuid.uuid4().hex
        path, sent_body = asks(code, order_id)
        sent = time.monotonic()
        status, body = ask(path, key, sent_body)
        told = Told(key, code, order_id, status, body, sent - began, time.monotonic() - sent)
        with lock:
            file.write(json.dumps(told) + "\n")
