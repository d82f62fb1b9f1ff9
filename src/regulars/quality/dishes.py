"""Dishes: which dish of the menu a clause means, in both languages, misspelt or in part.

A name is looked for in two steps: the share of its letter pairs that a clause has (one sparse product for all clauses and all
names), then the best alignment of what is left (Levenshtein, by rapidfuzz). A name that is an everyday word, such as
"special", is only believed where the review's own order has that dish. A former name is written among the tags: `was:Old name`.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz, process
from sklearn.feature_extraction.text import CountVectorizer

from regulars.errors import DataError
from regulars.quality.lexicon import words

LEAST_SHARE, LEAST_RATIO = 0.6, 88.0
_FORMER = "was:"
_LEAST_LATIN, _LEAST_HAN = 3, 2


class Names(NamedTuple):
    """What the dishes of a menu are called, m names; a dish with former names has several.

    item: (m,) place in the menu. text: (m,) in small letters. is_common: (m,) whether the name is an everyday word.
    """

    item: np.ndarray
    text: np.ndarray
    is_common: np.ndarray


class Links(NamedTuple):
    """Which clause may mean which dish, l pairs. clause, item: (l,) places. score: (l,) 0 to 100. is_common: (l,)."""

    clause: np.ndarray
    item: np.ndarray
    score: np.ndarray
    is_common: np.ndarray


def names_of(menu: pa.Table) -> Names:
    """menu: menu_items of our contract. Raises DataError without item_id and name."""
    if missing := {"item_id", "name"} - set(menu.column_names):
        raise DataError(f"menu_items: no column {', '.join(sorted(missing))}; dishes are known by their names")
    tags = menu["tags"].to_pylist() if "tags" in menu.column_names else [None] * len(menu)
    known = {word for listed in words("common")["common"].values() for word in listed}
    rows = [
        (place, spelled)
        for place, (name, tagged) in enumerate(zip(menu["name"].to_pylist(), tags, strict=True))
        for spelled in map(_plain, [name or "", *_former(tagged)])
        if len(spelled) >= (_LEAST_LATIN if spelled.isascii() else _LEAST_HAN)
    ]
    text = np.array([spelled for _, spelled in rows], dtype=object)
    is_common = np.array([spelled in known for spelled in text], dtype=bool)
    return Names(np.array([place for place, _ in rows], dtype=np.int64), text, is_common)


def link(clauses: pa.Array, names: Names) -> Links:
    """The dishes that each clause may mean, best or not.

    >>> menu = pa.table({"item_id": ["1", "2"], "name": ["Margherita pizza", "红烧肉"]})
    >>> link(pa.array(["the margarita pizza was cold", "红烧肉太咸"]), names_of(menu)).item.tolist()
    [0, 1]
    """
    if not len(names.text) or not len(clauses):
        none = np.empty(0, dtype=np.int64)
        return Links(none, none, none.astype(np.float64), none.astype(bool))
    text = np.array([_plain(clause) for clause in clauses.to_pylist()], dtype=object)
    row, name = _candidates(text, names.text)
    padded_names, padded = _padded(names.text), _padded(text)
    score = np.asarray(process.cpdist(padded_names[name], padded[row], scorer=fuzz.partial_ratio), dtype=np.float64)
    is_long = np.array(
        [len(clause) + 1 >= len(spelled) for clause, spelled in zip(text[row], names.text[name], strict=True)]
    )
    kept = (score >= LEAST_RATIO) & is_long.astype(bool)
    return Links(row[kept], names.item[name[kept]], score[kept], names.is_common[name[kept]])


def meant(
    links: Links, clause_of: np.ndarray, ordered: set[tuple[int, int]], review_of: np.ndarray, dishes: int
) -> np.ndarray:
    """The one dish each clause of each review means, -1 for none, shape (c,).

    clause_of: (c,) place among the clauses of `links`. ordered: (review, item) that the reviews' own orders have.
    review_of: (c,). dishes: how many there are. A dish that was ordered comes first, then the better match, then the longer name.
    """
    order = np.argsort(links.clause, kind="stable")
    starts = np.searchsorted(links.clause[order], clause_of, "left")
    counts = np.searchsorted(links.clause[order], clause_of, "right") - starts
    row = np.repeat(np.arange(len(clause_of)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    pair = order[np.repeat(starts, counts) + within]
    keys = np.array([review * dishes + item for review, item in ordered], dtype=np.int64)
    is_ordered = np.isin(review_of[row].astype(np.int64) * dishes + links.item[pair], keys)
    is_possible = is_ordered | ~links.is_common[pair]
    row, pair, is_ordered = row[is_possible], pair[is_possible], is_ordered[is_possible]
    best = np.lexsort((-links.score[pair], ~is_ordered, row))
    found = np.full(len(clause_of), -1, dtype=np.int64)
    first = np.unique(row[best], return_index=True)
    found[first[0]] = links.item[pair[best][first[1]]]
    return found


def _candidates(text: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(clause, name) pairs where the clause has most letter pairs of the name."""
    counter = CountVectorizer(analyzer="char", ngram_range=(2, 2), binary=True, lowercase=False, dtype=np.float32)
    of_names = counter.fit_transform(names)
    shares = (counter.transform(text) @ of_names.T).tocoo()
    share = shares.data / np.asarray(of_names.sum(axis=1)).ravel()[shares.col]
    kept = share >= LEAST_SHARE
    return shares.row[kept].astype(np.int64), shares.col[kept].astype(np.int64)


def _padded(text: np.ndarray) -> np.ndarray:
    """With a space on both sides of what is written with spaces, so that "tea" is not found in "team"."""
    return np.array([f" {one} " if one.isascii() else one for one in text], dtype=object)


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("'", "").replace("’", "").replace("-", " ").split())


def _former(tags: str | None) -> list[str]:
    listed = (tag.strip() for tag in (tags or "").split(";"))
    return [tag.removeprefix(_FORMER) for tag in listed if tag.startswith(_FORMER)]


def dish_names(menu: pa.Table) -> dict[str, str]:
    """item_id -> name."""
    named = pc.fill_null(menu["name"], "").to_pylist()
    return {item: name or item for item, name in zip(menu["item_id"].to_pylist(), named, strict=True)}
