"""Heads: linear models over what encoder and lexicon say of a clause; small enough to ship in the package."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import softmax

from regulars.errors import DataError
from regulars.quality import lexicon
from regulars.quality.aspects import ASPECTS, NAMES
from regulars.quality.encoders import FloatArray

JUDGEMENTS = (-1, 0, 1)
LEXICON_WIDTH = 2 * len(ASPECTS) + 7
_FORMAT = 1


def lexicon_features(clauses: pa.Array) -> FloatArray:
    """What the lexicon tells of each clause, bounded, shape (c, LEXICON_WIDTH): aspects named, the one named most, judgement."""
    found = lexicon.read(clauses)
    is_named = (found.aspects > 0).astype(np.float64)
    most = np.zeros_like(is_named)
    rows = np.flatnonzero(is_named.any(axis=1))
    most[rows, found.aspects[rows].argmax(axis=1)] = 1.0
    balance = found.positive - found.negative
    judged = (balance, found.positive, found.negative, found.negated, found.neutral)
    return np.column_stack([0.25 * is_named, 0.25 * most, *map(np.tanh, judged), balance > 0, balance < 0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """f features (the encoder's, then the lexicon's).

    encoder: name of the encoder they fit. aspect: (19, f + 1), the last row is "none of them"; polarity: (3, f + 1) of
    JUDGEMENTS; safety: (5, f + 1), the classes of `safety`, the last row is "none". The last column is the intercept.
    """

    encoder: str
    aspect: FloatArray
    polarity: FloatArray
    safety: FloatArray

    def aspect_probabilities(self, features: FloatArray) -> FloatArray:
        """Shape (c, 18)."""
        return _probabilities(self.aspect, features)[:, : len(NAMES)]

    def polarity_probabilities(self, features: FloatArray) -> FloatArray:
        """Shape (c, 3): negative, neutral, positive."""
        return _probabilities(self.polarity, features)

    def safety_probabilities(self, features: FloatArray) -> FloatArray:
        """Shape (c, 4), in the order of the classes of `safety`."""
        return _probabilities(self.safety, features)[:, :-1]

    def save(self, path: Path) -> None:
        aspect, polarity, safety = (weights.astype(np.float32) for weights in (self.aspect, self.polarity, self.safety))
        np.savez_compressed(
            path, aspect=aspect, polarity=polarity, safety=safety,
            format=np.array(_FORMAT), encoder=np.array(self.encoder), names=np.array(NAMES),
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path | None = None) -> "Heads":
        """path: None takes those that the package ships. Raises DataError for heads of another version or vocabulary."""
        where: Any = resources.files("regulars.quality") / "trained" / "heads.npz" if path is None else path
        try:
            with where.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                if int(kept["format"]) != _FORMAT or tuple(kept["names"]) != NAMES:
                    raise DataError(f"{where}: heads of another version; `regulars quality train` makes them anew")
                weights = {name: kept[name].astype(np.float64) for name in ("aspect", "polarity", "safety")}
                return cls(encoder=str(kept["encoder"]), **weights)
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{where}: no heads: {error}; `regulars quality train` makes them anew") from None


def _probabilities(weights: FloatArray, features: FloatArray) -> FloatArray:
    scores = features @ weights[:, :-1].T + weights[:, -1]
    return np.asarray(softmax(scores, axis=1), dtype=np.float64)
