"""Labelled: the clauses that this project wrote and labelled itself, and the sentences of MAMS, as arrays."""

import csv
import gzip
from importlib import resources
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa

from regulars.errors import DataError
from regulars.quality.aspects import PLACE
from regulars.quality.safety import CLASS_NAMES

CATEGORIES = ("food", "service", "staff", "price", "ambience", "menu", "place", "miscellaneous")
"""The categories of MAMS."""
_POLARITY = {"negative": -1, "neutral": 0, "positive": 1}


class LabelledClauses(NamedTuple):
    """c clauses. text: Arrow strings. aspect: (c,) place of the aspect, 18 for none. polarity: (c,) -1, 0, 1."""

    text: pa.Array
    language: np.ndarray
    aspect: np.ndarray
    polarity: np.ndarray
    is_negated: np.ndarray
    is_train: np.ndarray


class LabelledClues(NamedTuple):
    """c clauses. kind: (c,) place of the food-safety class, 4 for none."""

    text: pa.Array
    language: np.ndarray
    kind: np.ndarray
    is_train: np.ndarray


class Judged(NamedTuple):
    """n sentences of MAMS, and e judgements of them.

    sentence: (e,) which one. category: (e,) place in CATEGORIES. polarity: (e,) -1, 0, 1.
    """

    text: pa.Array
    sentence: np.ndarray
    category: np.ndarray
    polarity: np.ndarray


def own_clauses() -> LabelledClauses:
    """English and Chinese, one aspect each; a third, by its id, is held out.

    >>> own = own_clauses()
    >>> [int((own.language == language).sum()) for language in ("en", "zh")]
    [467, 465]
    """
    rows = _rows("clauses")
    return LabelledClauses(
        pa.array([row["clause"] for row in rows]),
        np.array([row["language"] for row in rows]),
        np.array([PLACE.get(row["aspects"], len(PLACE)) for row in rows]),
        np.array([int(row["polarity"]) for row in rows]),
        np.array([row["is_negated"] == "1" for row in rows]),
        np.array([row["split"] == "train" for row in rows]),
    )


def own_clues() -> LabelledClues:
    """Food-safety cases of four classes, and what only sounds like one."""
    rows = _rows("safety")
    kinds = [CLASS_NAMES.index(row["class"]) if row["class"] else len(CLASS_NAMES) for row in rows]
    return LabelledClues(
        pa.array([row["clause"] for row in rows]),
        np.array([row["language"] for row in rows]),
        np.array(kinds),
        np.array([row["split"] == "train" for row in rows]),
    )


def mams(folder: Path, part: str) -> Judged:
    """`train`, `val` or `test` of MAMS-ACSA (Jiang et al. 2019, EMNLP). Raises DataError where the file is not there."""
    path = folder / f"acsa_{part}.xml.gz"
    try:
        sentences = list(ET.fromstring(gzip.decompress(path.read_bytes())))
    except (OSError, ET.ParseError) as error:
        raise DataError(f"{path}: cannot be read: {error}; give the folder that holds acsa_train.xml.gz") from None
    labels = [
        (place, CATEGORIES.index(label.get("category", "")), _POLARITY[label.get("polarity", "")])
        for place, sentence in enumerate(sentences)
        for label in sentence.iter("aspectCategory")
    ]
    sentence, category, polarity = np.array(labels).T
    return Judged(pa.array([s.findtext("text") or "" for s in sentences]), sentence, category, polarity)


def _rows(name: str) -> list[dict[str, str]]:
    text = (resources.files("regulars.quality") / "labelled" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
