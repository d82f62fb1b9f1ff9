"""Tills: who may ask for what, and where. A token is shown once; what is kept is its digest."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from django.db import connection

from regulars.access import models
from regulars.access.scopes import Own
from regulars.errors import DataError
from regulars.records.shelves import Shelf

SCOPES = ("redeem", "issue", "offers", "halt", "events", "metrics")
"""redeem: validate, reserve, redeem, give back, look up. The others are what they say."""

TILLS = Shelf(models.Till, by="till_id")
_TOKEN = re.compile(r"rk_([a-z2-7]{16})_([A-Za-z0-9_-]{32})\Z")


_STANDING = "select name, digest, scopes, stores, is_sandbox from access_till where till_id = %s and revoked_at is null"


class Till(NamedTuple):
    """Who asks, for what, and where. is_sandbox: what it asks is done as for any other, and undone before it is answered."""

    till_id: str
    name: str
    scopes: frozenset[str]
    stores: Own
    is_sandbox: bool = False


def open_till(
    name: str, scopes: Collection[str], stores: Collection[str] | None, *, now: dt.datetime, is_sandbox: bool = False
) -> str:
    """Make a till and give its token, which nobody can ask for again. stores None: everywhere.

    Raises DataError for an unknown scope, or a till that may act nowhere.
    """
    if unknown := sorted(set(scopes) - set(SCOPES)) or not scopes:
        raise DataError(f"scopes: {unknown if scopes else 'none given'}; there are {', '.join(SCOPES)}")
    if stores is not None and not stores:
        raise DataError("stores: none given, so it could act nowhere; name some, or give it all of them")
    till_id = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    secret = secrets.token_urlsafe(24)
    models.Till.objects.create(
        till_id=till_id, name=name, digest=_digest(secret), scopes=sorted(scopes), made_at=now,
        stores=None if stores is None else sorted(stores), is_sandbox=is_sandbox,
    )  # fmt: skip
    return f"rk_{till_id}_{secret}"


def revoke(till_id: str, *, now: dt.datetime) -> bool:
    """Nobody may use it from now on, not even in requests that are under way. False where there is none to revoke."""
    return bool(models.Till.objects.filter(till_id=till_id, revoked_at=None).update(revoked_at=now))


def authenticate(token: str) -> Till | None:
    """Whose token it is; None where it is nobody's, or was revoked. One plain query by primary key, for every request asks it."""
    if (parts := _TOKEN.match(token)) is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [parts[1]])
        row = cursor.fetchone()
    if row is None or not hmac.compare_digest(row[1], _digest(parts[2])):
        return None
    return Till(parts[1], row[0], *_rights(row[2], row[3]), bool(row[4]))


def remember(token: str) -> Till | None:
    """Whose token it is, or was: from memory where it was asked before, for nothing of a till ever changes but that it is revoked.

    Only for who goes on to perform a command, which is refused where its till is revoked. A sandbox says some things again without
    performing any, so its key is asked for every time.
    """
    place = hashlib.sha256(token.encode()).digest()
    if (known := _remembered.get(place)) is not None:
        return known
    if (till := authenticate(token)) is not None and not till.is_sandbox:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[place] = till
    return till


_MOST_REMEMBERED = 10_000
_remembered: dict[bytes, Till] = {}


@lru_cache(maxsize=1024)
def _rights(scopes: str, stores: str | None) -> tuple[frozenset[str], frozenset[str] | None]:
    where = json.loads(stores) if stores else None
    return frozenset(json.loads(scopes)), None if where is None else frozenset(where)


def tills() -> list[dict[str, object]]:
    """All tills, without their secrets."""
    rows = models.Till.objects.order_by("made_at").values(
        "till_id", "name", "scopes", "stores", "is_sandbox", "made_at", "revoked_at"
    )
    return [dict(row) for row in rows]


def _digest(secret: str) -> str:
    """The secret has 192 bits of chance, so a quick hash serves; a slow one would only slow the till."""
    return hashlib.sha256(secret.encode()).hexdigest()
