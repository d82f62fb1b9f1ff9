"""Tills that press on: lean clients over plain sockets, for rates that are the server's and not the client's."""

import multiprocessing
import selectors
import socket
import time
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Rates(NamedTuple):
    """Accepted answers a second, all answers a second, and the time that half of them and 99 in 100 took at most, in ms."""

    accepted: float
    all: float
    p50_ms: float
    p99_ms: float


def press(
    port: int, token: str, paths: Sequence[tuple[str, str, bytes | None]], *, tills: int, seconds: float
) -> Rates:
    """Each till sends its share of the requests (method, path, body), each once, until the time is over or none is left.

    One process serves several connections in turn: it sends on all, then reads from all that answer.
    """
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(3), context.Queue()
    crowd = [
        context.Process(target=_press, args=(port, token, paths[place::2], tills // 2, seconds, gate, results))
        for place in range(2)
    ]
    for process in crowd:
        process.start()
    gate.wait(60)
    found = [results.get() for _ in crowd]
    for process in crowd:
        process.join()
    times = np.concatenate([times for times, _ in found])
    accepted = sum(good for _, good in found)
    return Rates(accepted / seconds, len(times) / seconds, *(float(np.quantile(times, q) * 1000) for q in (0.5, 0.99)))


def _press(
    port: int,
    token: str,
    paths: Sequence[tuple[str, str, bytes | None]],
    tills: int,
    seconds: float,
    gate: Any,
    results: Any,
) -> None:
    head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n".encode()
    chooser, sent, times, good = selectors.DefaultSelector(), {}, [], 0
    work = iter(paths)
    gate.wait()
    ends = time.monotonic() + seconds
    for _ in range(tills):
        line = socket.create_connection(("127.0.0.1", port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chooser.register(line, selectors.EVENT_READ)
        _send(line, head, next(work, None), sent)
    while sent and time.monotonic() < ends:
        for key, _ in chooser.select(1):
            line: Any = key.fileobj
            answer = _receive(line)
            times.append(time.monotonic() - sent.pop(line))
            good += answer.startswith(b"HTTP/1.1 200")
            _send(line, head, next(work, None), sent)
    results.put((np.array(times), good))


def _send(
    line: socket.socket, head: bytes, request: tuple[str, str, bytes | None] | None, sent: dict[Any, float]
) -> None:
    if request is None:
        return
    method, path, body = request
    more = b"" if body is None else f"Idempotency-Key: {uuid.uuid4().hex}\r\nContent-Length: {len(body)}\r\n".encode()
    sent[line] = time.monotonic()
    line.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + head + more + b"\r\n" + (body or b""))


def _receive(line: socket.socket) -> bytes:
    """One answer with its head; the body is as long as the head says."""
    held = line.recv(65536)
    while b"\r\n\r\n" not in held:
        held += line.recv(65536)
    head, _, body = held.partition(b"\r\n\r\n")
    fields = dict(row.lower().split(b": ", 1) for row in head.split(b"\r\n")[1:])
    while len(body) < int(fields.get(b"content-length", 0)):
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body
