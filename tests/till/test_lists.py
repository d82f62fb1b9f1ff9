"""Lists: each row once, newest first, whatever is added meanwhile, and nothing that is another store's."""

from typing import Any

from databases import Database
from till.conftest import Caller, bill, key


def pages(caller: Caller, path: str, name: str, **also: Any) -> list[dict[str, Any]]:
    """All rows, two at a time; something is added between pages."""
    found, cursor = [], None
    while True:
        page = caller(
            "GET", f"{path}{'&' if '?' in path else '?'}limit=2{f'&cursor={cursor}' if cursor else ''}"
        ).json()
        found += page[name]
        if (cursor := page["next_cursor"]) is None:
            return found
        if "between" in also:
            also["between"]()


def test_every_voucher_is_on_one_page_whatever_is_issued_meanwhile(house: Caller) -> None:
    codes = [
        house("POST", "vouchers", {"offer_id": "five", "guest_id": "G1" if n % 2 else "G2"}).json()["code"]
        for n in range(5)
    ]
    seen = pages(house, "vouchers", "vouchers", between=lambda: house("POST", "vouchers", {"offer_id": "five"}))
    assert [row["code"] for row in seen] == codes[::-1]
    assert [row["code"] for row in pages(house, "vouchers?guest_id=G1", "vouchers")] == [codes[3], codes[1]]
    assert seen[0] == house("GET", f"vouchers/{codes[-1]}").json()
    assert house("GET", "vouchers?offer_id=nothing").json() == {"vouchers": [], "next_cursor": None}


def test_a_redemption_says_what_was_given_back(house: Caller, till: Caller) -> None:
    made = []
    for number in range(3):
        code = house("POST", "vouchers", {"offer_id": "five"}).json()["code"]
        applied = till("POST", "vouchers/redeem", bill(code, order_id=f"O{number}")).json()["applied"][0]
        made.append((code, applied["redemption_id"]))
    code, redemption = made[1]
    till("POST", f"redemptions/{redemption}/rollback", {"amount_minor": 200})
    found = till("GET", f"redemptions/{redemption}").json()
    assert (found["code"], found["order_id"], found["cost_minor"]) == (code, "O1", 500)
    assert (found["returned_minor"], found["left_minor"], found["is_given_back"]) == (200, 300, False)
    till("POST", f"redemptions/{redemption}/rollback", {})
    found = till("GET", f"redemptions/{redemption}").json()
    assert (found["returned_minor"], found["left_minor"], found["is_given_back"]) == (500, 0, True)
    assert [row["redemption_id"] for row in pages(till, "redemptions", "redemptions")] == [one for _, one in made[::-1]]
    for query in (f"code={code[:4].lower()}-{code[4:]}", "order_id=O1", "order_id=O1&store_id=S1&offer_id=five"):
        assert pages(till, f"redemptions?{query}", "redemptions") == [found]
    assert pages(till, "redemptions?code=rubbish", "redemptions") == []


def test_a_list_holds_nothing_of_another_store(shop: Database, house: Caller) -> None:
    for store in ("S1", "S2"):
        code = house("POST", "vouchers", {"offer_id": f"five-{store[1]}"}).json()["code"]
        house("POST", "vouchers/redeem", bill(code, store=store))
    own = Caller(key("redeem", "issue", stores=["S1"]))
    assert {row["offer_id"] for row in pages(own, "vouchers", "vouchers")} == {"five-1"}
    assert {row["store_id"] for row in pages(own, "redemptions", "redemptions")} == {"S1"}
    assert pages(own, "redemptions?store_id=S2", "redemptions") == []
    other = house("GET", "redemptions?store_id=S2").json()["redemptions"][0]["redemption_id"]
    assert own("GET", f"redemptions/{other}").json()["code"] == "redemption_not_found"


def test_a_cursor_that_is_none_is_refused(house: Caller) -> None:
    for query in (
        "cursor=!!!",
        "cursor=zzzz",
        "cursor=LTE",
        "cursor=" + "MTEx" * 9,
        "limit=0",
        "limit=201",
    ):
        refused = house("GET", f"vouchers?{query}")
        assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), query


def test_offers_come_a_page_at_a_time_where_a_limit_is_said(house: Caller) -> None:
    whole = house("GET", "offers").json()
    assert whole["next_cursor"] is None
    assert pages(house, "offers", "offers") == whole["offers"]
    assert len(whole["offers"]) == 3
    assert house("GET", "offers?cursor=_w").status_code == 422
