"""Clauses: a review in the pieces that each say one thing, Chinese and English.

A clause ends at the marks that end sentences, at commas, and before a word of contrast ("but", 但是): what follows such a word
may judge the other way. All of it is done on Arrow arrays, so a hundred thousand reviews take about a second.
"""

import html
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST_CLAUSE = 400
_CUT = "\x1e"
_HTML = (
    (r"(?is)<(script|style)\b.*?</(script|style)>", " "),
    (r"(?i)<(br|/p|/div|/li)\b[^>]*>", ". "),
    (r"<[^<>]{1,500}>", " "),
)
_NOISE = ((r"https?://\S+|www\.\S+", " "), (r"[\x00-\x08\x0b-\x1f\x7f\x{200b}-\x{200f}\x{2028}-\x{202e}\x{feff}]", " "))
_ABBREVIATIONS = (r"(?i)\b(mr|mrs|ms|dr|st|vs|etc|approx|no)\.", r"\1")
_NUMBERS = ((r"(\d)\.(\d)", "\\1\x1c\\2"), (r"(\d),(\d)", "\\1\x1d\\2"))
_ENDS = r"[.!?。！？…~～;；\n\r]+|--+|—+|[,，、]\s*"
_CONTRAST_ENGLISH = r"(?i)[ ]+((but|however|although|though|whereas|yet|except|unfortunately|sadly|while)\b)"
_CONTRAST_CHINESE = r"(但是|但|不过|可是|然而|只是|就是|可惜|除了|虽然|尽管|反而|却)"
_HAN = r"[\x{3400}-\x{9fff}\x{f900}-\x{faff}]"
_LATIN = r"[A-Za-zÀ-ɏ]+"
_ANY_LETTER = r"[\pL\pN]"


class Clauses(NamedTuple):
    """The clauses of reviews, c of them.

    review: (c,) place of the review each is of. text: (c,) Arrow strings. number: (c,) its place within the review.
    """

    review: np.ndarray
    text: pa.Array
    number: np.ndarray

    def __len__(self) -> int:
        return len(self.review)


def cleaned(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Texts without HTML, addresses and invisible characters, in one form of Unicode, shape (n,); empty where there is none."""
    plain = pc.fill_null(_one(texts), "")
    is_marked = pc.match_substring_regex(plain, r"<[A-Za-z/!]|&[#\w]{2,10};")
    if pc.any(is_marked).as_py():
        for pattern, instead in _HTML:
            plain = pc.if_else(is_marked, pc.replace_substring_regex(plain, pattern, instead), plain)
        rows = np.flatnonzero(is_marked.to_numpy(zero_copy_only=False))
        marked = [html.unescape(text) for text in plain.take(pa.array(rows)).to_pylist()]
        plain = pc.replace_with_mask(plain, is_marked, pa.array(marked, pa.string()))
    for pattern, instead in _NOISE:
        plain = pc.replace_substring_regex(plain, pattern, instead)
    return pc.utf8_normalize(pc.utf8_trim_whitespace(plain), "NFKC")


def split(texts: pa.Array | pa.ChunkedArray) -> Clauses:
    """The clauses of each text; what holds no letter and no digit, such as emoji alone, is none.

    >>> split(pa.array(["Great soup, but the waiter was rude.", "面不难吃，就是贵了点"])).text.to_pylist()
    ['Great soup', 'but the waiter was rude', '面不难吃', '就是贵了点']
    """
    text = pc.replace_substring_regex(cleaned(texts), *_ABBREVIATIONS)
    for pattern, instead in (*_NUMBERS, (_ENDS, _CUT)):
        text = pc.replace_substring_regex(text, pattern, instead)
    text = pc.replace_substring_regex(text, _CONTRAST_ENGLISH, rf"{_CUT}\1")
    text = pc.replace_substring_regex(text, _CONTRAST_CHINESE, rf"{_CUT}\1")
    text = pc.replace_substring_regex(text, rf"([^{_CUT}]{{{MOST_CLAUSE}}})", rf"\1{_CUT}")
    text = pc.replace_substring(pc.replace_substring(text, "\x1c", "."), "\x1d", ",")
    pieces = pc.split_pattern(text, _CUT)
    review, flat = pc.list_parent_indices(pieces), _one(pc.list_flatten(pieces))
    flat = pc.replace_substring_regex(pc.utf8_trim_whitespace(flat), r"\s+", " ")
    says = pc.match_substring_regex(flat, _ANY_LETTER)
    review, flat = review.filter(says).to_numpy(), flat.filter(says)
    return Clauses(review, flat, _numbered(review))


def languages(clauses: pa.Array) -> np.ndarray:
    """`zh`, `en` or `other` for each clause, by its script, shape (c,)."""
    han = pc.count_substring_regex(clauses, _HAN).to_numpy()
    latin = pc.count_substring_regex(clauses, _LATIN).to_numpy()
    return np.where((han > 0) & (han >= latin), "zh", np.where(latin > 0, "en", "other"))


def _numbered(review: np.ndarray) -> np.ndarray:
    """0, 1, 2 for the clauses of each review."""
    places = np.arange(len(review))
    is_first = np.ones(len(review), dtype=bool)
    is_first[1:] = review[1:] != review[:-1]
    return places - np.maximum.accumulate(np.where(is_first, places, 0))


def _one(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return whole.cast(pa.string())
