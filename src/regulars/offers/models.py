"""The records: offers with their accounts, vouchers, and the ledger. Private to this room; enter by the actions.

Every entry of the ledger moves money between the budget, what is free, what is reserved and what is spent, and uses
between the cap and the same three. It balances by itself (`budget = free + reserved + spent`, a constraint), and so does
every offer's account, at every commit.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q

_ACCOUNTS = ("free", "reserved", "spent")


class Text(models.CharField):
    """A short text. On PostgreSQL Django would give each that is indexed a second index, for LIKE, which nobody asks of ids."""

    def db_type(self, connection: Any) -> str | None:
        found: str | None = super().db_type(connection)
        return found and found.replace("varchar", "character varying")


def _text(most: int = 64, **more: object) -> "models.CharField[str, str]":
    return Text(max_length=most, **more)


def _to(table: "type[models.Model] | str", **more: object) -> "models.ForeignKey[Any, Any]":
    """A reference; those that are looked up by have their index among the table's own."""
    return models.ForeignKey(table, models.PROTECT, db_index=False, **more)


def _index(*fields: str, name: str, has: str = "") -> models.Index:
    """An index; has: of the rows that have a value here, which is the fewest."""
    return models.Index(fields=fields, name=name, condition=Q(**{f"{has}__isnull": False}) if has else None)


def _balances(name: str, whole: str, unit: str) -> models.CheckConstraint:
    parts = F(f"free_{unit}") + F(f"reserved_{unit}") + F(f"spent_{unit}")
    return models.CheckConstraint(condition=Q(**{whole: parts}), name=name)


def _never_negative(name: str, *fields: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__gte": 0 for field in fields}), name=name)


class Account(models.Model):
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


class Store(models.Model):
    """A place where vouchers are taken, and its clock."""

    store_id = _text(primary_key=True)
    zone = _text()
    day_closes_at = _text(5, default="04:00")


class Till(models.Model):
    """Who may ask: a point of sale, an app, a colleague's script. digest: of the secret, which is shown once. stores: where,
    null for everywhere."""

    till_id = _text(32, primary_key=True)
    name = _text(100)
    digest = _text(64)
    scopes = models.JSONField()
    stores = models.JSONField(null=True)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class Offer(Account):
    """An offer and its account. terms: as JSON. version: counts changes of them."""

    offer_id = _text(primary_key=True)
    campaign_id = _text(null=True, db_index=True)
    terms = models.TextField()
    version = models.IntegerField(default=1)
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            _balances("offer_money_balances", "budget_minor", "minor"),
            _balances("offer_uses_balance", "cap", "uses"),
            _never_negative(
                "offer_never_overspent", *(f"{account}_{unit}" for account in _ACCOUNTS for unit in ("minor", "uses"))
            ),
        )


class Issuance(models.Model):
    """Vouchers issued many at a time; what is not finished can be continued."""

    batch_id = _text(primary_key=True)
    offer = _to(Offer)
    wanted = models.BigIntegerField()
    issued = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(issued__gte=0, issued__lte=F("wanted")), name="issued_at_most_as_wanted"
            ),
        )


class Voucher(models.Model):
    """One issued instance of an offer. Its state follows from uses, holds and `closed`.

    uses, holds: redeemed and reserved uses, together at most most_uses. reserved_minor: what of the budget is set aside for
    it. closed: expired, cancelled or rolled_back, which end it; empty while it lives.
    """

    code = _text(40, unique=True)
    offer = _to(Offer)
    guest_id = _text(null=True)
    batch = _to(Issuance, null=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    most_uses = models.BigIntegerField(default=1)
    uses = models.BigIntegerField(default=0)
    holds = models.BigIntegerField(default=0)
    reserved_minor = models.BigIntegerField(default=0)
    closed = _text(12, default="")

    class Meta:
        indexes = (
            models.Index(fields=("expires_at",), condition=Q(closed=""), name="voucher_still_open"),
            _index("offer", name="voucher_of_offer"),
            _index("guest_id", name="voucher_of_guest", has="guest_id"),
            _index("batch", "id", name="voucher_of_batch", has="batch"),
        )
        constraints = (
            _never_negative("voucher_counts", "uses", "holds", "reserved_minor"),
            models.CheckConstraint(condition=Q(most_uses__gte=F("uses") + F("holds")), name="voucher_used_once"),
        )


class Reservation(models.Model):
    """A voucher kept for one bill until a time. minor: what is set aside for it beyond what the voucher has."""

    reservation_id = _text(40)
    voucher = _to(Voucher)
    till_id = _text(32, null=True)
    store_id = _text()
    order_id = _text(null=True)
    person = _to("Person", null=True)
    minor = models.BigIntegerField()
    at = models.DateTimeField()
    until = models.DateTimeField(db_index=True)
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("reservation_id", "voucher"), name="reserved_once"),)
        indexes = (models.Index(fields=("voucher",), condition=Q(is_open=True), name="open_reservations"),)


