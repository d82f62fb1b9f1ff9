"""Learning: what past campaigns say each offer of the next one would change, and cost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import narwhals as nw
import numpy as np

from regulars import effects
from regulars.effects import EffectModel
from regulars.effects.balance import lottery_doubts
from regulars.effects.sentences import of_basis
from regulars.effects.trial import read_trial
from regulars.errors import DataError, DesignError
from regulars.planning.audience import Audience
from regulars.planning.baseline import can_fit
from regulars.planning.campaign import Campaign, Offer
from regulars.planning.history import History
from regulars.planning.response import Response
from regulars.tables import Lake
from regulars.wording import Sentence

FEWEST = 20
"""With fewer guests who redeemed, who did not, who came and who did not, no response is learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What is expected of each of n guests and k offers, in minor units.

    gain, gain_se, cost, redemption: (n, k). basis: what they rest on, None where nothing is known; then gain is 0, and cost
    what the campaign expects of a first voucher. rows, campaigns: how many past exposures and campaigns it learned from.
    warnings: what must be known before trusting this.
    """

    gain: np.ndarray
    gain_se: np.ndarray
    cost: np.ndarray
    redemption: np.ndarray
    basis: str | None
    warnings: tuple[Sentence, ...]
    study: Callable[[], EffectModel] | None = None
    rows: int = 0
    campaigns: int = 0

    @classmethod
    def none(cls, cost: np.ndarray) -> "Lessons":
        """Nothing is known."""
        unknown = np.full_like(cost, np.nan)
        why = Sentence("nothing_known_yet")
        return cls(
            gain=np.zeros_like(cost), gain_se=unknown, cost=cost, redemption=unknown, basis=None, warnings=(why,)
        )

    @property
    def is_known(self) -> bool:
        return self.basis is not None

    @property
    def model(self) -> EffectModel | None:
        """The effects of past offers, as a report shows them; fitted when it is first asked for. None where nothing is known."""
        return None if self.study is None else self.study()

    @property
    def basis_words(self) -> Sentence:
        """What the numbers rest on, as every page says it."""
        return of_basis(self.basis or "unknown")


def with_costs(lake: Lake, history: History, campaign: Campaign) -> tuple[History, tuple[Sentence, ...]]:
    """The history with a cost for every redemption, and what was taken where the past does not say it.

    Where no redemption of the past has a cost, each counts as the most that the campaign's offer can cost.
    """
    unknown = np.isnan(history.cost)
    if not unknown.any():
        return history, ()
    worst = dict(zip((o.learns_from for o in campaign.offers), worst_costs(lake, campaign), strict=True))
    each = np.array([worst.get(name, max(worst.values())) for name in history.offers])
    cost = np.where(unknown, np.where(history.action >= 0, each[history.action], 0.0), history.cost)
    return replace(history, cost=cost), (Sentence("past_costs_unknown", redemptions=int(unknown.sum())),)


def learn(history: History, campaign: Campaign) -> EffectModel:
    """A model of the past offers, and of those the campaign names that nobody was ever given.

    Its outcome is the campaign's (margin or spend in the window), which is after the subsidy. Raises DesignError where the past has
    nobody to compare with.
    """
    history = _with_new_offers(history, campaign)
    return effects.fit(
        history.features,
        history.action,
        _outcome(history, campaign),
        cost=history.cost,
        propensity=history.propensity if history.is_randomised else None,
        offers=history.offers,
        cluster=history.guest,
        seed=campaign.seed,
    )


def apply_lessons(lake: Lake, history: History, audience: Audience, campaign: Campaign) -> Lessons:
    """What the past tells of the audience, one column for each offer of the campaign.

    Where past assignments were drawn by lot and enough was redeemed, it is the response (`regulars.planning.response`);
    otherwise it is what a model of effects says. Raises DesignError where it rests on observation only and the campaign would
    not learn anything better.
    """
    history, guessed = with_costs(lake, history, campaign)
    study = cache(lambda: learn(history, campaign))
    if _tells_response(history, campaign):
        lessons = _from_response(lake, history, audience, campaign, study)
    else:
        lessons = _from_effects(history, audience, campaign, study)
    return replace(lessons, warnings=(*lessons.warnings, *guessed))


def _tells_response(history: History, campaign: Campaign) -> bool:
    return history.is_randomised and can_fit(history, _outcome(history, campaign) + history.cost, fewest=FEWEST)


def _doubts(history: History, campaign: Campaign) -> tuple[Sentence, ...]:
    """Why the logged propensities cannot be those of a lottery; empty if they can."""
    trial = read_trial(
        history.features, history.action, _outcome(history, campaign), cost=history.cost, propensity=history.propensity,
        offers=history.offers, cluster=history.guest,
    )  # fmt: skip
    return tuple(lottery_doubts(trial))


def _from_response(
    lake: Lake, history: History, audience: Audience, campaign: Campaign, study: Callable[[], EffectModel]
) -> Lessons:
    known = _with_new_offers(history, campaign)
    adds = {offer.learns_from: _adds(lake, offer) for offer in campaign.offers}
    before_subsidy = _outcome(history, campaign) + history.cost
    response = Response.fit(known, before_subsidy, adds=np.array([adds.get(name, 0.0) for name in known.offers]))
    column = [known.offers.index(offer.learns_from) for offer in campaign.offers]
    doubts = _doubts(history, campaign)
    _refuse_to_guess(campaign, "adjusted" if doubts else "randomised")
    gain, error, cost, redemption = (values[:, column] for values in response.predict(audience.profiles))
    return Lessons(
        gain=gain, gain_se=error, cost=cost, redemption=redemption, basis="adjusted" if doubts else "randomised",
        warnings=(*doubts, *_untried(history, campaign)), study=study, rows=len(history), campaigns=len(np.unique(history.campaign)),
    )  # fmt: skip


def _from_effects(
    history: History, audience: Audience, campaign: Campaign, study: Callable[[], EffectModel]
) -> Lessons:
    model = study()
    _refuse_to_guess(campaign, model.basis)
    found = model.predict(audience.features(history.features.column_names, campaign.starts_on))
    column = [model.offers.index(offer.learns_from) for offer in campaign.offers]
    return Lessons(
        gain=found.gain[:, column],
        gain_se=found.gain_se[:, column],
        cost=np.maximum(found.cost[:, column], 0.0),
        redemption=found.redemption[:, column],
        basis=model.basis,
        warnings=model.warnings,
        study=study,
        rows=len(history),
        campaigns=len(np.unique(history.campaign)),
    )


def _refuse_to_guess(campaign: Campaign, basis: str) -> None:
    if basis != "randomised" and (campaign.holdout == 0 or campaign.exploration == 0):
        raise DesignError(
            f"the past campaigns were not randomised, so their effects are {of_basis(basis)}; a plan from them must learn: "
            "set holdout and exploration above 0"
        )


def _outcome(history: History, campaign: Campaign) -> np.ndarray:
    return history.margin if campaign.outcome == "margin" else history.amount


def _with_new_offers(history: History, campaign: Campaign) -> History:
    new = [name for offer in campaign.offers if (name := offer.learns_from) not in history.offers]
    return replace(history, offers=(*history.offers, *dict.fromkeys(new)))


def _untried(history: History, campaign: Campaign) -> tuple[Sentence, ...]:
    """A warning for each offer that nobody was ever given."""
    tried = {history.offers[index] for index in np.unique(history.action[history.action >= 0])}
    new = [offer.offer_id for offer in campaign.offers if offer.learns_from not in tried]
    return tuple(Sentence("offer_untried", offer=name) for name in new)


def first_costs(lake: Lake, campaign: Campaign) -> np.ndarray:
    """What a voucher of each offer is taken to cost while nothing is known, minor units, shape (k,): the most that it can cost,
    times the share of vouchers that the campaign expects to be redeemed.

    Raises DataError where it depends on the price of a dish that the menu does not have.
    """
    return campaign.expected_redemption * worst_costs(lake, campaign)


def worst_costs(lake: Lake, campaign: Campaign) -> np.ndarray:
    """The most that a voucher of each offer can cost, minor units, shape (k,)."""
    currency = lake.settings.currency
    worst = [offer.benefit(currency, partial(_price, lake, offer)).worst_minor for offer in campaign.offers]
    return np.array(worst, dtype=np.float64)


def _adds(lake: Lake, offer: Offer) -> float:
    """What the dish of an offer leaves on an order at its menu price, minor units; 0 for offers without a dish."""
    if offer.item_id is None:
        return 0.0
    menu = lake.scan("menu_items").filter(nw.col("item_id") == offer.item_id).select("price_minor", "cost_minor")
    rows = [row for row in lake.collect(menu).to_pylist() if row["price_minor"] is not None]
    if not rows:
        return 0.0
    price, cost = rows[0]["price_minor"], rows[0]["cost_minor"]
    return float(price * (lake.settings.margin_rate or 0.0) if cost is None else price - cost)


def _price(lake: Lake, offer: Offer, item_id: str) -> float:
    menu = lake.scan("menu_items").filter(nw.col("item_id") == item_id).select("price_minor")
    prices = lake.collect(menu)["price_minor"].drop_null().to_pylist()
    if not prices:
        raise DataError(
            f"offer {offer.offer_id}: the menu has no price of item '{item_id}'; load menu_items with price_minor"
        )
    return float(prices[0])
