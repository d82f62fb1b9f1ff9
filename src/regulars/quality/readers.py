"""Reading: which aspects a clause judges, and how; with a trained reader where there is an encoder, else by the lexicon."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from regulars.errors import DataError
from regulars.quality import lexicon, safety
from regulars.quality.encoders import FloatArray, SentenceEncoder, TextEncoder, encoded
from regulars.quality.heads import Heads, lexicon_features
from regulars.wording import Sentence

LEAST_ASPECT, LEAST_POLARITY, LEAST_SAFETY = 0.35, 0.45, 0.30
Progress = Callable[[int], None]


class Readings(NamedTuple):
    """What c clauses say.

    aspects: (c, 18) whether each is judged; a clause may judge several, or none. polarity: (c,) -1, 0 or 1.
    is_told: (c,) whether the polarity can be told; where not, it is not counted. confidence: (c,) of the polarity, 0 to 1.
    safety: (c,) place of the food-safety class, -1 for none.
    """

    aspects: np.ndarray
    polarity: np.ndarray
    is_told: np.ndarray
    confidence: FloatArray
    safety: np.ndarray


class Reader(Protocol):
    """name: changes whenever the same clause might be read differently. about: what reads, for people."""

    name: str
    about: Sentence

    def read(self, clauses: pa.Array, progress: Progress | None = None) -> Readings:
        """clauses: shape (c,)."""
        ...


class LexiconReader:
    """By words alone: what judges without a word of judgement cannot be told."""

    name = "lexicon-1"

    def __init__(self, why: str | None = None) -> None:
        """why: what kept a better reader from being opened."""
        self.about = Sentence("read_by_lexicon", why=why)

    def read(self, clauses: pa.Array, progress: Progress | None = None) -> Readings:
        found = lexicon.read(clauses)
        most = found.aspects.max(axis=1, initial=0)
        balance = found.positive - found.negative
        is_told = (balance != 0) | (found.neutral > 0)
        confidence = np.where(is_told, 1 - 0.5 ** (np.abs(balance) + 1), 0.0)
        aspects = (found.aspects == most[:, None]) & (most > 0)[:, None]
        if progress is not None:
            progress(len(clauses))
        return Readings(aspects, found.polarity, is_told, confidence, safety.by_words(clauses))


class TrainedReader:
    """Heads over encoder and lexicon."""

    def __init__(self, encoder: TextEncoder, heads: Heads) -> None:
        """Raises DataError for heads that were trained on another encoder."""
        if heads.encoder != encoder.name:
            raise DataError(
                f"these heads fit the encoder {heads.encoder}, not {encoder.name}; `regulars quality train` makes others"
            )
        self._encoder, self._heads = encoder, heads
        marks = [float(np.abs(weights).sum()) for weights in (heads.aspect, heads.polarity, heads.safety)]
        self.name = f"{encoder.name}+{sum(marks):.3f}"
        self.about = Sentence("read_by_heads", encoder=encoder.name)

    def read(self, clauses: pa.Array, progress: Progress | None = None) -> Readings:
        vectors = encoded(self._encoder, clauses.to_pylist(), progress)
        features = np.hstack([vectors, lexicon_features(clauses)])
        aspects = self._heads.aspect_probabilities(features)
        judged = self._heads.polarity_probabilities(features)
        confidence = judged.max(axis=1, initial=0)
        return Readings(
            aspects >= LEAST_ASPECT,
            (judged.argmax(axis=1) - 1).astype(np.int8),
            confidence >= LEAST_POLARITY,
            confidence,
            _either(safety.by_words(clauses), self._heads.safety_probabilities(features)),
        )


def _either(by_words: np.ndarray, probability: FloatArray) -> np.ndarray:
    """What words or the head find: a clue that is missed costs more than one too many."""
    by_head = np.where(probability.max(axis=1, initial=0) >= LEAST_SAFETY, probability.argmax(axis=1), -1)
    return np.where(by_words >= 0, by_words, by_head)


def open_reader(encoder: TextEncoder | None = None) -> Reader:
    """The best reader there is: trained where the encoder loads, else the lexicon, which says so in `about`."""
    try:
        return TrainedReader(encoder or SentenceEncoder(), Heads.load())
    except DataError as error:
        return LexiconReader(why=str(error).split("; ")[0])
