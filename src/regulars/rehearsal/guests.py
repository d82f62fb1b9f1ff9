"""Guests: what each of them is like, drawn once.

How often a guest comes and when they are lost follow the BG/NBD model with the parameters of the CDNOW customers (Fader, Hardie and
Lee 2005, table 3; time in weeks); what they spend is spread as theirs. The rest follows from where they live: every guest has an
appetite for eating out, of which we get a share; the share depends on distance, taste, quality and habit, as in a logit model.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.places import CATEGORIES, IntArray, Places, distances

CDNOW_R, CDNOW_ALPHA, CDNOW_A, CDNOW_B = 0.2426, 4.4135, 0.7929, 2.4258
SPEND_WITHIN, SPEND_BETWEEN = 0.58, 0.50
STORES_EACH = 3
STORE_CHANCES = np.array([0.80, 0.13, 0.07])
_WORD_OF_MOUTH = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Guests:
    """The traits of n guests; every array has shape (n,) unless said.

    rate: visits a day while they are ours. dropout: chance that a visit is their last. check: mean of the logarithm of their checks,
    minor units. share: part of their appetite that is ours. sensitivity: what an average check for nothing would add to our
    utility. notice: chance that they read a message. irritation: part of their rate that each message costs. hoard: how much a
    voucher visit stands for a later one. loyalty_to_store: chance that they do not go to another store for an offer.
    comeback: how open they are to come again after they were lost. stores: (n, 3), their own store first. taste: (n, categories),
    chances added up. joined: day of their first visit, from 0.
    """

    rate: FloatArray
    dropout: FloatArray
    check: FloatArray
    share: FloatArray
    sensitivity: FloatArray
    notice: FloatArray
    irritation: FloatArray
    hoard: FloatArray
    loyalty_to_store: FloatArray
    comeback: FloatArray
    stores: IntArray
    taste: FloatArray
    joined: IntArray

    def __len__(self) -> int:
        return len(self.rate)

    @classmethod
    def draw(
        cls, guests: int, places: Places, *, average_check: float, pace: float, days: int, rng: np.random.Generator
    ) -> "Guests":
        """`guests` people who first come within `days` days and spend `average_check` minor units on average.

        pace: factor on how often they come.
        """
        rate = np.maximum(rng.gamma(CDNOW_R, pace / CDNOW_ALPHA, guests) / 7, 1e-9)
        own, near, rival = _where(guests, places, rng)
        habit = special.ndtri((np.argsort(np.argsort(rate)) + 0.5) / guests)
        liking = rng.normal(0, 0.8, guests)
        utility = 0.4 * habit + liking + 2 * (places.quality[own[:, 0]] - rival) - 0.3 * near - 0.4
        variance = SPEND_WITHIN**2 + SPEND_BETWEEN**2
        return cls(
            rate=rate,
            dropout=rng.beta(CDNOW_A, CDNOW_B, guests),
            check=rng.normal(np.log(average_check) - variance / 2, SPEND_BETWEEN, guests),
            share=special.expit(utility),
            sensitivity=rng.lognormal(np.log(4.0), 0.6, guests),
            notice=rng.beta(6, 2, guests),
            irritation=rng.gamma(0.5, 0.06, guests),
            hoard=rng.beta(2, 12, guests),
            loyalty_to_store=rng.beta(3, 3, guests),
            comeback=rng.beta(1, 3, guests),
            stores=own,
            taste=np.cumsum(rng.dirichlet(np.full(len(CATEGORIES), 1.2), guests), axis=1),
            joined=_joined(guests, days, rng),
        )


def _where(guests: int, places: Places, rng: np.random.Generator) -> tuple[IntArray, FloatArray, FloatArray]:
    """Own stores (n, 3), kilometres to the first of them, and the best rival's quality less its distance."""
    count = len(places.stores)
    weight = 1.0 + _WORD_OF_MOUTH * places.quality
    around = places.stores[rng.choice(count, guests, p=weight / weight.sum())]
    home = around + rng.normal(0, 1.2, (guests, 2))
    far = distances(home, places.stores)
    order = np.argsort(far - rng.gumbel(0, 0.3, far.shape), axis=1)[:, :STORES_EACH]
    own = np.pad(order, ((0, 0), (0, STORES_EACH - order.shape[1])), mode="edge")
    rivals = places.rival_quality - 0.15 * distances(home, places.rivals)
    return own, far[np.arange(guests), own[:, 0]], rivals.max(axis=1)


def _joined(guests: int, days: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """First days: the more guests there are, the more they tell, so that later days bring half as many again as first ones."""
    told = np.cumsum(1.0 + 0.5 * np.arange(days) / max(days, 1))
    return np.minimum(np.searchsorted(told / told[-1], rng.random(guests)), days - 1).astype(np.int64)
