"""The gateway: whoever sends slowly, stops half way or sends much holds up nobody, and health always answers."""

import asyncio
import json
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest

from databases import Database, on_one
from regulars.service import gateway
from regulars.service.gateway import Gateway, environment_of
from service.servers import Server, serving
from till.conftest import key


def scope(path: str = "/api/v1/ping", method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(
        path=path,
        method=method,
        query_string="",
        server="127.0.0.1:80",
        client="127.0.0.1:5",
        scheme="http",
        headers=named,
    )


def told(environ: dict[str, Any], start: Any) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode(), environ["wsgi.input"].read()]


def answered(served: Gateway, asked: Any, body: Any = None) -> gateway.Answered:
    async def receive() -> bytes:
        if isinstance(body, float):
            await asyncio.sleep(body)
        return body or b""

    async def ask() -> gateway.Answered:
        served.__rsgi_init__(asyncio.get_running_loop())
        return await served._answer(environment_of(asked), receive)

    return asyncio.run(ask())


def test_a_body_that_does_not_come_is_408_and_no_thread_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "BODY_SECONDS", 0.05)
    late = answered(Gateway(told, 1), scope(method="POST", content_length="10", authorization="Bearer x"), 5.0)
    assert (late.status, json.loads(late.body)["code"]) == (408, "body_too_slow")
    assert ("Connection", "close") in late.headers


def test_what_is_too_large_or_without_a_key_is_not_waited_for() -> None:
    for headers in ({"content_length": "10"}, {"content_length": "9" * 15, "authorization": "Bearer x"}):
        assert answered(Gateway(told, 1), scope(method="POST", **headers), 60.0).body == b"/api/v1/ping"


def test_more_than_memory_should_hold_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "MOST_HELD", 5)
    full = answered(Gateway(told, 1), scope(method="POST", content_length="10", authorization="Bearer x"), b"x" * 10)
    assert (full.status, json.loads(full.body)["code"]) == (503, "unavailable")


def test_a_header_with_an_underscore_is_not_taken_for_one_with_a_hyphen() -> None:
    sent = scope()
    sent.headers = {"x_request_id": "forged", "x-request-id": "real", "accept": "a"}
    environ = environment_of(sent)
    assert environ["HTTP_X_REQUEST_ID"] == "real"
    assert "forged" not in environ.values()


def test_health_answers_in_time_where_the_records_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "HEALTH_SECONDS", 0.05)

    def stuck(environ: dict[str, Any], start: Any) -> list[bytes]:
        time.sleep(0.5)
        return []

    begun = time.monotonic()
    assert answered(Gateway(stuck, 1), scope("/health/ready")).status == 503
    assert time.monotonic() - begun < 0.4


def half_sent(server: Server, token: str, path: str, length: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    line.sendall(
        f"POST /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: half-sent-{length}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{".encode()
    )
    return line


@contextmanager
def many_half_sent(server: Server, token: str) -> Iterator[None]:
    """More than there are threads, and of the largest size."""
    lines = [half_sent(server, token, "vouchers/redeem", 1000) for _ in range(48)]
    lines += [half_sent(server, token, "redemptions/batch", 1_000_000) for _ in range(16)]
    try:
        yield
    finally:
        for line in lines:
            line.close()


def slowest(client: httpx.Client, path: str, times: int = 60) -> float:
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        assert client.get(path).status_code == 200
        seconds.append(time.perf_counter() - begun)
    return statistics.quantiles(seconds, n=20)[-1]


@on_one
def test_half_sent_bodies_with_a_key_hold_up_nobody(shop: Database, tmp_path: Path) -> None:
    token = key("redeem")
    with (
        serving(tmp_path, shop.environment, "--threads", "8") as server,
        httpx.Client(base_url=server.address, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client,
    ):
        quiet = slowest(client, "/api/v1/ping")
        with many_half_sent(server, token):
            assert slowest(client, "/api/v1/ping") < max(10 * quiet, 0.5)
            for path in ("/health/live", "/health/ready"):
                begun = time.monotonic()
                assert client.get(path).status_code == 200
                assert time.monotonic() - begun < 1


def test_health_answers_while_the_tables_are_locked(shop: Database, tmp_path: Path) -> None:
    if shop.kind == "sqlite":
        pytest.skip("a reader of SQLite waits for nobody")
    with serving(tmp_path, shop.environment, "--threads", "8") as server, psycopg.connect(shop.address) as other:
        other.execute("lock table django_migrations in access exclusive mode")
        for path, status in (("/health/live", 200), ("/health/ready", 503)):
            begun = time.monotonic()
            assert httpx.get(server.address + path, timeout=30).status_code == status
            assert time.monotonic() - begun < 1
        other.rollback()


@on_one
def test_a_path_arrives_as_it_was_meant(shop: Database, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {key('redeem')}"}
    with serving(tmp_path, shop.environment) as server:
        for path in ("offers/%E4%BA%94", "offers/%2541", "offers/a%2Fb", "offers/100%25", "offers/%FF", "nothing/%00"):
            assert httpx.get(f"{server.address}/api/v1/{path}", headers=headers).status_code in (404, 422), path
        missing = httpx.get(f"{server.address}/api/v1/offers/%E4%BA%94%2541", headers=headers)
        assert "五%41" in missing.json()["detail"]
