"""Reading: the books of a few commands, with the locks that keep everybody else out of the same offers until the end.

The offers' rows are locked first, in the order of their ids; whatever changes a voucher, a cap or a budget holds the lock of
its offer, so what is read after that is what it will still be at the commit. On SQLite the transaction itself is the lock.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db.models import Sum

from regulars.offers import sql
from regulars.offers.books import Books, Redemption, canonical, terms_of
from regulars.offers.caps import Key, caps_of
from regulars.offers.commands import Cancel, Command, Expire, Issue, Release, RollBack, Validate
from regulars.offers.models import Alias, Entry, Halt, Offer, Person, Reservation, Store, Till, Usage, Voucher


def open_books(commands: Sequence[Command], *, now: dt.datetime, secret: bytes, zone: str) -> Books:
    """The books for these commands; call it inside a transaction. zone: of vouchers that name no store."""
    books = Books(now=now, secret=secret, zone=zone)
    codes, reservations, redemptions = (set(_named(commands, kind)) for kind in ("code", "reservation", "redemption"))
    books.offers = _locked(codes, reservations, redemptions, {c.offer_id for c in commands if isinstance(c, Issue)})
    books.halts = {(halt.kind, halt.key) for halt in sql.rows(Halt, "lifted_at is null", [])}
    books.revoked = _revoked({command.till for command in commands if command.till is not None})
    _read_redemptions(books, redemptions)
    _read_vouchers(books, codes, reservations)
    condition, stores = sql.among("store_id", _stores(books, commands))
    books.stores = {store.store_id: store for store in sql.rows(Store, condition, [stores])}
    _read_people(books, commands)
    _read_usages(books, commands)
    return books


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


def _stores(books: Books, commands: Sequence[Command]) -> set[str]:
    asked = {command.store_id for command in commands if isinstance(command, Validate)}
    entries = {str(redemption.entry.store_id) for redemption in books.redemptions.values()}
    return asked | entries | {reservation.store_id for reservation in books.held()}


def _locked(codes: set[str], reservations: set[str], redemptions: set[str], issued: set[str]) -> dict[str, Offer]:
    """The offers of all of these, locked in the order of their ids, so that nobody waits for somebody who waits for him."""
    concerned: list[str] = []
    parameters: list[object] = []
    for query, column, names in (
        ("select offer_id from offers_offer where ", "offer_id", issued),
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
    return {offer.offer_id: offer for offer in sql.rows(Offer, condition, parameters)}


_OF_RESERVATIONS = """
    select offer_id from offers_voucher v join offers_reservation r on r.voucher_id = v.id where r."""


def _revoked(tills: set[str]) -> set[str]:
    if not tills:
        return set()
    condition, ids = sql.among("till_id", tills)
    return tills - {till.till_id for till in sql.rows(Till, f"{condition} and revoked_at is null", [ids])}


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


def _read_vouchers(books: Books, codes: set[str], reservations: set[str]) -> None:
    known = {voucher.pk: voucher for voucher in books.vouchers.values()}
    if reservations:
        held = Reservation.objects.filter(reservation_id__in=reservations, is_open=True).select_related("voucher")
        for reservation in held:
            reservation.voucher = known.setdefault(reservation.voucher_id, reservation.voucher)
            books.reservations.setdefault(reservation.reservation_id, []).append(reservation)
    if missing := codes - books.vouchers.keys():
        condition, codes_given = sql.among("code", missing)
        for voucher in sql.rows(Voucher, condition, [codes_given]):
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


def _read_people(books: Books, commands: Sequence[Command]) -> None:
    """Each person once, whether a command names him or a redemption does."""
    tokens = {token for command in commands for token in books.tokens_of(command)}
    if tokens:
        found = Alias.objects.filter(token__in=tokens).select_related("person__root")
        roots = {alias.token: alias.person.root or alias.person for alias in found}
        known = {person.person_id: person for person in roots.values()}
        books.people = {token: known[person.person_id] for token, person in roots.items()}
        books.families = {person_id: [person] for person_id, person in known.items()}
        for member in Person.objects.filter(root__in=known):
            books.families[str(member.root_id)].append(member)
    persons = {member.person_id: member for family in books.families.values() for member in family}
    for redemption in books.redemptions.values():
        if (person := redemption.entry.person) is not None:
            redemption.entry.person = persons.setdefault(person.person_id, person)


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
    rows = sql.rows(Usage, f"{offers} and {names}", [of_offers, of_names])
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
    return {cap.key for cap in caps_of(offer.offer_id, terms, books.clock(store_id), at, persons)}
