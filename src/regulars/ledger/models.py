"""The records of the ledger. Private to this room.

Every entry moves money between the budget, what is free, what is reserved and what is spent, and uses between the cap and the
same three. It balances by itself (`budget = free + reserved + spent`, a constraint), and so does every account, at every commit.
"""

from django.db import models
from django.db.models import F, Q

from regulars.records import fields
from regulars.records.fields import index, never_negative

_PLACES = ("free", "reserved", "spent")


def _balances(name: str, whole: str, unit: str) -> models.CheckConstraint:
    parts = F(f"free_{unit}") + F(f"reserved_{unit}") + F(f"spent_{unit}")
    return models.CheckConstraint(condition=Q(**{whole: parts}), name=name)


class Amounts(models.Model):
    """Money and uses: what there is in all, and where it is."""

    budget_minor = models.BigIntegerField(default=0)
    free_minor = models.BigIntegerField(default=0)
    reserved_minor = models.BigIntegerField(default=0)
    spent_minor = models.BigIntegerField(default=0)
    cap = models.BigIntegerField(default=0)
    free_uses = models.BigIntegerField(default=0)
    reserved_uses = models.BigIntegerField(default=0)
    spent_uses = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class Account(Amounts):
    """What something limited has, and how much of it is used. account_id: the kind of thing and its id, as in offer/lunch."""

    account_id = fields.text(80, primary_key=True)

    class Meta:
        constraints = (
            _balances("account_money_balances", "budget_minor", "minor"),
            _balances("account_uses_balance", "cap", "uses"),
            never_negative(
                "account_never_overspent", *(f"{place}_{unit}" for place in _PLACES for unit in ("minor", "uses"))
            ),
        )


class Entry(Amounts):
    """One line of the ledger: never changed, never deleted.

    reference: the entry's own name; a redemption's is its redemption_id. subject: the number of what it is about, such as a
    voucher. of: what is given back. at: when it happened; noted_at: when we wrote it; counted_at: the instant whose day and hour
    it counts against; counts: the caps it counts against, a line each, null where the terms say. guest_id: sealed.
    What moved is in the amounts, of which budget and cap are what came in; platform_minor: the platform's part
    of what was spent.
    """

    reference = fields.text(40, unique=True)
    verb = fields.text(12)
    account = fields.reference("ledger.Account")
    subject = models.BigIntegerField(null=True)
    of = fields.reference("self", null=True, to_field="reference")
    at = models.DateTimeField()
    noted_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True)
    till_id = fields.text(32, null=True)
    store_id = fields.text(null=True)
    order_id = fields.text(null=True)
    counts = fields.text(200, null=True)
    guest_id = fields.text(400, null=True)
    person_id = fields.text(32, null=True)
    bill_minor = models.BigIntegerField(null=True)
    reason = fields.text(200, default="")
    platform_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            _balances("entry_money_balances", "budget_minor", "minor"),
            _balances("entry_uses_balance", "cap", "uses"),
        )
        indexes = (
            index("subject", name="entry_of_subject", has="subject"),
            index("of", name="entry_of_another", has="of"),
            index("person_id", name="entry_of_person", has="person_id"),
            index("order_id", name="entry_of_order", has="order_id"),
            index("noted_at", name="entry_noted"),
        )


class Receipt(models.Model):
    """What became of a command and what was said of it, kept in the same transaction as its effect.

    till: empty for the house. outcome: `done`, or the code of a refusal. text: the answer, which is said again to the byte.
    """

    till = fields.text(32, default="")
    key = fields.text(128)
    fingerprint = fields.text(64)
    outcome = fields.text(40)
    text = models.TextField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("key", "till"), name="answered_once"),)
