"""Scopes: what a key may see and change at its stores. Whatever holds at some stores concerns whoever may act at one of them,
and is theirs who may act at all of them."""

from collections.abc import Collection

Own = frozenset[str] | None
"""The stores where somebody may act; None stands for everywhere."""


def may_see(own: Own, stores: Collection[str]) -> bool:
    """Whether something that holds at these stores, everywhere if none, concerns them.

    >>> may_see(frozenset({"S1"}), ["S1", "S2"]), may_see(frozenset({"S1"}), ["S2"]), may_see(frozenset({"S1"}), [])
    (True, False, True)
    """
    return own is None or not stores or not own.isdisjoint(stores)


def may_change(own: Own, stores: Collection[str]) -> bool:
    """Whether all of it is their own: what holds everywhere is only for who may act everywhere.

    >>> may_change(frozenset({"S1"}), ["S1"]), may_change(frozenset({"S1"}), ["S1", "S2"]), may_change(frozenset({"S1"}), [])
    (True, False, False)
    """
    return own is None or (bool(stores) and own.issuperset(stores))
