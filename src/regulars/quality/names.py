"""Names: what people call dishes, stores, shifts and causes, as sentences that any voice can say."""

from collections.abc import Mapping
from typing import NamedTuple

from regulars.wording import Sentence

_CODED = ("rush", "price", "season", "whole")
"""Factors whose levels are words of the house; those of others are ids of the restaurant."""


class Names(NamedTuple):
    """dishes, stores: id -> name; whoever has none is called by its id."""

    dishes: Mapping[str, str] = {}
    stores: Mapping[str, str] = {}

    def dish(self, item: str) -> str:
        return self.dishes.get(item, item)

    def store(self, store: str) -> str:
        return self.stores.get(store, store)

    def level(self, factor: str, level: str) -> str | Sentence:
        """A level of a factor, such as a cook, a shift, or a higher price."""
        if factor == "shift":
            return Sentence(f"daypart_{level}")
        if factor in _CODED:
            return Sentence(f"level_{level}")
        return {"item": self.dish, "store": self.store}.get(factor, str)(level)

    def unit(self, by: Mapping[str, str]) -> Sentence:
        """What is judged as one, such as a dish in a store: {"item": "D1", "store": "S1"}."""
        parts = [self.level(factor, level) for factor, level in by.items()]
        return Sentence("unit", **dict(zip(("first", "second", "third", "fourth"), parts, strict=False)))


NOBODY = Names()
"""Everything is called by its id."""
