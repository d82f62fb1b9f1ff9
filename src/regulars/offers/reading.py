"""Reading: the books of a few commands, with the locks that keep everybody else out of the same offers until the end.

The offers' rows are locked first, in the order of their ids; whatever changes a voucher, a cap or a budget holds the lock of
its offer, so what is read after that is what it will still be at the commit. On SQLite the transaction itself is the lock.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db.models import Sum

from regulars.offers import sql
from regulars.offers.books import Books, Redemption, canonical, terms_of
from regulars.offers.caps import Key, caps_of
from regulars.offers.commands import (
    Cancel,
    Command,
    Define,
    Expire,
    Issue,
    Release,
    Resume,
    RollBack,
    Stop,
    Validate,
)
from regulars.offers.models import (
    Alias,
    Entry,
    Halt,
    Offer,
    Ordered,
    Person,
    Receipt,
    Reservation,
    Store,
    Till,
    Usage,
    Voucher,
    Watch,
)  # fmt: skip


def open_books(commands: Sequence[Command], *, now: dt.datetime, secret: bytes, zone: str) -> Books:
    """The books for these commands; call it inside a transaction. zone: of vouchers that name no store."""
    books = Books(now=now, secret=secret, zone=zone)
    codes, reservations, redemptions, offers = (
        set(_named(commands, kind)) for kind in ("code", "reservation", "redemption", "offer")
    )
    books.offers = _locked(codes, reservations, redemptions, offers)
    vouchers, watches = _read_standing(books, commands, codes)
    _read_redemptions(books, redemptions)
    _read_vouchers(books, vouchers, reservations)
    _read_other_stores(books)
    _read_watches(books, watches)
    read_people(books, {token for command in commands for token in books.tokens_of(command)})
    _read_orders(books)
    _read_usages(books, commands)
    books.issued = _issued({command.offer_id for command in commands if isinstance(command, Define)})
    return books


def _read_standing(books: Books, commands: Sequence[Command], codes: set[str]) -> tuple[list[Voucher], list[Watch]]:
    """What every command may look at: what was said under its key, who asks, where, and what is halted."""
    tills = {command.till for command in commands if command.till is not None}
    stores = {command.store_id for command in commands if isinstance(command, Validate)}
    receipts, halts, watches, standing, vouchers, at_stores = sql.read(
        sql.within(Receipt, "key", {command.key for command in commands if command.key}),
        sql.Question(Halt, "lifted_at is null"),
        sql.Question(Watch, "true"),
        sql.within(Till, "till_id", tills, "revoked_at is null"),
        sql.within(Voucher, "code", codes),
        sql.within(Store, "store_id", stores),
    )
    books.receipts = {(receipt.till, receipt.key): receipt for receipt in receipts}
    books.halts = {(halt.kind, halt.key): halt for halt in halts}
    books.revoked = tills - {till.till_id for till in standing}
    books.stores = {store.store_id: store for store in at_stores}
    return vouchers, watches


def _named(commands: Sequence[Command], kind: str) -> Iterable[str]:
    for command in commands:
        match kind, command:
            case "code", Validate():
                yield from filter(None, map(canonical, command.codes))
            case "code", Cancel(code=str(text)) | Expire(code=str(text)) | Issue(code=str(text)):
                yield from filter(None, [canonical(text)])
            case "reservation", Release():
                yield command.reservation_id
            case "reservation", Validate(reservation_id=str(known)):
                yield known
            case "redemption", RollBack():
                yield command.redemption_id
            case "offer", Issue() | Define():
                yield command.offer_id
            case "offer", Stop(kind="offer") | Resume(kind="offer"):
                yield command.whose


def _locked(codes: set[str], reservations: set[str], redemptions: set[str], offers: set[str]) -> dict[str, Offer]:
    """The offers of all of these, locked in the order of their ids, so that nobody waits for somebody who waits for him."""
    concerned: list[str] = []
    parameters: list[object] = []
    for query, column, names in (
        ("select offer_id from offers_offer where ", "offer_id", offers),
        ("select offer_id from offers_voucher where ", "code", codes),
        ("select offer_id from offers_entry where ", "reference", redemptions),
        (_OF_RESERVATIONS, "reservation_id", reservations),
    ):
        if names:
            condition, parameter = sql.among(column, names)
            concerned.append(query + condition)
            parameters.append(parameter)
    if not concerned:
        return {}
    condition = f"offer_id in ({' union all '.join(concerned)}) order by offer_id{sql.locked()}"
    [found] = sql.read(sql.Question(Offer, condition, tuple(parameters)))
    return {offer.offer_id: offer for offer in found}


_OF_RESERVATIONS = """
    select offer_id from offers_voucher v join offers_reservation r on r.voucher_id = v.id where r."""


def _issued(offers: set[str]) -> set[str]:
    """Offers that have vouchers."""
    if not offers:
        return set()
    return {known for known in offers if Voucher.objects.filter(offer=known).exists()}


def _read_other_stores(books: Books) -> None:
    """Where the redemptions and reservations were made that are now given back or claimed."""
    concerned = {str(redemption.entry.store_id) for redemption in books.redemptions.values()}
    missing = (concerned | {reservation.store_id for reservation in books.held()}) - books.stores.keys()
    if missing:
        [found] = sql.read(sql.within(Store, "store_id", missing))
        books.stores |= {store.store_id: store for store in found}


def _read_watches(books: Books, watches: Iterable[Watch]) -> None:
    """The watches that a use may count for, locked in the order of their names: their meters belong to many offers."""
    campaigns = {offer.campaign_id for offer in books.offers.values()}
    concerned = [
        watch.pk for watch in watches if watch.key in (campaigns if watch.kind == "campaign" else books.stores)
    ]
    if concerned:
        found = Watch.objects.select_for_update().filter(pk__in=concerned).order_by("kind", "key")
        books.watches = {(watch.kind, watch.key): watch for watch in found}


def _read_redemptions(books: Books, references: set[str]) -> None:
    if not references:
        return
    given = Entry.objects.filter(reference__in=references, verb="redeemed").select_related("voucher", "person")
    back = Entry.objects.filter(of__in=references, verb="rolled_back").values_list("of_id")
    returned = {of: (-minor, uses < 0) for of, minor, uses in back.annotate(Sum("spent_minor"), Sum("spent_uses"))}
    for entry in given:
        _owned(books, [entry.voucher])
        entry.offer = books.offers[entry.offer_id]
        books.redemptions[entry.reference] = Redemption(
            entry, entry.voucher, *returned.get(entry.reference, (0, False))
        )


def _read_vouchers(books: Books, vouchers: Iterable[Voucher], reservations: set[str]) -> None:
    known = {voucher.pk: voucher for voucher in books.vouchers.values()}
    if reservations:
        held = Reservation.objects.filter(reservation_id__in=reservations, is_open=True).select_related("voucher")
        for reservation in held:
            reservation.voucher = known.setdefault(reservation.voucher_id, reservation.voucher)
            books.reservations.setdefault(reservation.reservation_id, []).append(reservation)
    for voucher in vouchers:
        known.setdefault(voucher.pk, voucher)
    _owned(books, known.values())
    _read_overdue(books, known)


def _read_overdue(books: Books, known: dict[int, Voucher]) -> None:
    """Reservations whose time is up, which the next command may sweep."""
    holders = [pk for pk, voucher in known.items() if voucher.holds]
    if not holders:
        return
    claimed = {reservation.pk: reservation for reservation in books.held()}
    for row in Reservation.objects.filter(voucher__in=holders, is_open=True, until__lte=books.now):
        reservation = claimed.get(row.pk, row)
        reservation.voucher = known[row.voucher_id]
        books.overdue.setdefault(reservation.voucher.code, []).append(reservation)


def _owned(books: Books, vouchers: Iterable[Voucher]) -> None:
    """Each voucher once, with the very offer that is locked."""
    for voucher in vouchers:
        voucher.offer = books.offers[voucher.offer_id]
        books.vouchers[voucher.code] = voucher


def read_people(books: Books, tokens: set[str]) -> None:
    """Who stands behind these names; each person once, whether a command names him or a redemption does."""
    if tokens:
        condition, given = sql.among("a.token", tokens)
        family = sql.Question(Person, _FAMILY.format(condition), (given, given))
        aliases, people = sql.read(sql.within(Alias, "token", tokens), family)
        known = {person.person_id: person for person in people}
        roots = {alias.token: known[alias.person_id].root_id or alias.person_id for alias in aliases}
        books.people = {token: known[root] for token, root in roots.items()}
        books.families = {person.person_id: [person] for person in books.people.values()}
        for member in known.values():
            if member.root_id is not None:
                books.families[member.root_id].append(member)
    persons = {member.person_id: member for family in books.families.values() for member in family}
    for redemption in books.redemptions.values():
        if (person := redemption.entry.person) is not None:
            redemption.entry.person = persons.setdefault(person.person_id, person)


_ROOTS = """
    select coalesce(p.root_id, p.person_id) from offers_alias a join offers_person p on p.person_id = a.person_id where {0}"""
_FAMILY = f"person_id in ({_ROOTS} union select person_id from offers_person where root_id in ({_ROOTS}))"  # noqa: S608


def _read_orders(books: Books) -> None:
    """What everybody ordered before, where a voucher at hand is for a first order."""
    if not any(terms_of(voucher.offer.terms).first_order_only for voucher in books.vouchers.values()):
        return
    persons = {member.person_id for family in books.families.values() for member in family}
    used = Entry.objects.filter(person__in=persons, verb__in=("redeemed", "rolled_back")).order_by()
    told = Ordered.objects.filter(person__in=persons)
    for person_id, order_id, uses in (
        *used.values_list("person_id", "order_id").annotate(Sum("spent_uses")),
        *((person_id, order_id, 1) for person_id, order_id in told.values_list("person_id", "order_id")),
    ):
        books.orders.setdefault(person_id, Counter())[order_id] += uses


def _read_usages(books: Books, commands: Sequence[Command]) -> None:
    keys = {key for command in commands for key in _keys(books, command)}
    counted = [(row.voucher.offer, row.store_id, row.at, row.person_id) for row in books.held()]
    given = [redemption.entry for redemption in books.redemptions.values()]
    counted += [(row.offer, str(row.store_id), row.counted_at, row.person_id) for row in given]
    for offer, store_id, at, person_id in counted:
        keys |= _of(books, offer, store_id, at, {person_id} if person_id else set())
    if not keys:
        return
    offers, of_offers = sql.among("offer_id", {key[0] for key in keys})
    names, of_names = sql.among("key", {key[2] for key in keys})
    [rows] = sql.read(sql.Question(Usage, f"{offers} and {names}", (of_offers, of_names)))
    books.usages = {key: row for row in rows if (key := (row.offer_id, row.kind, row.key)) in keys}


def _keys(books: Books, command: Command) -> set[Key]:
    """Whatever caps a command may take of."""
    if not isinstance(command, Validate) or command.store_id not in books.stores:
        return set()
    vouchers = (books.voucher(text) for text in command.codes)
    persons = {member.person_id for token in books.tokens_of(command) for member in books.family(token)}
    found = [_of(books, voucher.offer, command.store_id, command.at, persons) for voucher in vouchers if voucher]
    return set().union(*found)


def _of(books: Books, offer: Offer, store_id: str, at: dt.datetime, persons: set[str]) -> set[Key]:
    terms = terms_of(offer.terms)
    return {cap.key for cap in caps_of(offer.offer_id, terms, store_id, books.clock(store_id), at, persons)}
