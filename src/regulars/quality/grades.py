"""Grading: how well clauses are read, on those held out; own clauses in both languages, MAMS, and food-safety cases."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from sklearn.metrics import f1_score

from regulars.quality.aspects import GROUP_PLACE, GROUPS, NAMES
from regulars.quality.labels import own_clauses, own_clues
from regulars.quality.readers import Reader


class ClauseGrade(NamedTuple):
    """On held-out clauses of one language.

    aspect_f1, group_f1: macro F1 over the 18 aspects and the five groups. polarity: share right, whether it can be told
    or not. told_polarity: share right where it is told, `told` of the clauses. negated: share right among clauses with a negation.
    """

    language: str
    clauses: int
    aspect_f1: float
    group_f1: float
    polarity: float
    told_polarity: float
    told: float
    negated: float


class ClueGrade(NamedTuple):
    """On held-out food-safety cases: share of clues found, of what is found that is one, and of found ones in their class."""

    clues: int
    others: int
    recall: float
    precision: float
    right_class: float


def grade_clauses(reader: Reader) -> tuple[ClauseGrade, ...]:
    """English and Chinese."""
    own = own_clauses()
    return tuple(_graded(reader, language) for language in dict.fromkeys(own.language.tolist()))


def _graded(reader: Reader, language: str) -> ClauseGrade:
    own = own_clauses()
    rows = np.flatnonzero((own.language == language) & ~own.is_train)
    found = reader.read(own.text.take(pa.array(rows)))
    truth = np.eye(len(NAMES) + 1, dtype=bool)[own.aspect[rows]][:, :-1]
    is_right = found.polarity == own.polarity[rows]
    return ClauseGrade(
        language,
        len(rows),
        float(f1_score(truth, found.aspects, average="macro", zero_division=0.0)),
        float(f1_score(_grouped(truth), _grouped(found.aspects), average="macro", zero_division=0.0)),
        float(is_right.mean()),
        float(is_right[found.is_told].mean()),
        float(found.is_told.mean()),
        float(is_right[own.is_negated[rows]].mean()),
    )


def _grouped(aspects: np.ndarray) -> np.ndarray:
    return np.column_stack([aspects[:, np.array(GROUP_PLACE) == place].any(axis=1) for place in range(len(GROUPS))])


def grade_clues(reader: Reader) -> ClueGrade:
    clues = own_clues()
    rows = np.flatnonzero(~clues.is_train)
    found, truth = reader.read(clues.text.take(pa.array(rows))).safety, clues.kind[rows]
    is_clue = truth < clues.kind.max()
    hit = (found >= 0) & is_clue
    return ClueGrade(
        int(is_clue.sum()),
        int((~is_clue).sum()),
        float(hit.sum() / is_clue.sum()),
        float(hit.sum() / max((found >= 0).sum(), 1)),
        float((found == truth)[hit].mean()),
    )
