"""Gathering: the values of one of our columns, out of the source columns that its mapping names."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.contracts import Kind
from regulars.tables.mapping import From
from regulars.tables.notes import Notes
from regulars.tables.readings import Manner, Reading, read
from regulars.tables.readings.words import cleaned
from regulars.tables.shaping import Shaped, count_name, text_of, words_of

_EMAIL = r"^[^@\s]+@[^@\s]+$"
_SUMMED = (Kind.MONEY, Kind.NUMBER, Kind.INTEGER)


@dataclass(frozen=True, slots=True)
class Gatherer:
    """One column of a batch: `origin` says where it comes from; `notes` hear what was missing where values are added."""

    raw: Shaped
    origin: From
    manner: Manner
    column: str
    notes: Notes

    def reading(self, kind: Kind) -> Reading:
        """The values read as what they are; nothing where the origin only falls back on something else."""
        if kind in _SUMMED and self.origin.count_per is None:
            return self._amount(kind)
        return read(kind, self.values(), self.manner)

    def values(self) -> pa.Array:
        """The values as the source has them: of several columns the first that is filled, or all, joined by a space."""
        if self.origin.count_per is not None:
            return self.raw.column(count_name(self.origin))
        parts = self._parts()
        if not parts:
            return pa.nulls(len(self.raw.rows), pa.string())
        return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*map(self._text, parts), " ")

    def _parts(self) -> list[pa.Array]:
        parts = [self._translated(self.raw.column(name)) for name in self.origin.added]
        return [self._first_filled(parts)] if self.origin.first_of is not None else parts

    def _amount(self, kind: Kind) -> Reading:
        added = [read(kind, part, self.manner) for part in self._parts()]
        total = self._added(added) if added else None
        if total is not None and self.origin.times is not None:
            total = self._multiplied(total, read(Kind.NUMBER, self.raw.column(self.origin.times), self.manner))
        less = [read(kind, self.raw.column(name), self.manner) for name in self.origin.taken_off]
        if less:
            off = self._added(less)
            off = off._replace(values=pc.negate(off.values))
            total = off if total is None else self._less(total, off)
        return total or read(kind, pa.nulls(len(self.raw.rows), pa.string()), self.manner)

    def _added(self, parts: list[Reading]) -> Reading:
        """The sum of what is there; nothing where nothing is. That a part was missing is noted."""
        total = parts[0]
        names = self.origin.added if len(parts) == len(self.origin.added) else self.origin.taken_off
        for part in parts[1:]:
            total = _sum(total, part)
        for name, part in zip(names, parts, strict=False):
            if len(parts) > 1:
                self._note_missing(name, part, total)
        return total

    def _less(self, total: Reading, off: Reading) -> Reading:
        """What is left of what is there; nothing where there is nothing to take it off."""
        left = Reading(pc.add(total.values, pc.fill_null(off.values, 0)), pc.coalesce(total.problem, off.problem))
        self._note_missing(" + ".join(self.origin.taken_off), off, total)
        return left

    def _note_missing(self, name: str, part: Reading, total: Reading) -> None:
        is_missing = pc.and_(pc.and_(pc.is_null(part.values), pc.is_null(part.problem)), pc.is_valid(total.values))
        self.notes.add("part_missing", is_missing, self.raw.line, column=self.column, part=name)

    def _multiplied(self, amount: Reading, factor: Reading) -> Reading:
        """An amount times a quantity, to the nearest whole; a quantity that is not given is one, which is noted."""
        is_missing = pc.and_(pc.is_null(factor.values), pc.is_valid(amount.values))
        self.notes.add("part_missing", is_missing, self.raw.line, column=self.column, part=self.origin.times)
        product = pc.multiply(amount.values.cast(pa.float64()), pc.fill_null(factor.values, 1.0))
        whole = np.rint(np.asarray(pc.fill_null(product, 0.0)))
        values = pa.array(whole, pa.float64()).cast(amount.values.type)
        kept = pc.if_else(pc.is_valid(amount.values), values, pa.scalar(None, values.type))
        return Reading(kept, pc.coalesce(amount.problem, factor.problem))

    def _translated(self, values: pa.Array) -> pa.Array:
        origin = self.origin
        if origin.nothing:
            self._look_for_nothing(values)
        if origin.values is None and not origin.lower_emails:
            return values
        encoded = pc.dictionary_encode(self._text(values))
        words = cleaned(encoded.dictionary)
        if origin.values is not None:
            there = set(words.to_pylist())
            for word in origin.values:
                self.notes.want(f"values of {self.column}: '{word}'", is_there=word.strip() in there)
            ours = {word.strip(): str(own) for word, own in origin.values.items()}
            said = [None if word is None else ours.get(word, word) for word in words.to_pylist()]
            words = pa.array(said, pa.string())
        if origin.lower_emails:
            is_email = pc.match_substring_regex(words, _EMAIL)
            words = pc.if_else(is_email, pc.utf8_lower(words), words)
        return words.take(encoded.indices)

    def _look_for_nothing(self, values: pa.Array) -> None:
        """Note which of the words that stand for nothing are there."""
        there = {word.lower() for word in cleaned(self._text(values).unique()).to_pylist() if word is not None}
        for word in self.origin.nothing:
            self.notes.want(f"nothing of {self.column}: '{word}'", is_there=word.strip().lower() in there)

    def _first_filled(self, parts: list[pa.Array]) -> pa.Array:
        empty = pa.scalar(None, pa.string())
        return pc.coalesce(
            *[pc.if_else(pc.equal(words_of(p, self.manner.nothing), ""), empty, self._text(p)) for p in parts]
        )

    def _text(self, values: pa.Array) -> pa.Array:
        """Values as the source would write them in text: typed numbers with its decimal mark."""
        text = text_of(values)
        if self.manner.decimal == "," and pa.types.is_floating(values.type):
            return pc.replace_substring(text, ".", ",")
        return text


def _sum(one: Reading, other: Reading) -> Reading:
    either = pc.or_(pc.is_valid(one.values), pc.is_valid(other.values))
    total = pc.add(pc.fill_null(one.values, 0), pc.fill_null(other.values, 0))
    return Reading(pc.if_else(either, total, pa.scalar(None, total.type)), pc.coalesce(one.problem, other.problem))
