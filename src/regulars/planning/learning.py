"""Learning: what past campaigns say each offer of the next one would change, and cost."""

from dataclasses import dataclass

import narwhals as nw
import numpy as np

from regulars import effects
from regulars.effects import EffectModel
from regulars.errors import DataError, DesignError
from regulars.planning.audience import Audience
from regulars.planning.campaign import Campaign, Offer
from regulars.planning.history import History
from regulars.planning.limits import to_minor
from regulars.tables import Lake


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What is expected of each of n guests and k offers, in minor units.

    gain, gain_se, cost, redemption: (n, k). model: what they come from, None where nothing is known; then gain is 0, and
    cost the most a voucher can cost. rows, campaigns: how many past exposures and campaigns it learned from.
    """

    gain: np.ndarray
    gain_se: np.ndarray
    cost: np.ndarray
    redemption: np.ndarray
    model: EffectModel | None
    rows: int = 0
    campaigns: int = 0

    @classmethod
    def none(cls, cost: np.ndarray) -> "Lessons":
        """Nothing is known."""
        unknown = np.full_like(cost, np.nan)
        return cls(gain=np.zeros_like(cost), gain_se=unknown, cost=cost, redemption=unknown, model=None)

    @property
    def basis_words(self) -> str:
        """What the numbers rest on, as every page says it."""
        return "nothing known yet" if self.model is None else self.model.basis_words

    @property
    def warnings(self) -> tuple[str, ...]:
        if self.model is None:
            return ("nothing is known yet: no past campaign can teach, so everybody who is not held out explores",)
        return self.model.warnings


def learn(history: History, campaign: Campaign) -> EffectModel:
    """A model of the past offers, and of those the campaign names that nobody was ever given.

    Its outcome is the campaign's (margin or spend in the window), less the subsidy. Raises DesignError where the past has
    nobody to compare with.
    """
    new = [name for offer in campaign.offers if (name := offer.learns_from) not in history.offers]
    return effects.fit(
        history.features,
        history.action,
        (history.margin if campaign.outcome == "margin" else history.amount) - history.cost,
        cost=history.cost,
        propensity=history.propensity if history.is_randomised else None,
        offers=(*history.offers, *dict.fromkeys(new)),
        cluster=history.guest,
        seed=campaign.seed,
    )


def apply_lessons(model: EffectModel, history: History, audience: Audience, campaign: Campaign) -> Lessons:
    """What the model expects of the audience, one column for each offer of the campaign.

    Raises DesignError where it rests on observation only and the campaign would not learn anything better.
    """
    if model.basis != "randomised" and (campaign.holdout == 0 or campaign.exploration == 0):
        raise DesignError(
            f"the past campaigns were not randomised, so their effects are {model.basis_words}; a plan from them must learn: "
            "set holdout and exploration above 0"
        )
    found = model.predict(audience.features(history.features.column_names, campaign.starts_on))
    column = [model.offers.index(offer.learns_from) for offer in campaign.offers]
    return Lessons(
        gain=found.gain[:, column],
        gain_se=found.gain_se[:, column],
        cost=np.maximum(found.cost[:, column], 0.0),
        redemption=found.redemption[:, column],
        model=model,
        rows=len(history),
        campaigns=len(np.unique(history.campaign)),
    )


def worst_costs(lake: Lake, campaign: Campaign) -> np.ndarray:
    """The most that a voucher of each offer can cost, minor units, shape (k,).

    Raises DataError where it depends on the price of a dish that the menu does not have.
    """
    return np.array([_worst_cost(lake, offer) for offer in campaign.offers])


def _worst_cost(lake: Lake, offer: Offer) -> float:
    currency = lake.settings.currency
    match offer.kind:
        case "amount_off":
            return to_minor(offer.amount, currency)
        case "percent_off":
            return to_minor(offer.most, currency)
        case "fixed_price":
            return max(_price(lake, offer) - to_minor(offer.amount, currency), 0.0)
        case _:
            return _price(lake, offer)


def _price(lake: Lake, offer: Offer) -> float:
    menu = lake.scan("menu_items").filter(nw.col("item_id") == offer.item_id).select("price_minor")
    prices = lake.collect(menu)["price_minor"].drop_null().to_pylist()
    if not prices:
        raise DataError(
            f"offer {offer.offer_id}: the menu has no price of item '{offer.item_id}'; load menu_items with price_minor"
        )
    return float(prices[0])
