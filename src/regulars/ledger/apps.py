"""The Django app of accounts, their entries, and receipts of commands."""

from collections.abc import Iterable

from regulars.records.rooms import Drift, Room


class Ledger(Room):
    """Its tables begin with `ledger_`."""

    name = "regulars.ledger"
    label = "ledger"

    def drifts(self) -> Iterable[Drift]:
        from regulars.ledger.reconciliation import drifts

        return drifts()
