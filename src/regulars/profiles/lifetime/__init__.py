"""Lifetime: whether a guest will come again, how often, and what it will bring."""

from regulars.profiles.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from regulars.profiles.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from regulars.profiles.lifetime.holdout import HoldoutCheck, HoldoutTenth, holdout_check
from regulars.profiles.lifetime.outlook import Histories, fit_values, fit_visits, histories, outlook
from regulars.profiles.lifetime.worth import value_quantiles

__all__ = [
    "BgNbd",
    "GammaGamma",
    "Histories",
    "HoldoutCheck",
    "HoldoutTenth",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_values",
    "fit_visits",
    "histories",
    "holdout_check",
    "outlook",
    "value_quantiles",
]
