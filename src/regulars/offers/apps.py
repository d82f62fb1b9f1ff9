"""The Django app of offers and vouchers."""

from collections.abc import Iterable

from regulars.records.rooms import Drift, Room


class Offers(Room):
    """Its tables begin with `offers_`."""

    name = "regulars.offers"
    label = "offers"

    def drifts(self) -> Iterable[Drift]:
        from regulars.offers.reconciliation import drifts

        return drifts()
