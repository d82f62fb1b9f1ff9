"""Places: own stores and rivals on a square of ten kilometres, and a menu of dishes of varying quality."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.rehearsal.days import FloatArray

IntArray = NDArray[np.int64]

SIDE_KM = 10.0
CATEGORIES = ("starters", "mains", "noodles", "grill", "desserts", "drinks")
_DISHES_EACH = 8
_USUAL_PRICE = (0.20, 0.45, 0.38, 0.55, 0.18, 0.12)
_RIVALS_PER_STORE = 1.5
FOOD_COST = 0.35


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Own stores, shape (s, 2), and rivals, shape (r, 2), in kilometres; what is thought of each, 0 to 1."""

    stores: FloatArray
    rivals: FloatArray
    quality: FloatArray
    rival_quality: FloatArray

    @classmethod
    def draw(cls, stores: int, rng: np.random.Generator) -> "Places":
        rivals = max(1, round(stores * _RIVALS_PER_STORE))
        return cls(
            stores=rng.uniform(0, SIDE_KM, (stores, 2)),
            rivals=rng.uniform(0, SIDE_KM, (rivals, 2)),
            quality=rng.beta(4, 3, stores),
            rival_quality=rng.beta(4, 3, rivals),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Menu:
    """The dishes, shape (m,): category (index into CATEGORIES), price in minor units, quality and popularity, 0 to 1."""

    item_id: tuple[str, ...]
    category: IntArray
    price: IntArray
    quality: FloatArray
    popularity: FloatArray

    @classmethod
    def draw(cls, average_check: float, wanted: tuple[str, ...], rng: np.random.Generator) -> "Menu":
        """A menu for an average check in minor units. wanted: dishes that offers speak of; each is a dessert's price."""
        named = [f"{CATEGORIES[c]}-{i + 1}" for c in range(len(CATEGORIES)) for i in range(_DISHES_EACH)]
        extra = [item for item in dict.fromkeys(wanted) if item not in named]
        category = np.array([*np.repeat(np.arange(len(CATEGORIES)), _DISHES_EACH), *[4] * len(extra)])
        spread = np.concatenate([rng.uniform(0.7, 1.3, len(named)), np.ones(len(extra))])
        price = np.maximum(np.array(_USUAL_PRICE)[category] * average_check * spread, 1.0)
        quality = rng.beta(4, 3, len(category))
        return cls(
            item_id=(*named, *extra),
            category=category.astype(np.int64),
            price=price.round().astype(np.int64),
            quality=quality,
            popularity=quality * rng.uniform(0.5, 1.5, len(category)),
        )

    def price_of(self, item_id: str) -> int:
        return int(self.price[self.item_id.index(item_id)])

    def dishes_of(self, category: int) -> tuple[IntArray, FloatArray]:
        """The dishes of a category, and how likely each is to be chosen."""
        dishes = np.flatnonzero(self.category == category)
        return dishes, self.popularity[dishes] / self.popularity[dishes].sum()


def distances(points: FloatArray, places: FloatArray) -> FloatArray:
    """Kilometres from each point to each place, shape (points, places)."""
    return np.hypot(points[:, None, 0] - places[None, :, 0], points[:, None, 1] - places[None, :, 1])
