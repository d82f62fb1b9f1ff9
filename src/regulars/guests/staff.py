"""Staff: who works here and is no guest."""

import narwhals as nw
import pyarrow as pa

from regulars.profiles.things import tag_words
from regulars.tables import Lake

STAFF_TAG = "staff"


def staff(lake: Lake) -> pa.Array:
    """Guests with `staff` among their tags: what they eat says nothing about guests, and they hear of offers anyway."""
    if not lake.has("guests"):
        return pa.array([], pa.string())
    tagged = lake.collect(lake.scan("guests").filter(~nw.col("tags").is_null()).select("guest_id", "tags"))
    is_staff = [STAFF_TAG in tag_words(tags) for tags in tagged["tags"].to_pylist()]
    return tagged["guest_id"].combine_chunks().filter(pa.array(is_staff, pa.bool_()))
