"""How long the way of a redemption is, from its route to its rows: files that run, and functions that return, counted as they do."""

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import regulars
from databases import Database
from till.conftest import Caller, bill

SOURCE = str(Path(regulars.__file__).parent)
MOST_FILES = 38
MOST_RETURNS = {"sqlite": 274, "postgres": 238}
"""Each return of a function; comprehensions and lambdas are no functions."""


def test_a_redemption_goes_no_longer_way_than_it_did(shop: Database, house: Caller, till: Caller) -> None:
    codes = [house("POST", "vouchers", {"offer_id": "five"}).json()["code"] for _ in range(4)]
    for code in codes[:3]:
        assert till("POST", "vouchers/redeem", bill(code)).status_code == 200
    returns: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "return" and code.co_filename.startswith(SOURCE) and not code.co_name.startswith("<"):
            returns[code.co_filename] += 1

    sys.setprofile(count)
    try:
        answer = till("POST", "vouchers/redeem", bill(codes[3]))
    finally:
        sys.setprofile(None)
    assert answer.status_code == 200
    assert len(returns) <= MOST_FILES
    assert returns.total() <= MOST_RETURNS[shop.kind]
