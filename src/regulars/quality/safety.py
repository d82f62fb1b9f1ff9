"""Food safety: what in a review hints at harm, in four classes; shown at once with its words, never averaged away.

A clue is no finding: the words may be wrong, and precision is the price of missing little. A person reads every one of them.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.quality.lexicon import either, words


class SafetyClass(NamedTuple):
    """severity: what is looked at first, 1 the worst. `harm_` and its name is what people call it."""

    name: str
    severity: int


CLASSES = (
    SafetyClass("poisoning", 1),
    SafetyClass("foreign_object", 2),
    SafetyClass("spoilage", 3),
    SafetyClass("hygiene", 4),
)
CLASS_NAMES = tuple(kind.name for kind in CLASSES)


def by_words(clauses: pa.Array) -> np.ndarray:
    """The place in CLASSES of the worst class whose words are in each clause, -1 for none, shape (c,).

    >>> [CLASS_NAMES[i] if i >= 0 else None for i in by_words(pa.array(["hair in my soup", "dirty rice", "吃完拉肚子"]))]
    ['foreign_object', None, 'poisoning']
    """
    text = pc.utf8_lower(pc.replace_substring_regex(clauses, "[’`´]", "'"))
    text = pc.replace_substring_regex(text, _patterns()["harmless"], " \x1f ")
    found = np.full(len(text), -1, dtype=np.int8)
    for place in reversed(range(len(CLASSES))):
        says = pc.match_substring_regex(text, _patterns()[CLASS_NAMES[place]])
        found[says.to_numpy(zero_copy_only=False)] = place
    return found


@lru_cache(maxsize=1)
def _patterns() -> dict[str, str]:
    return {name: either(lists) for name, lists in words("safety").items()}
