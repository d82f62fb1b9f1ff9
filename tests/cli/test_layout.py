"""The layout of screens: nothing is cut, nothing is broken inside a word, whatever the width and the letters."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from regulars.cli.screens.layout import Words, refusal, sheet, whole, wrapped
from regulars.wording import LANGUAGES, Language, Voice

NARROW = 80
WORDS = ["plan", "guests", "of", "an", "预算已用完", "，", "。", "（活动）", "$1,234.50", "100%", "ten-percent"]
VOICE = Voice(currency="USD", most_echo=1000)


def shown(screen: object, width: int = NARROW) -> list[str]:
    console = Console(width=width, file=io.StringIO(), record=True, highlight=False, markup=False)
    console.print(screen, crop=False)
    return console.export_text().splitlines()


@given(words=st.lists(st.sampled_from(WORDS), max_size=30), width=st.integers(12, 60), hanging=st.integers(0, 4))
def test_a_paragraph_keeps_all_its_letters_and_stays_inside_its_width(
    words: list[str], width: int, hanging: int
) -> None:
    lines = wrapped(" ".join(words), width, hanging)
    assert "".join("".join(lines).split()) == "".join(words)
    assert all(cell_len(line) <= width + 2 for line in lines)
    assert all(line.startswith(" " * hanging) for line in lines[1:])


@given(words=st.lists(st.sampled_from(WORDS[:4] + WORDS[8:]), min_size=1, max_size=30), width=st.integers(12, 60))
def test_no_word_is_broken_where_it_fits(words: list[str], width: int) -> None:
    assert [word for line in wrapped(" ".join(words), width) for word in line.split()] == words


def test_chinese_breaks_between_letters_but_not_before_a_closing_mark() -> None:
    lines = wrapped("预算已用完，请明天再试（或换一个优惠）。", 10)
    assert "".join(lines) == "预算已用完，请明天再试（或换一个优惠）。"
    assert not [line for line in lines if line[0] in "，。）" or line[-1] == "（"]


def test_a_wide_sheet_wraps_its_texts_and_never_its_numbers() -> None:
    text = "comes with a party, where party sizes are noted, and never alone on a weekend or on a holiday"
    lines = shown(sheet(VOICE, ["segment", "guests", "who"], [("@big", 1234567, text)], numbers=[1]))
    assert max(map(cell_len, lines)) <= NARROW
    assert "1,234,567" in lines[1]
    assert " ".join(" ".join(lines[1:]).replace("@big", "").replace("1,234,567", "").split()) == text


def test_a_sheet_that_cannot_fit_becomes_paragraphs_of_names_and_values() -> None:
    columns = ["guest", "store", "days_ago", "harm", "at_stake", "comes_again", "wrote", "went_wrong"]
    lines = shown(sheet(VOICE, columns, [[f"{name}-{'x' * 12}" for name in columns]] * 2))
    assert max(map(cell_len, lines)) <= NARROW
    assert [line for line in lines if not line.startswith("  ")] == [lines[0]] * 2
    assert "at stake a year at_stake-xxxxxxxxxxxx" in " ".join(" ".join(lines).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_heads_stand_over_their_columns_whatever_the_letters(language: Language) -> None:
    voice = Voice(language=language, currency="CNY")
    head, row = shown(
        sheet(voice, ["stage", "guests", "spend"], [("渐行渐远", 12, voice.money(123456))], numbers=[1, 2])
    )
    assert cell_len(head) == cell_len(row)


def test_a_path_is_never_broken() -> None:
    path = "/srv/" + "shop" * 40
    assert shown(whole(path)) == [path]


def test_texts_by_others_cannot_move_the_cursor() -> None:
    (line,) = shown(sheet(VOICE, ["", ""], [("\x1b[31mred", "a\rb")]))
    assert not re.search(r"[\x00-\x1f]", line)


def test_a_refusal_is_as_wide_as_its_words() -> None:
    lines = shown(refusal(VOICE, "no plan yet"))
    assert "no plan yet" in lines[1]
    assert cell_len(lines[0]) < NARROW / 2


def test_a_hanging_paragraph_is_set_in() -> None:
    assert shown(Words(text="• one two three", hanging=2), 10) == ["• one two", "  three"]
