"""Aspects: what guests talk about, in five groups; the vocabulary of ASAP (Bu et al. 2021, NAACL, table 1)."""

from typing import NamedTuple

GROUPS = ("food", "service", "price", "ambience", "location")


class Aspect(NamedTuple):
    """One thing that guests judge; `aspect_` and its name is what people call it."""

    name: str
    group: str


ASPECTS = (
    Aspect("taste", "food"),
    Aspect("portion", "food"),
    Aspect("appearance", "food"),
    Aspect("recommend", "food"),
    Aspect("hospitality", "service"),
    Aspect("timely", "service"),
    Aspect("queue", "service"),
    Aspect("parking", "service"),
    Aspect("level", "price"),
    Aspect("cost_effective", "price"),
    Aspect("discount", "price"),
    Aspect("decoration", "ambience"),
    Aspect("noise", "ambience"),
    Aspect("space", "ambience"),
    Aspect("sanitary", "ambience"),
    Aspect("transportation", "location"),
    Aspect("downtown", "location"),
    Aspect("easy_to_find", "location"),
)
NAMES = tuple(aspect.name for aspect in ASPECTS)
PLACE = {name: place for place, name in enumerate(NAMES)}
GROUP_PLACE = tuple(GROUPS.index(aspect.group) for aspect in ASPECTS)
