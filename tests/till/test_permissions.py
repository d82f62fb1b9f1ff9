"""I14: every route, for every role, at its own store, at another's, and at none. A route without a row fails."""

from collections.abc import Callable
from typing import Any

import pytest

from databases import Database
from regulars.access import tills
from regulars.offers.codes import make
from regulars.till.api import api
from regulars.till.keys import Key
from till.conftest import NOW, TERMS, Caller, bill, key

Row = tuple[str, str, str, Any]

# method, route, the scope it needs, what is sent for an offer at a store; "" as scope: any key will do
ROUTES: dict[tuple[str, str], tuple[str, Callable[[dict[str, str]], tuple[str, Any]]]] = {
    ("GET", "/ping"): ("", lambda at: ("ping", None)),
    ("POST", "/vouchers/validate"): ("redeem", lambda at: ("vouchers/validate", bill(at["code"], store=at["store"]))),
    ("POST", "/vouchers/reserve"): ("redeem", lambda at: ("vouchers/reserve", bill(at["code"], store=at["store"]))),
    ("POST", "/vouchers/redeem"): ("redeem", lambda at: ("vouchers/redeem", bill(at["code"], store=at["store"]))),
    ("POST", "/redemptions/batch"): ("redeem", lambda at: ("redemptions/batch", {"redemptions": [offline(at)]})),
    ("POST", "/redemptions/{redemption_id}/rollback"): ("redeem", lambda at: (f"redemptions/{at['redemption']}/rollback", {})),
    ("POST", "/reservations/{reservation_id}/release"): ("redeem", lambda at: (f"reservations/{at['reservation']}/release", {})),
    ("GET", "/vouchers/{code}"): ("redeem", lambda at: (f"vouchers/{at['code']}", None)),
    ("GET", "/vouchers"): ("issue", lambda at: (f"vouchers?offer_id={at['offer']}", None)),
    ("GET", "/redemptions"): ("redeem", lambda at: (f"redemptions?store_id={at['store']}", None)),
    ("GET", "/redemptions/{redemption_id}"): ("redeem", lambda at: (f"redemptions/{at['redemption']}", None)),
    ("GET", "/offers/{offer_id}"): ("redeem", lambda at: (f"offers/{at['offer']}", None)),
    ("GET", "/offers"): ("redeem", lambda at: ("offers", None)),
    ("POST", "/offers"): ("offers", lambda at: ("offers", {"offer_id": at["offer"], "terms": TERMS | {"stores": [at["store"]]}})),
    ("POST", "/vouchers"): ("issue", lambda at: ("vouchers", {"offer_id": at["offer"]})),
    ("POST", "/vouchers/{code}/cancel"): ("issue", lambda at: (f"vouchers/{at['code']}/cancel", {})),
    ("POST", "/track"): ("events", lambda at: ("track", {"messageId": at["code"], "event": "Order Completed"})),
    ("POST", "/batch"): ("events", lambda at: ("batch", {"batch": [{"type": "page", "messageId": at["code"]}]})),
    ("GET", "/halts"): ("halt", lambda at: ("halts", None)),
    ("POST", "/halts"): ("halt", lambda at: ("halts", {"kind": "store", "key": at["store"], "reason": "a test"})),
    ("DELETE", "/halts/{kind}/{key}"): ("halt", lambda at: (f"halts/store/{at['store']}", None)),
}  # fmt: skip

# what becomes of it for something at another store: 403 where the store was named, 404 where a thing was, so that nobody
# learns it exists; None where stores do not matter, or where each key sees its own
ELSEWHERE: dict[tuple[str, str], int | None] = {
    ("GET", "/ping"): None, ("GET", "/offers"): None, ("POST", "/track"): None, ("POST", "/batch"): None,
    ("GET", "/halts"): None, ("POST", "/redemptions/batch"): None, ("GET", "/vouchers"): None, ("GET", "/redemptions"): None,
    ("GET", "/redemptions/{redemption_id}"): 404,
    ("POST", "/vouchers/validate"): 403, ("POST", "/vouchers/reserve"): 403, ("POST", "/vouchers/redeem"): 403,
    ("POST", "/offers"): 403, ("POST", "/halts"): 403, ("DELETE", "/halts/{kind}/{key}"): 403,
    ("POST", "/redemptions/{redemption_id}/rollback"): 404, ("POST", "/reservations/{reservation_id}/release"): 404,
    ("GET", "/vouchers/{code}"): 404, ("GET", "/offers/{offer_id}"): 404, ("POST", "/vouchers"): 404,
    ("POST", "/vouchers/{code}/cancel"): 404,
}  # fmt: skip


def offline(at: dict[str, str]) -> dict[str, Any]:
    return {**bill(at["code"], store=at["store"]), "key": f"offline-{at['code']}", "occurred_at": at["now"]}


def operations() -> dict[tuple[str, str], Any]:
    """Every route of the API as the code has it, whatever its description says."""
    return {
        (method, path if path.startswith("/") else f"/{path}"): operation
        for _, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }


