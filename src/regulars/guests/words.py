"""Words for facts of a profile: the name of a column and its value, as people say them."""

from regulars.profiles.columns import CATEGORY_PREFIX
from regulars.wording import Sentence


def fact(column: str, value: float | None) -> Sentence:
    """A column of a profile and its value.

    >>> fact("average_order_minor", 1250)
    Sentence('fact_amount', name=Sentence('fact_average_order'), value_minor=1250)
    """
    name = name_of(column)
    if value is None:
        return Sentence("fact_unknown", name=name)
    if column.endswith("_minor"):
        return Sentence("fact_amount", name=name, value_minor=round(value))
    if column.endswith("_share") or column.startswith(CATEGORY_PREFIX):
        return Sentence("fact_part", name=name, value_share=float(value))
    return Sentence("fact_number", name=name, value=float(value))


def name_of(column: str) -> Sentence:
    """What a column is called."""
    if column.startswith(CATEGORY_PREFIX):
        return Sentence("fact_category", category=column.removeprefix(CATEGORY_PREFIX).replace("_", " "))
    return Sentence(f"fact_{column.removesuffix('_minor')}")
