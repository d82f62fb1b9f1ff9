"""What a load did, as a value, and what it has to say."""

from typing import NamedTuple

from regulars.wording import Sentence


class LoadReport(NamedTuple):
    """What a load did. accepted + rejected + those set aside = rows of the source.

    changed: rows of the table that are new, replaced or gone now. set_aside: rows that are not meant for the table, by what
    they are, such as {"voided": 12}. read_as: the known export that the source is, where it was loaded as one.
    load: what `unload` takes it back by; the tables that were loaded from one file together share it.
    moved: how many of the replaced were of another store or another day, as where check numbers begin anew.
    unread: columns of the source that were not looked at. notes: what should be known of this load, most telling first.
    """

    table: str
    source: str
    accepted: int
    rejected: int
    changed: int
    is_repeated: bool
    set_aside: dict[str, int]
    read_as: str | None = None
    load: str = ""
    load_id: str = ""
    new: int = 0
    replaced: int = 0
    moved: int = 0
    gone: int = 0
    unread: tuple[str, ...] = ()
    notes: tuple[Sentence, ...] = ()
