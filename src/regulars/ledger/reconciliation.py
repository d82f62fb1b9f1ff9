"""Reconciliation: every account is worked out again from its entries. Any difference is a defect."""

from collections.abc import Iterator

from django.db.models import Sum

from regulars.ledger.accounts import amounts_of
from regulars.ledger.models import Account, Entry
from regulars.records.rooms import Drift


def drifts() -> Iterator[Drift]:
    """Every amount of an account that is not what its entries add up to."""
    names = [field.attname for field in Account._meta.concrete_fields if not field.primary_key]
    sums = {f"sum_{name}": Sum(name) for name in names}
    counted = {row.pop("account"): row for row in Entry.objects.order_by().values("account").annotate(**sums)}
    for account in Account.objects.all():
        found = counted.get(account.account_id, {})
        for name, kept in amounts_of(account).items():
            if kept != (total := found.get(f"sum_{name}", 0)):
                yield Drift("account", account.account_id, name, kept, total)
