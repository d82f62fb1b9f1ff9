"""The server as a process: what only the real one can show."""

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from databases import Database, on_one
from service.servers import Server, serving
from till.conftest import bill, key


@pytest.fixture
def server(shop: Database, tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, shop.environment, "--workers", "2", "--threads", "8") as server:
        yield server


def caller(server: Server, *scopes: str) -> httpx.Client:
    token = key(*(scopes or ("redeem", "issue", "offers", "halt", "events")))
    return httpx.Client(base_url=f"{server.address}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def send(client: httpx.Client, path: str, body: Any, name: str) -> httpx.Response:
    return client.post(path, json=body, headers={"Idempotency-Key": name})


def memory_of(pid: int) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_many_tills_redeem_one_voucher_once_and_hear_the_same_as_the_ledger(server: Server) -> None:
    with caller(server) as client:
        code = send(client, "vouchers", {"offer_id": "five"}, "issue-it-1").json()["code"]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: send(client, "vouchers/redeem", bill(code), f"redeem-{n}"), range(24)))
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 23, server.log.read_text()
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"voucher_redeemed"}
        with ThreadPoolExecutor(8) as pool:
            same = list(pool.map(lambda _: send(client, "vouchers/redeem", bill(code), "redeem-0"), range(16)))
        settled = {answer.content for answer in same if answer.json().get("code") != "key_in_flight"}
        assert settled == {answers[0].content}
        account = client.get("offers/five").json()["account"]
        assert (account["spent_uses"], account["spent_minor"]) == (1, 500)


@on_one
def test_a_body_of_100_mb_is_refused_and_never_held(server: Server) -> None:
    before = {pid: memory_of(pid) for pid in server.children()}
    head = (
        f"POST /api/v1/vouchers/redeem HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key('redeem')}\r\nIdempotency-Key: a-large-body\r\nContent-Length: 100000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        sock.sendall(head.encode())
        assert b" 413 " in sock.recv(65536).split(b"\r\n")[0]
        chunk, sent = b" " * 1_000_000, 0
        try:
            while sent < 100:
                sock.sendall(chunk)
                sent += 1
        except OSError:
            pass
    grown = max(memory_of(pid) - held for pid, held in before.items())
    assert grown < 30_000_000, f"grew by {grown:,} bytes after {sent} MB were taken"
    assert httpx.get(f"{server.address}/health/live").status_code == 200


@on_one
def test_a_chunked_body_without_end_is_refused(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        yield b"{" * 1000

    with caller(server) as client:
        refused = client.post("vouchers/redeem", content=endless(), headers={"Idempotency-Key": "without-end"})
        assert (refused.status_code, refused.json()["code"]) == (411, "length_required")


def test_it_says_its_address_stops_in_order_and_answers_what_was_begun(server: Server) -> None:
    with caller(server) as client:
        codes = [send(client, "vouchers", {"offer_id": "five"}, f"issue-it-{n}").json()["code"] for n in range(40)]
        answers: list[int] = []

        def redeem(code: str) -> None:
            try:
                answers.append(send(client, "vouchers/redeem", bill(code), f"redeem-{code}").status_code)
            except httpx.TransportError:
                answers.append(0)

        threads = [threading.Thread(target=redeem, args=(code,)) for code in codes]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        assert server.process.stdout is not None
        assert server.address in server.process.stdout.readline()
        begun = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - begun < 15
        for thread in threads:
            thread.join()
    from regulars.offers import actions

    assert set(answers) <= {200, 0}
    assert actions.find_offer("five")["account"]["spent_uses"] >= answers.count(200) > 0
    assert re.search("Traceback|Error", server.log.read_text()) is None


def test_i4_a_process_that_is_killed_is_begun_anew_and_what_was_acknowledged_is_there(server: Server) -> None:
    with caller(server) as client:
        code = send(client, "vouchers", {"offer_id": "five"}, "issue-it-1").json()["code"]
        first = send(client, "vouchers/redeem", bill(code), "redeem-it-1")
        assert first.status_code == 200
        for child in server.children():
            os.kill(child, signal.SIGKILL)
    begun = time.monotonic()
    server.wait_until_ready()
    assert time.monotonic() - begun < 10
    with caller(server) as client:
        assert send(client, "vouchers/redeem", bill(code), "redeem-it-1").status_code in (200, 409)


@on_one
def test_children_do_not_outlive_their_parent(server: Server) -> None:
    children = server.children()
    server.stop(signal.SIGKILL)
    until = time.monotonic() + 10
    while any(Path(f"/proc/{child}/stat").exists() and not is_dead(child) for child in children):
        assert time.monotonic() < until, "an orphan lives on"
        time.sleep(0.05)


def is_dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] in "ZX"
    except OSError:
        return True


@on_one
def test_logs_are_json_and_hold_nothing_of_a_guest(shop: Database, tmp_path: Path) -> None:
    with serving(tmp_path, shop.environment | {"REGULARS_LOG_LEVEL": "info"}) as server, caller(server) as client:
        code = send(client, "vouchers", {"offer_id": "five", "guest_id": "GUEST-77"}, "issue-it-1").json()["code"]
        guest = {"guest_id": "GUEST-77", "phone": "+8613800138000", "email": "li.na@example.com"}
        send(client, "vouchers/redeem", bill(code, guest=guest, order_id="CHECK-1"), "redeem-it-1")
        client.get(f"vouchers/{code}")
        client.get(f"nothing/{code}")
        client.get("ping", headers={"Authorization": "Bearer rk_secretsecret"})
        token = client.headers["Authorization"].split("_", 2)[2]
        log = server.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert len(requests) >= 6
    redeemed = next(line for line in requests if line["route"].endswith("vouchers/redeem"))
    assert redeemed.keys() >= {"at", "level", "request", "method", "status", "ms", "till", "codes"}
    seen = next(line for line in requests if line["route"].endswith("<code>"))
    assert seen["codes"] == redeemed["codes"]
    for personal in (code, "GUEST-77", "13800138000", "li.na", "CHECK-1", token, "secretsecret"):
        assert personal not in log


@on_one
def test_figures_are_those_of_all_processes_and_not_for_everybody(server: Server) -> None:
    with caller(server) as client:
        for _ in range(20):
            assert client.get("ping").status_code == 200
    count = r'regulars_request_seconds_count\{method="GET",route="api/v1/ping",status="200"\} (\d+)'
    text = httpx.get(f"{server.address}/metrics").text
    found = re.search(count, text)
    assert found
    assert int(float(found[1])) == 20
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    refused = httpx.get(f"{server.address}/metrics", headers=elsewhere)
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
    with_key = elsewhere | {"Authorization": f"Bearer {key('metrics')}"}
    assert "regulars_request_seconds" in httpx.get(f"{server.address}/metrics", headers=with_key).text
    other = elsewhere | {"Authorization": f"Bearer {key('redeem')}"}
    assert httpx.get(f"{server.address}/metrics", headers=other).status_code == 403


@on_one
def test_a_slow_sender_holds_up_nobody_else(server: Server) -> None:
    """Eight threads in each process, and more senders that never finish than threads."""
    head = (
        f"POST /api/v1/vouchers/redeem HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    socks = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(40)]
    try:
        for sock in socks:
            sock.sendall(head.encode())
        with caller(server) as client:
            assert client.get("ping", timeout=10).status_code == 200
    finally:
        for sock in socks:
            sock.close()