@pytest.fixture
def things(shop: Database, house: Caller) -> Callable[[str], dict[str, str]]:
    """One of everything at a store."""
    from regulars.till.dispatch import now

    def at(store: str) -> dict[str, str]:
        offer = f"five-{store[1]}"
        codes = [house("POST", "vouchers", {"offer_id": offer}).json()["code"] for _ in range(3)]
        redeemed = house("POST", "vouchers/redeem", bill(codes[1], store=store)).json()
        reserved = house("POST", "vouchers/reserve", bill(codes[2], store=store)).json()
        return {
            "store": store, "offer": offer, "code": codes[0], "now": now().isoformat(),
            "redemption": redeemed["applied"][0]["redemption_id"], "reservation": reserved["reservation_id"],
        }  # fmt: skip

    return at


def call(caller: Caller, route: tuple[str, str], at: dict[str, str]) -> Any:
    path, body = ROUTES[route][1](at)
    if route == ("DELETE", "/halts/{kind}/{key}"):
        Caller(key("halt"))("POST", "halts", {"kind": "store", "key": at["store"], "reason": "to be lifted"})
    return caller(route[0], path, body)


def test_every_route_has_a_row_and_a_lock() -> None:
    open_to_all = {("GET", "/openapi.json")}
    assert set(operations()) - open_to_all == set(ROUTES) == set(ELSEWHERE)
    for route, operation in operations().items():
        if route in open_to_all:
            assert operation.auth_param is None
        else:
            (lock,) = operation.auth_callbacks or api.auth
            assert isinstance(lock, Key)
            assert lock.scope == ROUTES[route][0]


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_who_may_do_it_where(route: tuple[str, str], things: Callable[[str], dict[str, str]], shop: Database) -> None:
    scope, own, others = ROUTES[route][0], things("S1"), things("S2")
    for token in (None, "rk_aaaaaaaaaaaaaaaa_" + "a" * 32, "rubbish", "rk_"):
        answer = call(Caller(token), route, own)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for other in set(tills.SCOPES) - {scope} if scope else ():
        assert call(Caller(key(other)), route, own).json()["code"] == "not_allowed", other
    role = scope or "redeem"
    if ELSEWHERE[route] is not None:
        refused = call(Caller(key(role, stores=["S1"])), route, others)
        assert refused.status_code == ELSEWHERE[route], refused.content
    mine = call(Caller(key(role, stores=["S1"])), route, own)
    assert mine.status_code in (200, 201), mine.content


def test_an_offline_redemption_at_another_store_is_refused_by_itself(things: Callable[[str], dict[str, str]]) -> None:
    till = Caller(key("redeem", stores=["S1"]))
    own, others = things("S1"), things("S2")
    results = till("POST", "redemptions/batch", {"redemptions": [offline(own), offline(others)]}).json()["results"]
    assert [result["status"] for result in results] == [200, 403]


def test_lists_hold_only_what_concerns_the_key(shop: Database, house: Caller) -> None:
    for store in ("S1", "S2"):
        house("POST", "halts", {"kind": "store", "key": store, "reason": "a test"})
    till = Caller(key("redeem", "halt", stores=["S1"]))
    offers = till("GET", "offers").json()["offers"]
    assert [offer["offer_id"] for offer in offers] == ["five", "five-1"]
    assert all("account" not in offer for offer in offers)
    assert [row["key"] for row in till("GET", "halts").json()["halts"]] == ["S1"]
    assert "account" in Caller(key("redeem", "offers"))("GET", "offers").json()["offers"][0]


def test_a_foreign_voucher_is_refused_in_the_words_of_one_that_is_not_there(
    things: Callable[[str], dict[str, str]],
) -> None:
    till, code = Caller(key("redeem", stores=["S1"])), things("S2")["code"]
    unknown = make(1)[0]
    said = [till("GET", f"vouchers/{asked}").json() | {"instance": ""} for asked in (code, unknown)]
    assert said[0] == {
        name: str(value).replace(unknown, code) if name == "detail" else value for name, value in said[1].items()
    }


def test_what_holds_everywhere_is_changed_only_by_who_may_act_everywhere(shop: Database) -> None:
    one = Caller(key("issue", "offers", "halt", stores=["S1"]))
    assert one("POST", "vouchers", {"offer_id": "five"}).status_code == 403
    assert one("POST", "offers", {"offer_id": "new", "terms": TERMS}).status_code == 403
    assert one("POST", "offers", {"offer_id": "five-2", "terms": TERMS | {"stores": ["S1"]}}).status_code == 403
    assert one("POST", "halts", {"kind": "offer", "key": "five", "reason": "x"}).status_code == 403
    assert one("POST", "halts", {"kind": "campaign", "key": "autumn", "reason": "x"}).status_code == 403
    assert one("POST", "halts", {"kind": "offer", "key": "five-1", "reason": "x"}).status_code == 200


def test_a_revoked_key_is_refused_at_once(shop: Database) -> None:
    token = key("redeem")
    caller = Caller(token)
    assert caller("GET", "ping").status_code == 200
    asked = ("POST", "vouchers/redeem", bill(make(1)[0]))
    assert caller(*asked, key="the-same-key").json()["code"] == "voucher_not_found"
    assert tills.revoke(token.split("_")[1], now=NOW)
    assert caller("GET", "ping").status_code == 401
    for same in ("the-same-key", "another-key"):
        assert (again := caller(*asked, key=same)).status_code == 401, again.content
        assert again.json()["code"] == "till_revoked"
    assert token.split("_", 2)[2] not in repr(tills.tills())
