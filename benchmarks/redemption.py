"""Redemptions over real HTTP against what the database alone allows, and against an empty endpoint of the same server.

    python benchmarks/redemption.py [--only hot|spread|sqlite|ledger|issue] [--seconds 6] [--vouchers 1000000]

Client, server and database share this machine. Needs PostgreSQL at 127.0.0.1:5432 (trust for the user postgres), where it makes
a database of its own and drops it again.

With each rate over HTTP stands that of the empty endpoint, GET /api/v1/ping, which does nothing but know the till: no route of the
same server can be faster on the same machine, whatever it does.

hot: one offer, 16 tills. The peer is a plain counter row in the database: `update ... set used = used + 1 where used < cap` and the
insert of the redemption in one statement, from 16 connections, with no HTTP and no checks.
spread: 1,000 offers, 32 tills, by one process, as `regulars serve` begins, and by two. The peer is the empty endpoint.
sqlite: one offer, 16 tills. The peer is a bare transaction of the same two rows with its fsync, one after the other.
ledger: one offer, one process, no HTTP; 1, 16 and 64 redemptions in each transaction. The peers are those of hot and sqlite.
issue: so many vouchers. The peers are COPY (PostgreSQL) and executemany (SQLite) of the same rows, vouchers and ledger, into the
same tables with their indexes and constraints.

Each figure is the median of three turns, ours and the peer's one after the other. Tills send the next request when they have the
answer to the last; every request is a voucher of its own with a key of its own.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from storms.crowd import redeem_body
from storms.house import House, on_postgresql, on_sqlite, served
from storms.tills import Rates, press

TURNS = 3
REDEEM = "/api/v1/vouchers/redeem"
PINGS = [("GET", "/api/v1/ping", None)] * 100_000
COUNTER = """
    with taken as (update counter set used = used + 1 where id = 1 and used < cap returning used)
    insert into redeemed select %s from taken"""


def plain_counter(address: str, seconds: float, connections: int = 16) -> float:
    """Redemptions a second of a counter row and an insert."""
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("drop table if exists counter, redeemed")
        server.execute("create table counter (id int primary key, used int, cap int)")
        server.execute("create table redeemed (code text primary key)")
        server.execute("insert into counter values (1, 0, 1000000000)")
    counts = [0] * connections

    def redeem(place: int) -> None:
        with psycopg.connect(address, autocommit=True) as server:
            while time.monotonic() < ends:
                server.execute(COUNTER, (uuid.uuid4().hex,))
                counts[place] += 1

    ends = time.monotonic() + seconds
    threads = [threading.Thread(target=redeem, args=(place,)) for place in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def bare_transactions(folder: Path, seconds: float) -> float:
    """Transactions a second of an update and an insert in SQLite, each with its fsync."""
    with sqlite3.connect(folder / "bare.sqlite3", isolation_level=None) as bare:
        bare.executescript("pragma journal_mode = wal; pragma synchronous = full")
        bare.executescript(
            "create table if not exists counter (used int); create table if not exists redeemed (code text primary key)"
        )
        bare.execute("insert into counter values (0)")
        count, ends = 0, time.monotonic() + seconds
        while time.monotonic() < ends:
            bare.execute("begin immediate")
            bare.execute("update counter set used = used + 1 where used < 1000000000")
            bare.execute("insert into redeemed values (?)", (uuid.uuid4().hex,))
            bare.execute("commit")
            count += 1
    return count / seconds


def requests(codes: list[str], turn: int) -> list[tuple[str, str, bytes | None]]:
    return [("POST", REDEEM, redeem_body(code, f"order-{turn}")) for code in codes]


def over_http(
    house: House, codes: list[str], token: str, *, tills: int, seconds: float, peer: Callable[[], Any], workers: int
) -> tuple[list[Rates], list[Any], float]:
    """Three turns of ours and of the peer's, one after the other, after a second to warm up; and the rate of the empty endpoint."""
    ours, theirs = [], []
    share = len(codes) // (TURNS + 1)
    with served(house, workers):
        press(house.port, token, requests(codes[:share], 0), tills=tills, seconds=1)
        for turn in range(1, TURNS + 1):
            theirs.append(peer())
            mine = codes[turn * share : (turn + 1) * share]
            ours.append(press(house.port, token, requests(mine, turn), tills=tills, seconds=seconds))
        empty = press(house.port, token, PINGS, tills=tills, seconds=seconds)
    return ours, theirs, empty.all


def spoken(rates: Rates) -> str:
    return f"{rates.accepted:,.0f} redemptions/s over HTTP (p50 {rates.p50_ms:.1f}, p99 {rates.p99_ms:.1f} ms)"


def of_empty(rate: float) -> str:
    return f"the empty endpoint {rate:,.0f}/s"


