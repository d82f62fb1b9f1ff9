"""Problems: everything that is refused has a status, a code and words in both languages, whatever was sent."""

import json
import re
from typing import Any

import pytest
from django.db import OperationalError
from pydantic_core import PydanticKnownError

from databases import Database
from regulars.ledger.refusals import Refusal, reasons
from regulars.till import dispatch, problems, vouchers
from regulars.till.bodies import MOST_BYTES, MOST_BYTES_OF_MANY
from regulars.till.problems import STATUSES, Problem, language_of
from regulars.wording import known_codes
from regulars.wording.catalogue import words_of
from till.conftest import TERMS, Caller, bill, key

NUL = "\x00"
OWN = sorted(code.removeprefix("problem_") for code in known_codes() if code.startswith("problem_"))


def test_every_code_has_one_status_and_every_status_a_code_that_exists() -> None:
    known = set(reasons())
    assert known <= set(STATUSES), f"without a status: {sorted(known - set(STATUSES))}"
    own = set(OWN)
    assert set(STATUSES) <= known | own, f"nobody says: {sorted(set(STATUSES) - known - own)}"
    assert all(400 <= status < 600 for status in STATUSES.values())


@pytest.mark.parametrize("code", OWN)
def test_words_are_there_in_both_languages(code: str) -> None:
    english, chinese = (Problem(code, most=1).words(language) for language in ("en", "zh"))
    assert english.isascii()
    assert english.endswith(".")
    assert re.search(r"[\u4e00-\u9fff]", chinese)


def test_a_problem_is_as_rfc_9457_has_it(till: Caller, voucher: str) -> None:
    refused = till(
        "POST", "vouchers/redeem", bill(voucher, amount=100), key="the-key/1", Accept_Language="zh-CN,en;q=0.5"
    )
    assert refused.headers["Content-Type"] == "application/problem+json"
    told = refused.json()
    assert told["type"] == "urn:regulars:problem:minimum_spend_not_met"
    assert told["status"] == refused.status_code == 422
    assert told["code"] == "minimum_spend_not_met"
    assert told["instance"] == "urn:regulars:key:the-key%2F1"
    assert re.search(r"[\u4e00-\u9fff]", told["detail"])


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("zh", "zh"), ("zh-Hans-CN,zh;q=0.9,en;q=0.8", "zh"), ("en,zh", "en"), ("en;q=0.1,zh;q=0.2", "zh"),
        ("fr", "en"), ("*", "en"), ("zh;q=nonsense", "en"), ("zh;q=0", "en"), (",,,;;q=;", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_better_liked_one(header: str, language: str) -> None:
    assert language_of(header) == language


def spoilt(**changes: Any) -> dict[str, Any]:
    body = bill("AAAA")
    for path, value in changes.items():
        *steps, last = path.split("__")
        inner: Any = body
        for step in steps:
            inner = inner[step]
        inner[last] = value
    return body


BAD: dict[str, tuple[Any, str]] = {
    "float": (spoilt(bill__amount_minor=12.5), "/bill/amount_minor"),
    "whole float": (
        '{"codes":["A"],"store_id":"S1","bill":{"amount_minor":12.0,"currency":"USD"}}',
        "/bill/amount_minor",
    ),
    "text": (spoilt(bill__amount_minor="12"), "/bill/amount_minor"),
    "true": (spoilt(bill__amount_minor=True), "/bill/amount_minor"),
    "negative": (spoilt(bill__amount_minor=-1), "/bill/amount_minor"),
    "beyond 2^53": (spoilt(bill__amount_minor=2**53), "/bill/amount_minor"),
    "huge": (spoilt(bill__amount_minor=10**400), "/bill/amount_minor"),
    "currency": (spoilt(bill__currency="usd"), "/bill/currency"),
    "unknown field": (spoilt(tip=1), "/tip"),
    "unknown inside": (spoilt(bill__tip=1), "/bill/tip"),
    "no codes": (spoilt(codes=[]), "/codes"),
    "many codes": (spoilt(codes=["A"] * 6), "/codes"),
    "one code": (spoilt(codes="A"), "/codes"),
    "nul": (spoilt(store_id=f"S{NUL}1"), "/store_id"),
    "control": (spoilt(store_id="S\n1"), "/store_id"),
    "right to left": (spoilt(order_id="A\u202e1"), "/order_id"),
    "long": (spoilt(store_id="S" * 65), "/store_id"),
    "empty": (spoilt(store_id=""), "/store_id"),
    "null": (spoilt(store_id=None), "/store_id"),
    "quantity": (spoilt(bill__lines=[{"item_id": "tea", "quantity": 0, "amount_minor": 1}]), "/bill/lines/0/quantity"),
    "stacking": (spoilt(stacking="some"), "/stacking"),
    "nothing": ("", "/"),
    "a list": ([], ""),
    "a number": (1, ""),
}


@pytest.mark.parametrize("what", BAD)
def test_a_wrong_field_is_named_and_what_was_sent_is_not_said_back(till: Caller, what: str) -> None:
    body, pointer = BAD[what]
    for language in ("en", "zh"):
        refused = till("POST", "vouchers/redeem", body, Accept_Language=language)
        assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.content
        assert refused.json()["errors"][0]["pointer"].startswith(pointer.rstrip("/"))
        assert "12.5" not in refused.content.decode()
        assert bool(re.search("[一-鿿]", refused.json()["errors"][0]["detail"])) == (language == "zh")


@pytest.mark.parametrize(
    "text", ["{", "not json", '{"a": NaN}', "[" * 5000, '{"a":1}}', "\xff\xfe", '"\\ud800"', "{'a': 1}", "\ufeff{}"]
)
def test_what_is_no_json_is_400(till: Caller, text: str) -> None:
    refused = till("POST", "vouchers/redeem", text.encode("latin-1") if "\xff" in text else text)
    assert (refused.status_code, refused.json()["code"]) == (400, "not_json")


def test_what_has_another_media_type_is_415(house: Caller) -> None:
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=gbk",
    ):
        refused = house._client.post(
            "/api/v1/vouchers", b"{}", media_type, headers=house._headers | {"Idempotency-Key": "a-key-of-mine"}
        )
        assert (refused.status_code, refused.json()["code"]) == (415, "media_type_unsupported")


