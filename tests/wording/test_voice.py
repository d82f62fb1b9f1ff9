"""A voice: the same sentence in both languages, with facts as each reader reads them."""

import datetime as dt

import pydantic
import pytest

from regulars.wording import Sentence, Voice, catalogue, clean, language_for


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """A catalogue to be filled by the test."""
    found: dict[str, dict[str, str]] = {"not_known": {"en": "not known", "zh": "未知"}}
    monkeypatch.setattr(catalogue, "_all", lambda: found)
    return found


def test_facts_are_filled_in_as_their_kind_is_read(words: dict[str, dict[str, str]]) -> None:
    words["x"] = {"en": "{a_minor}|{b}|{c_share}|{d}|{e}|{f:.2f}|{g:percent 1}|{h:figure}", "zh": ""}
    facts = {"a_minor": 123450, "b": 12000, "c_share": 0.25, "d": dt.date(2026, 10, 5), "e": ("soup", "tea")}
    said = Voice(currency="USD").say("x", **facts, f=1.234, g=0.1234, h=-0.0452)
    assert said == "$1,234.50|12,000|25%|2026-10-05|soup, tea|1.23|12.3%|-0.0452"


def test_what_stands_in_brackets_is_said_where_its_facts_are_known(words: dict[str, dict[str, str]]) -> None:
    words["x"] = {"en": "Wait[ {seconds} seconds][, {name}].", "zh": "请等待[{seconds}秒]。"}
    assert Voice().say("x", seconds=5, name=None) == "Wait 5 seconds."
    assert Voice(language="zh").say("x") == "请等待。"


@pytest.mark.parametrize(("n", "said"), [(0, "0 dishes"), (1, "1 dish"), (1200, "1,200 dishes")])
def test_english_nouns_go_with_their_number_and_chinese_ones_stay(
    words: dict[str, dict[str, str]], n: int, said: str
) -> None:
    words["x"] = {"en": "{n:count dish/dishes}", "zh": "{n:count}道菜"}
    assert Voice().say("x", n=n) == said
    assert Voice(language="zh").say("x", n=n) == f"{n:,}道菜"


def test_a_fact_may_be_a_word_or_a_sentence_of_its_own(words: dict[str, dict[str, str]]) -> None:
    words["basis_randomised"] = {"en": "randomised", "zh": "随机分组"}
    words["x"] = {"en": "It is {basis:word basis}: {why}", "zh": "{basis:word basis}：{why}"}
    sentence = Sentence("x", basis="randomised", why=Sentence("not_known"))
    assert Voice().say(sentence) == "It is randomised: not known"
    assert Voice(language="zh").say(sentence) == "随机分组：未知"


def test_amounts_are_money_where_there_is_a_currency_and_numbers_elsewhere(words: dict[str, dict[str, str]]) -> None:
    words["x"] = {"en": "{gain:amount}", "zh": "{gain:amount}"}
    assert Voice().say("x", gain=123.456) == "123.5"
    assert Voice(currency="JPY").say("x", gain=123.456) == "¥123"
    with pytest.raises(ValueError, match="no currency"):
        Voice().money(1)


def test_instants_are_told_on_the_clock_of_the_store(words: dict[str, dict[str, str]]) -> None:
    words["x"] = {"en": "{at}", "zh": "{at}"}
    at = dt.datetime(2026, 7, 3, 19, 5, tzinfo=dt.UTC)
    assert Voice().say("x", at=at) == "3 Jul 2026, 19:05 UTC"
    assert Voice(language="zh").say("x", at=at, zone="America/New_York") == "2026年7月3日 15:05"


def test_text_by_others_is_harmless(words: dict[str, dict[str, str]]) -> None:
    words["x"] = {"en": "{name}", "zh": "{name}"}
    assert Voice(most_echo=20).say("x", name="\x1b[31mred\u202e\nline" + "y" * 99) == "�[31mred� lineyyyyyy"
    assert clean("👨\u200d🍳  chef") == "👨\u200d🍳 chef"


def test_a_code_without_words_and_a_fact_that_is_missing_are_errors(words: dict[str, dict[str, str]]) -> None:
    words["greeting"] = {"en": "Hello {name}", "zh": "{name}，你好"}
    with pytest.raises(ValueError, match=r"no sentence is called 'greetng' \(did you mean 'greeting'\?\)"):
        Voice().say("greetng")
    with pytest.raises(KeyError, match="name"):
        Voice().say("greeting")


def test_a_sentence_goes_through_json() -> None:
    sentence = Sentence("x", inner=Sentence("y", n=1), many=(Sentence("z"), "soup"))
    assert Sentence.of(sentence.as_dict()) == sentence
    assert repr(sentence) == "Sentence('x', inner=Sentence('y', n=1), many=(Sentence('z'), 'soup'))"


@pytest.mark.parametrize(
    ("reader", "language"),
    [("zh-CN", "zh"), ("zh_TW.UTF-8", "zh"), ("ZH", "zh"), ("en_GB", "en"), ("fr", "en"), ("", "en"), (None, "en")],
)
def test_every_reader_is_served_in_one_of_our_languages(reader: str | None, language: str) -> None:
    assert language_for(reader) == language


def test_a_sentence_that_is_printed_is_english(words: dict[str, dict[str, str]]) -> None:
    words["x"] = {"en": "It cost {n:count dollar}", "zh": "花了 {n:count} 元"}
    assert str(Sentence("x", n=2)) == "It cost 2 dollars"
    assert "cost" in Sentence("x", n=2)


@pytest.mark.parametrize("kept", ["words of an earlier version", {"code": "few"}, {"code": "few", "facts": "many"}, 7])
def test_what_is_no_sentence_is_an_error_of_the_value_that_holds_it(kept: object) -> None:
    with pytest.raises(pydantic.ValidationError, match="not a code with its facts"):
        pydantic.TypeAdapter(tuple[Sentence, ...]).validate_python([kept])