def middle(rates: list[Rates]) -> Rates:
    return sorted(rates)[len(rates) // 2]


def hot(seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, on_postgresql(Path(folder)) as house:
        found = house.ask("open", {"cap": 10**6, "vouchers": 100_000})
        codes = found["codes"]["five-off-0"]
        ours, plain, bound = over_http(
            house, codes, found["token"], tills=16, seconds=seconds, workers=2,
            peer=lambda: plain_counter(house.address, seconds),
        )  # fmt: skip
        drift = house.ask("books")["drift"]
    mine, theirs = middle(ours), statistics.median(plain)
    times = mine.accepted / theirs
    print(
        f"hot: {spoken(mine)}, a plain counter row {theirs:,.0f}/s: {times:.2f} times; drift {len(drift)}; {of_empty(bound)}"
    )
    return {**mine._asdict(), "plain_counter": theirs, "ratio": times, "empty": bound, "drift": len(drift)}


def spread(seconds: float) -> dict[str, Any]:
    return {f"workers {workers}": spread_over(workers, seconds) for workers in (1, 2)}


def spread_over(workers: int, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, on_postgresql(Path(folder)) as house:
        found = house.ask("open", {"cap": 1_000, "vouchers": 100, "offers": 1_000})
        codes = [code for turn in zip(*found["codes"].values(), strict=True) for code in turn]
        token = found["token"]
        ours, empty, _ = over_http(
            house, codes, token, tills=32, seconds=seconds, workers=workers,
            peer=lambda: press(house.port, token, PINGS, tills=32, seconds=seconds),
        )  # fmt: skip
        drift = house.ask("books")["drift"]
    mine, theirs = middle(ours), middle(empty)
    part = mine.accepted / theirs.all
    print(
        f"spread over 1,000 offers, {workers} workers: {spoken(mine)}, the empty endpoint {theirs.all:,.0f}/s: {part:.2f}; "
        f"drift {len(drift)}"
    )
    return {**mine._asdict(), "empty": theirs.all, "ratio": part, "drift": len(drift)}


def embedded(seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, on_sqlite(Path(folder)) as house:
        found = house.ask("open", {"cap": 10**6, "vouchers": 100_000})
        ours, bare, bound = over_http(
            house, found["codes"]["five-off-0"], found["token"], tills=16, seconds=seconds, workers=1,
            peer=lambda: bare_transactions(Path(folder), seconds),
        )  # fmt: skip
    mine, theirs = middle(ours), statistics.median(bare)
    times = mine.accepted / theirs
    print(f"sqlite: {spoken(mine)}, bare fsynced transactions {theirs:,.0f}/s: {times:.2f}; {of_empty(bound)}")
    return {**mine._asdict(), "bare": theirs, "ratio": mine.accepted / theirs, "empty": bound}


def ledger(seconds: float) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, opened in {"postgresql": on_postgresql, "sqlite": on_sqlite}.items():
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as house:
            house.ask("open", {"cap": 10**6, "vouchers": 60_000})
            rates, first = {}, 0
            for at_once, vouchers in {1: 1_000, 16: 6_000, 64: 12_000}.items():
                turns = []
                for _ in range(TURNS):
                    turns.append(
                        house.ask("redeem", {"first": first, "vouchers": vouchers, "at_once": at_once})["rate"]
                    )
                    first += vouchers
                rates[at_once] = statistics.median(turns)
            if name == "postgresql":
                peer, words = plain_counter(house.address, seconds), "a plain counter row"
            else:
                peer, words = bare_transactions(Path(folder), seconds), "bare fsynced transactions"
        told = ", ".join(f"{rate:,.0f}/s in groups of {at_once} ({rate / peer:.2f})" for at_once, rate in rates.items())
        print(f"ledger, {name}: {told}; {words} {peer:,.0f}/s")
        figures[name] = {"rates": rates, "peer": peer}
    return figures


def issue(vouchers: int) -> dict[str, Any]:
    figures = {}
    for name, opened in {"postgresql": on_postgresql, "sqlite": on_sqlite}.items():
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as house:
            told = house.ask("issue", {"vouchers": vouchers})
        ratio = told["ours"] / told["bare"]
        print(
            f"issue, {name}: {vouchers:,} vouchers in {told['ours']:.1f} s, the same rows bare {told['bare']:.1f} s: {ratio:.2f} times"
        )
        figures[name] = told | {"ratio": ratio}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("hot", "spread", "sqlite", "ledger", "issue"))
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--vouchers", type=int, default=1_000_000)
    asked = parser.parse_args()
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "hot": lambda: hot(asked.seconds),
        "spread": lambda: spread(asked.seconds),
        "sqlite": lambda: embedded(asked.seconds),
        "ledger": lambda: ledger(asked.seconds),
        "issue": lambda: issue(asked.vouchers),
    }
    print(json.dumps({name: run() for name, run in runs.items() if asked.only in (None, name)}))


if __name__ == "__main__":
    main()
