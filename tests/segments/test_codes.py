"""Codes say where values stand among constants: as searching and comparing says it, for numbers and for texts."""

import numpy as np
import pyarrow as pa
import pytest

from regulars.segments.blocks import counted
from regulars.segments.codes import LEAST, place_floats, place_texts, place_whole, texts
from regulars.segments.columns import columns_of

DRAW = np.random.default_rng(3)


@pytest.mark.parametrize("span", [5, 100, 10**6, 2**62])
@pytest.mark.parametrize("cuts", [1, 2, 5, 40])
def test_whole_numbers_have_reached_the_cuts_that_are_not_above_them(span: int, cuts: int) -> None:
    values = DRAW.integers(-span, span, 2_000)
    places = np.unique(np.append(DRAW.integers(-span, span, cuts), values[0]))
    codes = np.empty(2_000, np.uint8)
    place_whole(values, places, codes)
    assert np.array_equal(codes, LEAST + np.searchsorted(places, values, side="right"))


def test_numbers_that_are_none_have_no_place() -> None:
    codes, cuts = np.empty(3, np.uint8), np.array([0.5])
    place_floats(np.array([0.1, 0.5, np.inf]), cuts, codes)
    assert (codes - LEAST).tolist() == [0, 1, 1]


WORDS = ["", "a", "ab", "lunch", "eightlet", "eightlett", "eightlets", "eightletters and more", "eightletters and mere",
         "Zürich", "名前", "a\0", "a\0\0"]  # fmt: skip


@pytest.mark.parametrize("known", [WORDS, WORDS[::2], WORDS[4:5], [f"S{place}" for place in range(500)]])
def test_texts_are_told_apart_by_every_letter(known: list[str]) -> None:
    rows = [*WORDS, *reversed(WORDS), *known, "S1", "S499", "S500"]
    values = pa.array(rows, pa.large_string())
    offsets, letters = np.frombuffer(values.buffers()[1], np.int64), np.frombuffer(values.buffers()[2], np.uint8)
    codes = np.empty(len(rows), np.uint16)
    place_texts(offsets[: len(rows) + 1], letters[: offsets[len(rows)]], texts(known), codes)
    assert codes.tolist() == [LEAST + 1 + known.index(row) if row in known else LEAST for row in rows]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())])
def test_texts_are_counted_however_arrow_keeps_them(kind: pa.DataType) -> None:
    stages = pa.array(["developing", "developed", None, "lost", ""] * 30)
    table = pa.table({"stage": stages.cast(kind)}).slice(1, 144)
    kinds = {"stage": columns_of(pa.table({"stage": stages}))[1]["stage"]}
    rules = {
        "one": 'stage == "developing"',
        "two": 'stage in ["lost", ""]',
        "none": "stage is None",
        "not": 'stage != "lost"',
    }
    assert counted(table, rules, kinds) == {"one": 28, "two": 58, "none": 29, "not": 86}


def test_more_constants_than_a_byte_holds() -> None:
    table = pa.table({"visits": np.arange(1_000)})
    rules = {f"{place}": f"visits >= {place}" for place in range(0, 1_000, 3)}
    assert counted(table, rules, {"visits": "number"}) == {name: 1_000 - int(name) for name in rules}
