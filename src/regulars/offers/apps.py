"""The Django app of offers, vouchers and their ledger."""

from django.apps import AppConfig


class Offers(AppConfig):
    """Its tables begin with `offers_`."""

    name = "regulars.offers"
    label = "offers"
    default_auto_field = "django.db.models.BigAutoField"
