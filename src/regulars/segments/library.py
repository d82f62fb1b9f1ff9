"""Ready segments: the questions that every restaurant asks first."""

from typing import NamedTuple


class ReadySegment(NamedTuple):
    """A rule with a name and what it is for."""

    name: str
    rule: str
    meaning: str


LIBRARY: tuple[ReadySegment, ...] = (
    ReadySegment("new_guests", "visits == 1 and recency_days < 60", "came once, in the last sixty days"),
    ReadySegment(
        "one_visit_only", "visits == 1 and recency_days >= 14", "came once two weeks ago or longer, and not again"
    ),
    ReadySegment(
        "due_and_not_come",
        'stage in ["developing", "regular"] and due_in_days < 0',
        "past the day their rhythm would have brought them, and not slipping yet",
    ),
    ReadySegment(
        "slipping_regulars", 'stage == "slipping" and visits >= 4', "a regular silent for longer than is their way"
    ),
    ReadySegment("lost_regulars", 'stage == "lost" and visits >= 4', "a regular who has in all likelihood left"),
    ReadySegment("big_tables", "average_covers >= 6", "comes with a party, where party sizes are noted"),
    ReadySegment("lunch_only", "orders >= 3 and lunch_share == 1", "has only ever come for lunch"),
    ReadySegment(
        "weekends_only", "visits >= 3 and saturday_share + sunday_share > 0.999", "has only ever come on a weekend"
    ),
    ReadySegment("discount_only", "orders >= 3 and discounted_share == 1", "has never paid the full price"),
    ReadySegment("full_price", "orders >= 3 and discounted_share == 0", "has never had a discount"),
    ReadySegment("many_stores", "stores >= 3 and home_store_share < 0.5", "is at home in no single store"),
    ReadySegment("birthday_this_week", "birthday_in_days < 7", "has their birthday today or in the six days after"),
)
"""Segments over the columns every profile has; the last one needs profiles that were built with the guests' birthdays."""