@pytest.mark.parametrize("sent", ["short", "x" * 129, "with space", "wide\u00e9\u00e9\u00e9\u00e9"])
def test_an_idempotency_key_is_8_to_128_printable_characters(till: Caller, voucher: str, sent: str) -> None:
    assert till("POST", "vouchers/redeem", bill(voucher), key=sent).json()["code"] == "idempotency_key_invalid"


def test_every_write_needs_an_idempotency_key(house: Caller, voucher: str) -> None:
    writes: dict[str, Any] = {
        "vouchers/redeem": bill(voucher), "vouchers/reserve": bill(voucher), "vouchers": {"offer_id": "five"},
        "redemptions/x/rollback": {}, "reservations/x/release": {}, f"vouchers/{voucher}/cancel": {},
        "offers": {"offer_id": "new", "terms": TERMS}, "halts": {"kind": "store", "key": "S1", "reason": "x"},
    }  # fmt: skip
    for path, body in writes.items():
        refused = house("POST", path, body, key=None)
        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_missing"), path
    assert house("DELETE", "halts/store/S1", key=None).json()["code"] == "idempotency_key_missing"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(till: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.http.HttpRequest.read", lambda *_: pytest.fail("it was read"))
    for path, most in (
        ("vouchers/redeem", MOST_BYTES),
        ("redemptions/batch", MOST_BYTES_OF_MANY),
        ("batch", MOST_BYTES_OF_MANY),
    ):
        refused = till("POST", path, b" " * (most + 1))
        assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
        assert str(most) in refused.json()["detail"]


def test_a_body_that_does_not_say_its_length_is_411(till: Caller) -> None:
    client = till._client
    refused = client.generic(
        "POST",
        "/api/v1/vouchers/redeem",
        b"",
        "application/json",
        headers=till._headers | {"Transfer-Encoding": "chunked"},
    )
    assert (refused.status_code, refused.json()["code"]) == (411, "length_required")


def test_a_length_that_is_none_is_413(till: Caller) -> None:
    refused = till._client.generic("POST", "/api/v1/vouchers/redeem", b"x", "application/json", CONTENT_LENGTH="-5")
    assert refused.status_code == 413


def test_no_such_address_and_no_such_method(till: Caller) -> None:
    for path in ("nothing", "/", "/api/v1/", "/api/v2/ping", "/admin/", f"vouchers/a/b/c{NUL}"):
        missing = till("GET", path)
        assert (missing.status_code, missing.json()["code"]) == (404, "route_not_found"), path
    for method, path in (("PUT", "vouchers/redeem"), ("DELETE", "ping"), ("GET", "track"), ("PATCH", "offers")):
        refused = till(method, path)
        assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
        assert refused.headers["Allow"]


def test_a_server_is_known_only_by_its_names(till: Caller) -> None:
    refused = till._client.get("/api/v1/ping", headers=till._headers | {"Host": "evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (400, "host_unknown")


def test_what_nobody_foresaw_says_nothing_of_itself(
    till: Caller, voucher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"a secret: {voucher}")

    monkeypatch.setattr(vouchers, "answer", fail)
    refused = till("POST", "vouchers/redeem", bill(voucher))
    assert (refused.status_code, refused.json()["code"]) == (500, "failed")
    assert voucher not in refused.content.decode()


def test_i18_records_that_cannot_be_reached_are_503_and_never_a_yes(
    till: Caller, voucher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def submit(self, command: object) -> None:
            raise OperationalError("the connection is lost")

    monkeypatch.setattr(dispatch, "DOOR", Gone())
    refused = till("POST", "vouchers/redeem", bill(voucher))
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert refused.headers["Retry-After"] == "1"


SQL = [
    "'; drop table offers_voucher; --",
    "1 or 1=1",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "%s%n",
    "{{7*7}}",
    "../../etc/passwd",
]


@pytest.mark.parametrize("text", SQL)
def test_a_text_is_only_a_text(house: Caller, till: Caller, voucher: str, text: str) -> None:
    assert till("GET", f"vouchers/{text.replace('/', '%2F')}").status_code in (404, 422)
    refused = till("POST", "vouchers/redeem", bill(text, order_id=text))
    assert refused.status_code == 404
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert house("POST", "vouchers/redeem", bill(voucher, order_id=text, guest={"guest_id": text})).status_code == 200


def test_terms_that_contradict_themselves_are_refused_with_their_mend(house: Caller) -> None:
    refused = house("POST", "offers", {"offer_id": "new", "terms": TERMS | {"budget_minor": 1000}})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/terms"
    assert "lower cap" in error["detail"]
    for field, value in {"cap": "1000", "amount_minor": 5.0, "ends_at": "2099-01-01T00:00:00", "capp": 3}.items():
        wrong = house("POST", "offers", {"offer_id": "new", "terms": TERMS | {field: value}}).json()
        assert wrong["errors"][0]["pointer"] == f"/terms/{field}", wrong


def test_a_refusal_without_a_key_names_the_request(shop: Database) -> None:
    refused = Caller(key("redeem"))("GET", "offers/nothing", X_Request_ID="my-request-7")
    assert refused.json()["instance"] == "urn:regulars:request:my-request-7"
    assert refused.headers["X-Request-ID"] == "my-request-7"
    odd = Caller(None)("GET", "ping", X_Request_ID="my request\u00e9")
    assert re.fullmatch(r"[0-9a-f]{16}", odd.headers["X-Request-ID"])


def test_canonical_json_has_one_way_to_write_a_thing() -> None:
    assert problems.canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'
    assert json.loads(problems.canonical({"a": [1, None, True]})) == {"a": [1, None, True]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        problems.canonical(float("nan"))


def test_a_refusal_knows_its_words() -> None:
    assert "three" not in Refusal("voucher_not_found", code="x").words("en")


FIELD_FACTS = {
    "min_length": 2, "max_length": 3, "gt": 1, "ge": 1, "lt": 1, "le": 1, "expected": "'a' or 'b'", "expected_tags": "'a'",
    "discriminator": "type",
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(code for code in known_codes() if code.startswith("field_")))
def test_every_kind_of_wrong_field_is_said_with_what_pydantic_tells_of_it(kind: str) -> None:
    """It raises for a kind that it does not know, and for facts that do not come with it."""
    named = set(re.findall(r"\{(\w+)[:}]", words_of(kind, "en")))
    facts = {name: value for name, value in FIELD_FACTS.items() if name in named}
    if kind != "field_otherwise":
        assert named == facts.keys()
        PydanticKnownError(kind.removeprefix("field_"), facts | MORE.get(kind, {}) or None)
    name = "value_error" if kind == "field_otherwise" else kind.removeprefix("field_")
    found = {"type": name, "ctx": facts, "msg": "Value error, it is odd"}
    english, chinese = (problems.in_words(found, language) for language in ("en", "zh"))
    assert "{" not in english + chinese
    assert not re.search("[\u4e00-\u9fff]", english)
    assert re.search("[\u4e00-\u9fff]", chinese)


MORE: dict[str, dict[str, Any]] = {
    "field_too_short": {"field_type": "List", "actual_length": 1}, "field_too_long": {"field_type": "List", "actual_length": 9},
    "field_model_type": {"class_name": "Shape"}, "field_string_pattern_mismatch": {"pattern": "x"},
    "field_union_tag_invalid": {"discriminator": "type", "tag": "x"}, "field_datetime_parsing": {"error": "x"},
    "field_datetime_from_date_parsing": {"error": "x"},
}  # fmt: skip
"""Facts that come with it and are not said."""
