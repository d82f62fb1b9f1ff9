"""Lexicon: what a clause says by the words in it; no model, no training, both languages.

The words lie in `words/*.toml`. A word of judgement counts the other way when a negator stands up to three words before it
(English) or up to three characters before it (Chinese). All of it is regular expressions over Arrow arrays.
"""

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.quality.aspects import NAMES

_GAP_ENGLISH = r"(?:[\w']+[ ,]+){0,3}?"
_GAP_CHINESE = r"[\x{3400}-\x{9fff}]{0,3}?"
_MASK = " \x1f "


class Words(NamedTuple):
    """What the lexicon finds in c clauses.

    aspects: (c, 18) how many words of each aspect. positive, negative: (c,) judging words, negated ones counted as the other.
    negated: (c,) how many of them were turned by a negator. neutral: (c,) words such as "average".
    """

    aspects: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    negated: np.ndarray
    neutral: np.ndarray

    @property
    def polarity(self) -> np.ndarray:
        """-1, 0 or 1 by the balance of words, shape (c,)."""
        return np.asarray(np.sign(self.positive - self.negative), dtype=np.int8)


def read(clauses: pa.Array) -> Words:
    """The words of clauses, shape (c,).

    >>> found = read(pa.array(["The soup was far from bland", "waiter not friendly", "不难吃"]))
    >>> found.polarity.tolist(), [NAMES[i] for i in found.aspects.argmax(axis=1)]
    ([1, -1, 1], ['taste', 'hospitality', 'taste'])
    """
    text = pc.utf8_lower(pc.replace_substring_regex(clauses, "[’`´]", "'"))
    aspects = np.column_stack([_count(text, pattern) for pattern in _aspect_patterns()])
    return Words(aspects, *_judged(text))


def _judged(text: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    patterns = _polarity_patterns()
    good, bad, turned = (np.zeros(len(text)) for _ in range(3))
    for name, counts in (("set_positive", good), ("set_negative", bad)):
        counts += 1.5 * _count(text, patterns[name])
        text = pc.replace_substring_regex(text, patterns[name], _MASK)
    for name, (same, other) in {"positive": (good, bad), "negative": (bad, good)}.items():
        denied = _count(text, patterns[f"denied_{name}"])
        same += np.maximum(_count(text, patterns[name]) - denied, 0)
        other += denied
        turned += denied
    return good, bad, turned, _count(text, patterns["neutral"])


def _count(text: pa.Array, pattern: str) -> np.ndarray:
    return np.asarray(pc.count_substring_regex(text, pattern).to_numpy(zero_copy_only=False), dtype=np.float64)


@lru_cache(maxsize=4)
def words(name: str) -> dict[str, Any]:
    """A file of words of this room, as it was written."""
    return tomllib.loads((resources.files("regulars.quality") / "words" / f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _aspect_patterns() -> tuple[str, ...]:
    known = words("aspects")
    return tuple(either(known[name]) for name in NAMES)


@lru_cache(maxsize=1)
def _polarity_patterns() -> dict[str, str]:
    known = words("polarity")
    patterns = {name: either(lists) for name, lists in known.items() if name != "negators"}
    not_english = rf"(?:\b(?:{_english(known['negators']['en'])})\b|\w+n't\b|\w+nt\b)"
    not_chinese = f"(?:{_chinese(known['negators']['zh'])})"
    for name in ("positive", "negative"):
        english = rf"{not_english}[ ,]+{_GAP_ENGLISH}(?:{_english(known[name]['en'])})\b"
        chinese = rf"{not_chinese}{_GAP_CHINESE}(?:{_chinese(known[name]['zh'])})"
        patterns[f"denied_{name}"] = f"{english}|{chinese}"
    return patterns


def either(lists: dict[str, list[str]]) -> str:
    """A pattern for any English word, whole, or any Chinese word, anywhere."""
    parts = [rf"\b(?:{_english(lists['en'])})(?:\b|$)"] if lists.get("en") else []
    return "|".join([*parts, *([_chinese(lists["zh"])] if lists.get("zh") else [])])


def _english(listed: list[str]) -> str:
    ordered = sorted((word for word in listed if word != "n't"), key=len, reverse=True)
    return "|".join(re.escape(word).replace(r"\ \*\ ", r" [\w']+ ").replace(r"\*", r"\w*") for word in ordered)


def _chinese(listed: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(listed, key=len, reverse=True))
