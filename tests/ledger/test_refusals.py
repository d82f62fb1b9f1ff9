"""Refusals: every no has words in both languages, whatever is known of it."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars import money
from regulars.errors import OfferError
from regulars.ledger.refusals import MOST_ECHO, Refusal, reasons
from regulars.wording.catalogue import words_of

SOURCE = Path(__file__).parents[2] / "src" / "regulars"
AT = dt.datetime(2026, 7, 3, 22, 5, tzinfo=dt.UTC)
FACTS: dict[str, Any] = {
    "code": "WELCOME10", "offer": "five-off", "campaign": "autumn", "store": "s1", "state": "cancelled", "most": 3,
    "minimum_minor": 3000, "missing_minor": 450, "asked_minor": 700, "left_minor": 500, "currency": "CNY", "zone": "Asia/Shanghai",
    "at": AT, "now": AT, "starts_at": AT, "ends_at": AT, "hours": ("11:00-14:00",), "weekdays": ("friday",), "items": ("tea", "soup"),
    "bill": "USD", "other": "LUNCH", "redemption": "r1", "kind": "store", "whose": "S1", "reservation": "v1", "field": "kind",
    "scope": "redeem", "key": "k", "seconds": 30,
}  # fmt: skip


@pytest.mark.parametrize("facts", [{}, FACTS], ids=["nothing known", "all known"])
@pytest.mark.parametrize("code", sorted(reasons()))
def test_every_refusal_has_words_without_holes_in_both_languages(code: str, facts: dict[str, Any]) -> None:
    english, chinese = (Refusal(code, **facts).words(language) for language in ("en", "zh"))
    for words in (english, chinese):
        assert not re.search(r"[{}\[\]]|None|  | [.,;:，。；：]|\($|^$", words), words
    assert re.fullmatch(r"[A-Z].+\.", english)
    assert re.search(r"[\u4e00-\u9fff].*。$", chinese)


@pytest.mark.parametrize("code", sorted(reasons()))
def test_what_is_said_of_a_refusal_uses_facts_that_may_be_left_out(code: str) -> None:
    both = [words_of(f"refused_{code}", language) for language in ("en", "zh")]
    for sentence in both:
        assert "{" not in re.sub(r"\[[^\[\]]*\]", "", sentence)
        assert set(re.findall(r"\{(\w+)[:}]", sentence)) <= FACTS.keys()
    english, chinese = (set(re.findall(r"\{(\w+)[:}]", sentence)) for sentence in both)
    assert english == chinese


def test_every_refusal_that_is_raised_has_words() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    raised = {code for text in texts for code in re.findall(r"\bRefusal\(\s*\"(\w+)\"", text)}
    assert raised
    assert raised - reasons() == set()


def test_a_refusal_nobody_has_words_for_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"no refusal is called 'voucher_expird' \(did you mean 'voucher_expired'\?\)"):
        Refusal("voucher_expird")


def test_money_and_times_are_as_the_guest_reads_them() -> None:
    known = Refusal("minimum_spend_not_met", minimum_minor=3000, missing_minor=450, currency="JPY")
    assert known.words("en") == "The bill is too small for this offer: it takes ¥3,000, ¥450 more than there is."
    ended = Refusal("voucher_expired", code="A", ends_at=AT, zone="Asia/Shanghai")
    assert ended.words("zh") == "优惠券 A 已过期，有效期至2026年7月4日 06:05。"
    assert str(Refusal("voucher_expired", ends_at=AT)).endswith("until 3 Jul 2026, 22:05 UTC.")
    assert [money.say(2**53 - 1, "USD", "en"), money.say(5, "KWD", "en")] == ["$90,071,992,547,409.91", "KWD0.005"]


def test_days_are_named_in_the_guests_language() -> None:
    refusal = Refusal("outside_hours", weekdays=("friday", "sunday"), hours=("11:00-14:00", "22:00-02:00"))
    assert refusal.words("en").endswith("it holds on Friday, Sunday; its hours are 11:00-14:00, 22:00-02:00.")
    assert "可用日：星期五、星期日，" in refusal.words("zh-CN")


@pytest.mark.parametrize("language", ["zh", "zh-CN", "zh_Hant_TW", "ZH"])
def test_every_chinese_is_read_in_chinese_and_the_rest_in_english(language: str) -> None:
    assert Refusal("quantity_exceeded").words(language) == "该优惠已全部用完。"
    assert Refusal("quantity_exceeded").words("fr") == Refusal("quantity_exceeded").words("en")


@given(st.text(max_size=200), st.sampled_from(["en", "zh"]))
def test_what_somebody_typed_is_said_back_short_and_harmless(typed: str, language: str) -> None:
    words = Refusal("voucher_not_found", code=typed).words(language)
    words.encode("utf-8")
    assert words.isprintable() or not typed.isprintable()
    assert len(words) <= len(Refusal("voucher_not_found").words(language)) + MOST_ECHO + 2


def test_only_forty_letters_are_said_back() -> None:
    assert str(Refusal("voucher_not_found", code="x" * 1000)) == f"There is no voucher {'x' * 40}; check the code."


def test_braces_somebody_typed_are_only_text() -> None:
    words = Refusal("voucher_not_found", code="{offer}[x]\x00\n\ud800{0.__class__}", offer="secret").words("en")
    assert words == "There is no voucher {offer}[x]� �{0.__class__}; check the code."


def test_a_refusal_is_an_offer_error_with_its_code_and_facts() -> None:
    refusal = Refusal("voucher_expired", code="A1B2")
    assert isinstance(refusal, OfferError)
    assert (refusal.code, refusal.facts, str(refusal)) == (
        "voucher_expired",
        {"code": "A1B2"},
        "The voucher A1B2 has expired.",
    )
