"""The gateway: a request reaches a thread only when all of it is there, so whoever sends slowly, or stops half way, holds up nobody.

Heads and bodies are waited for by the event loop, which bears with thousands at once and has a deadline for each. The threads only
answer. Health has a thread of its own, and an answer in time even where the records have none.
"""

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from queue import SimpleQueue
from typing import Any, NamedTuple

from regulars.till.bodies import most_bytes
from regulars.till.problems import MEDIA_TYPE, STATUSES, Problem, document, instance_of, language_of

BODY_SECONDS = 15.0
"""How long a body may take from its head to its last byte."""
HEALTH_SECONDS = 0.7
MOST_HELD = 128_000_000
"""So many bytes of bodies that are not whole yet are waited for in each process."""
LARGE = 32_000
"""What is larger is answered one after another, beside the rest: reading it takes a hundred times as long as a redemption."""

_HEALTH = "/health/"
_log = logging.getLogger(__name__)
Environment = dict[str, Any]
Application = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]


class Answered(NamedTuple):
    """An answer, as the server sends it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Gateway:
    """The application as the server calls it. threads: how many requests are answered at once."""

    def __init__(self, application: Application, threads: int) -> None:
        self._application = application
        self._threads = threads
        self._lanes: dict[str, SimpleQueue[Any]] = {name: SimpleQueue() for name in ("", "large", "health")}
        self._held = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the threads, in the process that serves."""
        for lane in ("large", "health", *[""] * self._threads):
            threading.Thread(target=self._work, args=(self._lanes[lane],), name=f"regulars {lane}", daemon=True).start()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        answered = await self._answer(environment_of(scope), protocol)
        protocol.response_bytes(answered.status, answered.headers, answered.body)

    async def _answer(self, environ: Environment, receive: Callable[[], Awaitable[bytes]]) -> Answered:
        if environ["PATH_INFO"].startswith(_HEALTH):
            return await self._health(environ)
        if not (size := _size_of(environ)):
            return await self._through("", environ)
        if self._held + size > MOST_HELD:
            return refused(environ, "unavailable")
        self._held += size
        try:
            environ["wsgi.input"] = io.BytesIO(await asyncio.wait_for(receive(), BODY_SECONDS))
        except TimeoutError:
            return refused(environ, "body_too_slow")
        except Exception:  # noqa: BLE001  (whoever broke off hears no answer, whatever it is)
            return refused(environ, "not_json")
        finally:
            self._held -= size
        return await self._through("large" if size > LARGE else "", environ)

    async def _through(self, lane: str, environ: Environment) -> Answered:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answered] = loop.create_future()
        self._lanes[lane].put((environ, loop, future))
        return await future

    async def _health(self, environ: Environment) -> Answered:
        """In time, also where the records do not answer."""
        try:
            return await asyncio.wait_for(self._through("health", environ), HEALTH_SECONDS)
        except TimeoutError:
            return Answered(
                503,
                [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
                b'{"status":"the records do not answer in time"}',
            )

    def _work(self, queue: "SimpleQueue[Any]") -> None:
        while True:
            environ, loop, future = queue.get()
            try:
                answered = self._called(environ)
            except Exception:  # noqa: BLE001  (the thread lives on)
                _log.exception("failed")
                answered = refused(environ, "failed")
            try:
                loop.call_soon_threadsafe(_tell, future, answered)
            except RuntimeError:  # the loop has ended, and who asked has gone
                return

    def _called(self, environ: Environment) -> Answered:
        said: list[Any] = []
        body = self._application(environ, lambda *words: said.extend(words))
        return Answered(int(said[0][:3]), said[1], b"".join(body))


def _tell(future: "asyncio.Future[Answered]", answered: Answered) -> None:
    if not future.done():
        future.set_result(answered)


def environment_of(scope: Any) -> Environment:
    """The head of a request as WSGI has it (PEP 3333), with an empty body."""
    path, (host, _, port) = scope.path, scope.server.rpartition(":")
    environ: Environment = {
        "REQUEST_METHOD": scope.method, "SCRIPT_NAME": "", "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string, "SERVER_NAME": host, "SERVER_PORT": port, "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": scope.client.rpartition(":")[0], "wsgi.url_scheme": scope.scheme, "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }  # fmt: skip
    for name, value in scope.headers.items():
        if (known := _variable(name)) in environ:
            environ[known] += f",{value}"
        elif known:
            environ[known] = value
    return environ


@lru_cache(maxsize=512)
def _variable(header: str) -> str:
    """The variable of a header; none for one with an underscore, which would pass for one with a hyphen."""
    if "_" in header:
        return ""
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _size_of(environ: Environment) -> int:
    """Bytes to wait for: none without a key, of what is too large, or where the size is not said; that is refused unread."""
    said = environ.get("CONTENT_LENGTH", "")
    if "HTTP_AUTHORIZATION" not in environ or not (said.isascii() and said.isdecimal() and len(said) < 20):
        return 0
    return size if (size := int(said)) <= most_bytes(environ["PATH_INFO"]) else 0


def refused(environ: Environment, code: str) -> Answered:
    """What is refused before it came to anybody."""
    problem, language = Problem(code), language_of(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
    text = document(problem, language, instance_of("", environ.get("HTTP_X_REQUEST_ID", "")[:64]))
    headers = [("Content-Type", MEDIA_TYPE), ("Content-Language", language), ("Connection", "close")]
    return Answered(STATUSES[code], [*headers, ("Cache-Control", "no-store"), ("Retry-After", "1")], text.encode())
