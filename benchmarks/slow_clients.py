"""Tills beside clients that send slowly, with keys and bodies of the largest size allowed.

    python benchmarks/slow_clients.py [--seconds 12] [--clients 16]

Client, server and database share this machine. Each slow client sends a megabyte of events a piece at a time, over as many seconds as
a turn lasts, so that the last of it arrives and is answered; then it begins anew. The figure is the time that 99 in 100 redemptions
of 4 other tills take at most, beside the same without the slow clients in the same run: at most twice. And the slowest answer of
/health/ready meanwhile, which is to be within a second.
"""

import argparse
import http.client
import json
import socket
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from storms.crowd import redeem_body
from storms.house import House, on_postgresql, on_sqlite, served
from storms.tills import Rates, press

PATH = "/api/v1/vouchers/redeem"
TILLS = 4
SECONDS_OF_A_BODY = 5.0


def events() -> bytes:
    """As many as are taken at once, in a little less than the most bytes."""
    batch = [
        {
            "type": "track",
            "messageId": uuid.uuid4().hex,
            "event": "Order Completed",
            "properties": {"note": "x" * 1_850},
        }
        for _ in range(500)
    ]
    return json.dumps({"batch": batch}).encode()


def send_slowly(house: House, token: str, is_over: threading.Event, statuses: list[int]) -> None:
    """Bodies one after another, until it is over."""
    while not is_over.is_set():
        body, pieces = events(), 50
        head = (
            f"POST /api/v1/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", house.port), timeout=60) as line:
            line.sendall(head.encode())
            size = len(body) // pieces + 1
            for place in range(0, len(body), size):
                line.sendall(body[place : place + size])
                if is_over.wait(SECONDS_OF_A_BODY / pieces):
                    return
            statuses.append(int(line.recv(65536).split(b" ")[1]))


def watch_health(house: House, is_over: threading.Event, seconds: list[float]) -> None:
    while not is_over.wait(0.2):
        connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
        begun = time.monotonic()
        connection.request("GET", "/health/ready")
        assert connection.getresponse().status == 200
        seconds.append(time.monotonic() - begun)
        connection.close()


def measured(house: House, clients: int, seconds: float) -> dict[str, Any]:
    found = house.ask("open", {"cap": 10**6, "vouchers": 60_000})
    codes, token = found["codes"]["five-off-0"], found["token"]
    asked = [("POST", PATH, redeem_body(code, "order")) for code in codes]
    share = len(asked) // 3
    with served(house, 1):
        press(house.port, token, asked[:share], tills=TILLS, seconds=2)
        quiet = press(house.port, token, asked[share : 2 * share], tills=TILLS, seconds=seconds)
        is_over, statuses, health = threading.Event(), list[int](), list[float]()
        threads = [threading.Thread(target=send_slowly, args=(house, token, is_over, statuses)) for _ in range(clients)]
        threads.append(threading.Thread(target=watch_health, args=(house, is_over, health)))
        for thread in threads:
            thread.start()
        time.sleep(1)
        beside = press(house.port, token, asked[2 * share :], tills=TILLS, seconds=seconds)
        is_over.set()
        for thread in threads:
            thread.join()
    return told(quiet, beside, statuses, health)


def told(quiet: Rates, beside: Rates, statuses: list[int], health: list[float]) -> dict[str, Any]:
    return {
        "quiet_p99_ms": quiet.p99_ms, "beside_p99_ms": beside.p99_ms, "ratio": beside.p99_ms / quiet.p99_ms,
        "quiet": quiet.accepted, "beside": beside.accepted, "large_bodies": len(statuses),
        "statuses": sorted(set(statuses)), "slowest_health_s": max(health),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    results = {}
    for kind, opened in (("sqlite", on_sqlite), ("postgresql", on_postgresql)):
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as house:
            results[kind] = one = measured(house, options.clients, options.seconds)
        print(
            f"{kind}: 99 % of redemptions within {one['quiet_p99_ms']:.1f} ms alone, {one['beside_p99_ms']:.1f} ms beside"
            f" {options.clients} slow clients: {one['ratio']:.2f} times; {one['large_bodies']} large bodies answered"
            f" {one['statuses']}; health within {one['slowest_health_s']:.2f} s"
        )
    print(json.dumps(results))


if __name__ == "__main__":
    main()
