"""I1: however many tills redeem at once, no cap is broken, no code is used twice, and every answer is what the books say."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from storms.crowd import Crowd, Told
from storms.house import DISCOUNT, GENERIC, House, on_postgresql, on_sqlite, served

CAP = 60


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path, postgresql: str) -> Iterator[House]:
    opened = on_sqlite(tmp_path) if request.param == "sqlite" else on_postgresql(tmp_path, postgresql)
    with opened as house:
        yield house


def storm(house: House, size: "Size", seed: int) -> tuple[list[Told], dict[str, object]]:
    """Single vouchers, each tried by more than one till, and a code that everybody knows; both beyond the cap."""
    found = house.ask("open", {"cap": CAP, "vouchers": CAP + 20, "has_generic": True})
    draw = np.random.default_rng(seed)
    codes = np.array([*found["codes"]["five-off-0"] * 2, *[GENERIC] * (CAP * 2 + 40)])
    tries = draw.choice(codes, size=(size.processes * size.threads, size.tries))
    with served(house, size.workers if house.address.startswith("postgres") else 1):
        crowd = Crowd(house.port, found["token"], tries.tolist(), house.folder / "told", processes=size.processes)
        crowd.let_loose()
        told = crowd.told()
    return told, house.ask("books")


class Size:
    """processes x threads, each with so many tries; workers: of the server on PostgreSQL."""

    def __init__(self, processes: int, threads: int, tries: int, workers: int) -> None:
        self.processes, self.threads, self.tries, self.workers = processes, threads, tries, workers


def check(told: list[Told], books: dict[str, object]) -> Counter[str]:
    """That what the crowd was told is what the ledger says, row by row, and no cap is broken."""
    accounts, redeemed = books["accounts"], books["redeemed"]
    assert books["drift"] == []
    for account in accounts.values():
        assert 0 <= account["spent_uses"] <= account["cap"]
        assert account["spent_minor"] + account["reserved_minor"] + account["free_minor"] == account["budget_minor"]
        assert account["spent_minor"] == account["spent_uses"] * DISCOUNT
    said = {
        (row["redemption_id"], row["code"], one.order_id)
        for one in told
        if one.status == 200
        for row in json.loads(one.body)["applied"]
    }
    assert said == {tuple(row) for row in redeemed}
    single = Counter(code for _, code, _ in redeemed if code != GENERIC)
    assert not single or max(single.values()) == 1
    return Counter(f"{one.status} {json.loads(one.body).get('code', '')}" for one in told)


def test_I1_no_cap_is_broken_in_a_storm(house: House, storm_size: Size, storm_seed: int) -> None:
    told, books = storm(house, storm_size, storm_seed)
    outcomes = check(told, books)
    print(outcomes)
    assert {outcome[:3] for outcome in outcomes} <= {"200", "409"}
    assert all(account["spent_uses"] == CAP for account in books["accounts"].values())
