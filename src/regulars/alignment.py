"""Alignment: columns that belong together by their position."""

from typing import Any

from regulars.errors import DataError


def refuse_shuffled(**columns: Any) -> None:
    """Raise DataError where pandas columns have one index in two orders: by position, a guest would get what another did.

    >>> refuse_shuffled(outcome=[1, 2], arm=["soup", "control"])
    """
    indexes = {
        name: column.index for name, column in columns.items() if hasattr(getattr(column, "index", None), "equals")
    }
    if not indexes:
        return
    first, one = next(iter(indexes.items()))
    for name, other in indexes.items():
        if len(one) == len(other) and not one.equals(other) and one.isin(other).all():
            raise DataError(
                f"{first} and {name} have the same index in another order; sort both alike, or give .to_numpy() of each if they "
                "belong together by position"
            )
