"""The records of offers: offers, vouchers and their reservations, guests at the till, caps, halts and events. Private to this room.

What an offer has and what was used of it stands on its account in the ledger. Each table that commands touch has its shelf
beneath it.
"""

from django.db import models
from django.db.models import F, Q

from regulars.records.fields import index, never_negative, reference, text
from regulars.records.shelves import Shelf


class Offer(models.Model):
    """An offer. terms: as JSON. version: counts changes of them."""

    offer_id = text(primary_key=True)
    account = models.OneToOneField("ledger.Account", models.PROTECT)
    campaign_id = text(null=True, db_index=True)
    terms = models.TextField()
    version = models.IntegerField(default=1)
    made_at = models.DateTimeField()


OFFERS = Shelf(Offer, by="offer_id", changes="terms version")


class Version(models.Model):
    """The terms of an offer as they once were, for the vouchers that were issued then."""

    offer = reference("offers.Offer", related_name="versions")
    number = models.IntegerField()
    terms = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("offer", "number"), name="version_once"),)


VERSIONS = Shelf(Version, by="offer_id number")


class Issuance(models.Model):
    """Vouchers issued many at a time; what is not finished can be continued."""

    batch_id = text(primary_key=True)
    offer = reference("offers.Offer")
    wanted = models.BigIntegerField()
    issued = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(issued__gte=0, issued__lte=F("wanted")), name="issued_at_most_as_wanted"
            ),
        )


ISSUANCES = Shelf(Issuance, by="batch_id", changes="issued")


class Voucher(models.Model):
    """One issued instance of an offer. Its state follows from uses, holds and `closed`.

    version: of the offer's terms, which it keeps. uses, holds: redeemed and reserved uses, together at most most_uses.
    reserved_minor: what of the budget is set aside for it. closed: expired, cancelled or rolled_back, which end it; empty while it lives.
    """

    code = text(40, unique=True)
    offer = reference("offers.Offer")
    version = models.IntegerField(default=0)
    guest_id = text(null=True)
    batch = reference("offers.Issuance", null=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    most_uses = models.BigIntegerField(default=1)
    uses = models.BigIntegerField(default=0)
    holds = models.BigIntegerField(default=0)
    reserved_minor = models.BigIntegerField(default=0)
    closed = text(12, default="")

    class Meta:
        indexes = (
            models.Index(fields=("expires_at",), condition=Q(closed=""), name="voucher_still_open"),
            index("offer", name="voucher_of_offer"),
            index("guest_id", name="voucher_of_guest", has="guest_id"),
            index("batch", "id", name="voucher_of_batch", has="batch"),
        )
        constraints = (
            never_negative("voucher_counts", "uses", "holds", "reserved_minor"),
            models.CheckConstraint(condition=Q(most_uses__gte=F("uses") + F("holds")), name="voucher_used_once"),
        )


VOUCHERS = Shelf(Voucher, by="code", changes="uses holds reserved_minor closed", is_numbered=True)


class Reservation(models.Model):
    """A voucher kept for one bill until a time. minor: what is set aside for it beyond what the voucher has. counts: the caps it
    counts against, as in the ledger."""

    reservation_id = text(40)
    voucher = reference("offers.Voucher", to_field="code")
    till_id = text(32, null=True)
    store_id = text()
    order_id = text(null=True)
    person = reference("offers.Person", null=True)
    minor = models.BigIntegerField()
    at = models.DateTimeField()
    until = models.DateTimeField()
    counts = text(200, null=True)
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("reservation_id", "voucher"), name="reserved_once"),)
        indexes = (
            models.Index(fields=("voucher",), condition=Q(is_open=True), name="open_reservations"),
            models.Index(fields=("until",), condition=Q(is_open=True), name="open_until"),
        )


RESERVATIONS = Shelf(Reservation, by="reservation_id voucher_id", changes="is_open")


class Person(models.Model):
    """Somebody who was seen under one or more names. root: who they turned out to be, themselves at first."""

    person_id = text(32, primary_key=True)
    root = reference("self", null=True)

    class Meta:
        indexes = (index("root", name="person_of_root", has="root"),)


PEOPLE = Shelf(Person, by="person_id", changes="root_id")


class Link(models.Model):
    """Two persons whose names were seen together, and so are one; or are not, once somebody parted them. why: the kinds of names."""

    one = reference("offers.Person", related_name="+")
    other = reference("offers.Person", related_name="+")
    why = text(100)
    till_id = text(32, null=True)
    at = models.DateTimeField()
    parted_at = models.DateTimeField(null=True)
    parted_by = text(100, default="")
    reason = text(200, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("one", "other"), name="linked_once"),)
        indexes = (index("other", name="link_of_other"),)


LINKS = Shelf(Link, by="one_id other_id")


class Alias(models.Model):
    """A keyed hash of one of a person's names: guest id, phone, e-mail, device or card."""

    token = text(48, primary_key=True)
    person = reference("offers.Person")

    class Meta:
        indexes = (index("person", name="alias_of_person"),)


ALIASES = Shelf(Alias, by="token")


class Ordered(models.Model):
    """An order of somebody that we were told of, so that their first is known. Those with a voucher stand in the ledger.

    store_id: empty where nobody said; the same number at another store is another order. is_cancelled: told, also before the order.
    """

    person = reference("offers.Person")
    store_id = text(default="")
    order_id = text()
    at = models.DateTimeField()
    is_cancelled = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person", "order_id", "store_id"), name="ordered_once"),)


ORDERS = Shelf(Ordered, by="person_id order_id store_id", changes="is_cancelled")


class Usage(models.Model):
    """How much of a cap is used: of a guest, a day, an hour of a store, a minute."""

    offer = reference("offers.Offer")
    kind = text(12)
    key = text(100)
    used = models.BigIntegerField()
    most = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("offer", "key", "kind"), name="usage_of_one_cap"),
            models.CheckConstraint(condition=Q(used__gte=0, used__lte=F("most")), name="usage_within_cap"),
        )


USAGES = Shelf(Usage, by="offer_id kind key", changes="used most")


class Halt(models.Model):
    """A stop: of an offer, a campaign or a store. It holds until it is lifted."""

    kind = text(12)
    key = text()
    reason = text(200)
    by = text(100)
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "key"), condition=Q(lifted_at=None), name="halted_once"),
        )


HALTS = Shelf(Halt, by="kind key", changes="lifted_at")


class Watch(models.Model):
    """How many uses a minute of a campaign or a store are plausible: one more halts it. minute, used: the latest, and its uses."""

    kind = text(12)
    key = text()
    per_minute = models.BigIntegerField()
    minute = text(16, default="")
    used = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "key"), name="watched_once"),)


WATCHES = Shelf(Watch, by="kind key", changes="minute used", lock="kind, key")


class Mark(models.Model):
    """Until when something was done that is done again and again."""

    name = text(primary_key=True)
    at = models.DateTimeField()


class Event(models.Model):
    """What a point of sale or an app told us, as it said it. till: whose messageId it is, empty for the house."""

    till = text(32, default="")
    message_id = text(200)
    call = text(12)
    name = text(100, default="")
    body = models.JSONField()
    noted_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("message_id", "till"), name="told_once"),)
        indexes = (index("noted_at", name="event_noted"),)
