"""Training: heads from own labelled clauses and from MAMS; one command, `regulars quality train`, a minute.

Heads are multinomial logistic regressions. Of MAMS, a sentence's judgement of food, service, price or ambience is given to
those of its clauses that the lexicon says are about it; with little weight, for it is a guess.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from regulars.quality import lexicon
from regulars.quality.aspects import GROUP_PLACE, GROUPS
from regulars.quality.clauses import split
from regulars.quality.encoders import FloatArray, TextEncoder, encoded
from regulars.quality.heads import Heads, lexicon_features
from regulars.quality.labels import CATEGORIES, Judged, own_clauses, own_clues

_MAMS_WEIGHT = 0.1
_GROUP_OF_CATEGORY = {
    "food": "food",
    "service": "service",
    "staff": "service",
    "price": "price",
    "ambience": "ambience",
}
_C_ASPECT, _C_POLARITY, _C_SAFETY = 10.0, 3.0, 10.0


class _Examples(NamedTuple):
    """features: (m, f). label: (m,). weight: (m,)."""

    features: FloatArray
    label: np.ndarray
    weight: FloatArray


def features(texts: pa.Array, encoder: TextEncoder, progress: Callable[[int], None] | None = None) -> FloatArray:
    """What heads see of each clause: the encoder's vector, then the lexicon's, shape (c, f)."""
    return np.hstack([encoded(encoder, texts.to_pylist(), progress), lexicon_features(texts)])


def train(
    encoder: TextEncoder,
    sentences: Judged | None = None,
    *,
    languages: tuple[str, ...] = ("en", "zh"),
    progress: Callable[[int], None] | None = None,
) -> Heads:
    """Heads for an encoder. sentences: the training part of MAMS; None trains polarity on own clauses alone.

    languages: whose labels to learn from, so that what carries over to the other can be measured.
    """
    own, clues = own_clauses(), own_clues()
    rows = np.flatnonzero(own.is_train & np.isin(own.language, languages))
    seen = features(own.text.take(pa.array(rows)), encoder)
    judged = _Examples(seen, own.polarity[rows], np.ones(len(rows)))
    if sentences is not None:
        judged = _joined(judged, _from_mams(sentences, encoder, progress))
    clue_rows = np.flatnonzero(clues.is_train & np.isin(clues.language, languages))
    return Heads(
        encoder=encoder.name,
        aspect=_head(_Examples(seen, own.aspect[rows], np.ones(len(rows))), _C_ASPECT),
        polarity=_head(judged, _C_POLARITY),
        safety=_head(_safety_examples(clue_rows, seen, encoder), _C_SAFETY),
    )


def _safety_examples(rows: np.ndarray, ordinary: FloatArray, encoder: TextEncoder) -> _Examples:
    """Clues beside ordinary clauses, which are none."""
    clues = own_clues()
    both = np.vstack([features(clues.text.take(pa.array(rows)), encoder), ordinary])
    none = np.full(len(ordinary), clues.kind.max())
    return _Examples(both, np.concatenate([clues.kind[rows], none]), np.ones(len(both)))


def _from_mams(sentences: Judged, encoder: TextEncoder, progress: Callable[[int], None] | None) -> _Examples:
    """Clauses of one group of aspects in a sentence that judges that group good or bad, and not both."""
    clauses = split(sentences.text)
    named = lexicon.read(clauses.text).aspects
    by_group = np.column_stack([named[:, np.array(GROUP_PLACE) == place].sum(axis=1) for place in range(len(GROUPS))])
    judgement = _by_group(sentences)[clauses.review, by_group.argmax(axis=1)]
    rows = np.flatnonzero((by_group.max(axis=1) > 0) & (judgement != 0))
    seen = features(clauses.text.take(pa.array(rows)), encoder, progress)
    return _Examples(seen, judgement[rows], np.full(len(rows), _MAMS_WEIGHT))


def _by_group(sentences: Judged) -> np.ndarray:
    """1 or -1 where all judgements of a group in a sentence agree, else 0, shape (n, 5)."""
    good, bad = np.zeros((2, len(sentences.text), len(GROUPS)))
    groups = np.array([GROUPS.index(_GROUP_OF_CATEGORY[c]) if c in _GROUP_OF_CATEGORY else -1 for c in CATEGORIES])
    place = groups[sentences.category]
    for polarity, table in ((1, good), (-1, bad)):
        is_so = (place >= 0) & (sentences.polarity == polarity)
        np.add.at(table, (sentences.sentence[is_so], place[is_so]), 1)
    return np.where((good > 0) & (bad == 0), 1, np.where((bad > 0) & (good == 0), -1, 0))


def _joined(one: _Examples, other: _Examples) -> _Examples:
    return _Examples(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))


def _head(examples: _Examples, c: float) -> FloatArray:
    """Weights with the intercept as last column, one row for each label in their order."""
    model = LogisticRegression(C=c, max_iter=2_000, tol=1e-4)
    model.fit(examples.features, examples.label, sample_weight=examples.weight)
    return np.column_stack([model.coef_, model.intercept_])


def default_path() -> Path:
    """Where the heads lie that the package ships."""
    return Path(__file__).with_name("trained") / "heads.npz"