class Person(models.Model):
    """Somebody who was seen under one or more names. root: who he turned out to be, himself at first."""

    person_id = _text(32, primary_key=True)
    root = _to("self", null=True)

    class Meta:
        indexes = (_index("root", name="person_of_root", has="root"),)


class Alias(models.Model):
    """A keyed hash of one of a person's names: guest id, phone, e-mail, device or card."""

    token = _text(48, primary_key=True)
    person = _to(Person)


class Ordered(models.Model):
    """An order of somebody that we were told of, so that his first is known. Those with a voucher stand in the ledger."""

    person = _to(Person)
    order_id = _text()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person", "order_id"), name="ordered_once"),)


class Usage(models.Model):
    """How much of a cap is used: of a guest, a day, an hour of a store, a minute."""

    offer = _to(Offer)
    kind = _text(12)
    key = _text(100)
    used = models.BigIntegerField()
    most = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("offer", "key", "kind"), name="usage_of_one_cap"),
            models.CheckConstraint(condition=Q(used__gte=0, used__lte=F("most")), name="usage_within_cap"),
        )


class Entry(Account):
    """One line of the ledger: never changed, never deleted.

    reference: the entry's own name; a redemption's is its redemption_id. of: the redemption that is given back. at: when it
    happened; noted_at: when we wrote it; counted_at: the instant whose day and hour it counts against. What moved is in the
    amounts, of which budget and cap are what came in; platform_minor: the platform's part of what was spent.
    """

    reference = _text(40, unique=True)
    verb = _text(12)
    offer = _to(Offer)
    voucher = _to(Voucher, null=True)
    of = _to("self", null=True, to_field="reference")
    at = models.DateTimeField()
    noted_at = models.DateTimeField()
    counted_at = models.DateTimeField(null=True)
    till_id = _text(32, null=True)
    store_id = _text(null=True)
    order_id = _text(null=True)
    guest_id = _text(null=True)
    person = _to(Person, null=True)
    bill_minor = models.BigIntegerField(null=True)
    reason = _text(200, default="")
    platform_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            _balances("entry_money_balances", "budget_minor", "minor"),
            _balances("entry_uses_balance", "cap", "uses"),
        )
        indexes = (
            _index("voucher", name="entry_of_voucher", has="voucher"),
            _index("of", name="entry_of_redemption", has="of"),
            _index("person", name="entry_of_person", has="person"),
            _index("order_id", name="entry_of_order", has="order_id"),
            _index("noted_at", name="entry_noted"),
        )


class Halt(models.Model):
    """A stop: of an offer, a campaign or a store. It holds until it is lifted."""

    kind = _text(12)
    key = _text()
    reason = _text(200)
    by = _text(100)
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "key"), condition=Q(lifted_at=None), name="halted_once"),
        )


class Watch(models.Model):
    """How many uses a minute of a campaign or a store are plausible: one more halts it. minute, used: the latest, and its uses."""

    kind = _text(12)
    key = _text()
    per_minute = models.BigIntegerField()
    minute = _text(16, default="")
    used = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "key"), name="watched_once"),)


class Receipt(models.Model):
    """What was said of a command, kept in the same transaction as its effect. till: empty for the house."""

    till = _text(32, default="")
    key = _text(128)
    fingerprint = _text(64)
    status = models.IntegerField()
    text = models.TextField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("key", "till"), name="answered_once"),)


class Mark(models.Model):
    """Until when something was done that is done again and again."""

    name = _text(primary_key=True)
    at = models.DateTimeField()


class Event(models.Model):
    """What a point of sale or an app told us, as it said it. till: whose messageId it is, empty for the house."""

    till = _text(32, default="")
    message_id = _text(200)
    call = _text(12)
    name = _text(100, default="")
    body = models.JSONField()
    noted_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("message_id", "till"), name="told_once"),)
        indexes = (_index("noted_at", name="event_noted"),)
