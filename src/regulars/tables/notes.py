"""Notes: what a load has to say beyond accepted and rejected, counted over all batches and told once."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from regulars.wording import Sentence

Key = tuple[str, tuple[tuple[str, Any], ...]]


@dataclass(slots=True)
class Notes:
    """Of each note, how many rows it is about and on which line the first of them stands.

    wanted: what a mapping says of rows, and whether any row answered to it so far.
    """

    rows: dict[Key, int] = field(default_factory=dict)
    wanted: dict[str, bool] = field(default_factory=dict)
    line: dict[Key, int] = field(default_factory=dict)

    def add(self, code: str, is_so: pa.Array, line: pa.Array, **facts: Any) -> None:
        """Count the rows of which something is so."""
        found = line.filter(pc.fill_null(is_so, False))
        if not len(found):
            return
        key = (code, tuple(sorted(facts.items())))
        self.rows[key] = self.rows.get(key, 0) + len(found)
        self.line[key] = min(self.line.get(key, found[0].as_py()), pc.min(found).as_py())

    def want(self, what: str, *, is_there: bool) -> None:
        """Something that a mapping says of rows, and whether a row of this batch answers to it."""
        self.wanted[what] = self.wanted.get(what, False) or is_there

    def unmatched(self) -> list[str]:
        """What no row answered to."""
        return [what for what, is_there in self.wanted.items() if not is_there]

    def count(self, code: str, **facts: Any) -> int:
        return self.rows.get((code, tuple(sorted(facts.items()))), 0)

    def sentences(self) -> tuple[Sentence, ...]:
        """In the order of the lines where each begins."""
        keys = sorted(self.rows, key=lambda key: (self.line[key], key[0], str(key[1])))
        return tuple(Sentence(key[0], rows=self.rows[key], line=self.line[key], **dict(key[1])) for key in keys)
