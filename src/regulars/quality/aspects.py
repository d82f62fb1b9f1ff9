"""Aspects: what guests talk about, in five groups; the vocabulary of ASAP (Bu et al. 2021, NAACL, table 1)."""

from typing import NamedTuple

GROUPS = ("food", "service", "price", "ambience", "location")


class Aspect(NamedTuple):
    """One thing that guests judge. english, chinese: how pictures and screens call it."""

    name: str
    group: str
    english: str
    chinese: str


ASPECTS = (
    Aspect("taste", "food", "taste", "口味"),
    Aspect("portion", "food", "portion", "分量"),
    Aspect("appearance", "food", "appearance", "卖相"),
    Aspect("recommend", "food", "worth recommending", "推荐度"),
    Aspect("hospitality", "service", "hospitality", "服务态度"),
    Aspect("timely", "service", "speed of serving", "上菜速度"),
    Aspect("queue", "service", "waiting for a table", "排队"),
    Aspect("parking", "service", "parking", "停车"),
    Aspect("level", "price", "price level", "价位"),
    Aspect("cost_effective", "price", "value for money", "性价比"),
    Aspect("discount", "price", "discounts", "优惠"),
    Aspect("decoration", "ambience", "decoration", "装修"),
    Aspect("noise", "ambience", "noise", "嘈杂"),
    Aspect("space", "ambience", "space", "空间"),
    Aspect("sanitary", "ambience", "cleanliness", "卫生"),
    Aspect("transportation", "location", "transport", "交通"),
    Aspect("downtown", "location", "closeness to the centre", "商圈"),
    Aspect("easy_to_find", "location", "easy to find", "好找"),
)
NAMES = tuple(aspect.name for aspect in ASPECTS)
PLACE = {name: place for place, name in enumerate(NAMES)}
GROUP_OF = {aspect.name: aspect.group for aspect in ASPECTS}
GROUP_PLACE = tuple(GROUPS.index(aspect.group) for aspect in ASPECTS)


def in_words(name: str, language: str = "en") -> str:
    """How an aspect is called where people read it.

    >>> in_words("cost_effective"), in_words("cost_effective", "zh")
    ('value for money', '性价比')
    """
    aspect = ASPECTS[PLACE[name]]
    return aspect.chinese if language == "zh" else aspect.english
