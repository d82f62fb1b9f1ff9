"""Guests who turn out to be one, told by many tills at once: nobody is told that something failed, every root is flat, and the books
are those of one guest after another."""

import json
import zlib
from collections import Counter
from typing import Any

import pytest

from storms.crowd import REDEEM, Crowd, redeem_body
from storms.house import House, served
from storms.test_storms import Size, check, house  # noqa: F401  (a fixture)

NAMES = 24
"""Of each of three kinds; each request names two kinds, and so links two of them at random."""


def _guest(number: int) -> dict[str, str]:
    one, other = number % NAMES, number // NAMES % NAMES
    kinds = {
        "phone": f"+86 138 0013 80{one:02}", "email": f"guest-{other}@example.com", "device": f"tablet {(one + other) % NAMES}"
    }  # fmt: skip
    left = ("phone", "email", "device")[number // NAMES**2 % 3]
    return {kind: name for kind, name in kinds.items() if kind != left}


def linking(code: str, order_id: str) -> tuple[str, bytes]:
    """A redemption that names two of somebody's names, or an event that does."""
    number = zlib.crc32(code.encode())
    guest = _guest(number)
    if number % 4:
        return REDEEM, redeem_body(code, order_id, guest=guest)
    names = {kind: name for kind, name in guest.items() if kind != "device"}
    facts: dict[str, Any] = {"event": "Order Completed", "messageId": order_id, "userId": f"user {number % NAMES}"}
    return "/api/v1/track", json.dumps(facts | {"traits": names, "properties": {"order_id": order_id}}).encode()


@pytest.mark.usefixtures("house")
def test_links_in_a_storm_are_flat_and_nobody_fails(house: House, storm_size: Size) -> None:  # noqa: F811
    tills = storm_size.processes * storm_size.threads
    vouchers = tills * storm_size.tries
    terms = {"per_guest": vouchers, "per_day": vouchers}
    found = house.ask("open", {"cap": vouchers, "vouchers": vouchers, "terms": terms})
    codes = found["codes"]["five-off-0"]
    work = [codes[place::tills] for place in range(tills)]
    with served(house, storm_size.workers if house.address.startswith("postgres") else 1):
        crowd = Crowd(
            house.port,
            found["token"],
            work,
            house.folder / "told",
            processes=storm_size.processes,
            is_stubborn=True,
            asks=linking,
        )
        crowd.let_loose()
        told = crowd.told()
    books = house.ask("books")
    outcomes = Counter(one.status for one in told)
    print(outcomes, "roots and chains:", books["roots"])
    assert outcomes == {200: vouchers}
    check([one for one in told if "applied" in one.body], books)
    assert books["roots"][1] == 0
    assert books["roots"][0] < NAMES
