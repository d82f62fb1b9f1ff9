"""Identity: who a guest is, without knowing them: keyed hashes of the names they go by, for caps that hold across all of them.

A guest may come with another phone, a mailbox written differently, the same card. Each name is brought into one form and
hashed with a secret of the house (keyed BLAKE2, RFC 7693), so that what is stored finds them again and tells nobody who they are.
A name that could be anybody's, such as `n/a` or a row of zeros, is no name.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

LEAST_SECRET = 16
_DIGEST = 16
_DOTLESS = ("gmail.com", "googlemail.com")
_TRUNK = re.compile(r"^((?:\+|00)\s*\d{1,3}\s*)\(0\)")
"""The zero that is dialled within the country only, as in +44 (0)20."""
_NOBODY = frozenset({"0", "-", "n/a", "na", "nil", "none", "null", "test", "undefined", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Whoever is at the till, as far as it knows. orders_before: their earlier orders, where the till counts them.

    phone: with its country code, as +86 138 0013 8000 or 0086 138 0013 8000; without one it is another number.
    Nothing of it shows in logs.

    >>> guest = Guest(email="An.Li+coupons@GMail.com")
    >>> guest.tokens(b"a secret of the house") == Guest(email="anli@gmail.com").tokens(b"a secret of the house")
    True
    """

    guest_id: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    device: str | None = field(default=None, repr=False)
    card_hash: str | None = field(default=None, repr=False)
    orders_before: int | None = None

    def tokens(self, secret: bytes) -> tuple[str, ...]:
        """One token, `kind:digest`, for each name they go by; none where nobody is named.

        Raises ValueError for a secret of less than 16 bytes.
        """
        if len(secret) < LEAST_SECRET:
            raise ValueError(f"the secret has {len(secret)} bytes; give at least {LEAST_SECRET}, made at random")
        key = secret if len(secret) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(secret).digest()
        return tuple(f"{kind}:{_digest(kind, name, key)}" for kind, name in self._names())

    def _names(self) -> Iterator[tuple[str, str]]:
        for kind, form in _FORMS.items():
            given = getattr(self, kind)
            if given is not None and (name := form(given)) and not _is_anybody(kind, name):
                yield kind, name

    @property
    def unreadable(self) -> str | None:
        """The field that says something, but no name of its kind: a phone number or an address that was mistyped.

        >>> Guest(phone="1111").unreadable, Guest(phone="n/a").unreadable
        ('phone', None)
        """
        for kind in ("phone", "email"):
            given = getattr(self, kind)
            if given is None or _says_nothing(_folded(given)):
                continue
            if not (name := _FORMS[kind](given)) or _is_anybody(kind, name):
                return kind
        return None


@lru_cache(maxsize=8)
def guest_key(secret: str) -> bytes:
    """The secret of the guests' tokens, from the secret of the house: it is not the one that signs sessions."""
    return hashlib.blake2b(secret.encode(), person=b"regulars guests").digest()


def phone_of(text: str) -> str:
    """The digits with the country code, after a + where it was told; empty where it is no phone number (E.164: 7 to 15 digits).

    >>> phone_of("（００８６）138-0013-8000")
    '+8613800138000'
    """
    told = re.split(r"[;,]|ext|x", _folded(text).removeprefix("tel:"), maxsplit=1)[0]
    digits = "".join(re.findall(r"\d", _TRUNK.sub(r"\1", told)))
    digits = "".join(str(unicodedata.decimal(digit)) for digit in digits)
    is_abroad = told.lstrip(" (").startswith("+") or digits.startswith("00")
    digits = digits.removeprefix("00")
    return f"{'+' * is_abroad}{digits}" if 7 <= len(digits) <= 15 else ""


def email_of(text: str) -> str:
    """The mailbox behind an address: without case and +tag, at Gmail without dots; empty where it is no address.

    >>> email_of("Li.Na+lunch@Bücher.Example")
    'li.na@xn--bcher-kva.example'
    """
    local, at, domain = "".join(_folded(text).split()).rpartition("@")
    domain = _domain(domain)
    root = local if local.startswith('"') else local.split("+", 1)[0] or local
    if domain in _DOTLESS:
        root, domain = root.replace(".", ""), _DOTLESS[0]
    return f"{root}@{domain}" if at and root and "." in domain else ""


def _domain(text: str) -> str:
    name = text.rstrip(".")
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return name


def _as_given(text: str) -> str:
    """An opaque name: only what its writing may vary in is folded, its case is its own."""
    return unicodedata.normalize("NFKC", text).strip()


def _folded(text: str) -> str:
    """Without case, and without the forms that letters and digits take (Unicode 3.13, compatibility caseless matching)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


_FORMS: dict[str, Callable[[str], str]] = {
    "guest_id": _as_given,
    "phone": phone_of,
    "email": email_of,
    "device": _folded,
    "card_hash": _folded,
}


def kind_of(token: str) -> str:
    """Of which kind the name was that a token stands for."""
    return token.partition(":")[0]


def rank(token: str) -> tuple[int, str]:
    """The place of a token among others, the surest kind of name first."""
    return list(_FORMS).index(kind_of(token)), token


def _is_anybody(kind: str, name: str) -> bool:
    """Whether it stands for no name at all: linking those who share it would make strangers one person.

    A row of one digit is no phone, device or card, but a guest may well have the number 1111.
    """
    digits = name.lstrip("+")
    is_a_row = len(digits) > (6 if kind == "guest_id" else 3) and len(set(digits)) == 1
    return _says_nothing(name) or is_a_row


def _says_nothing(text: str) -> bool:
    """Whether it is what tills put where they know nothing, such as `n/a` or a row of zeros."""
    return text.casefold() in _NOBODY or not text.strip("0+ -()./")


def _digest(kind: str, name: str, key: bytes) -> str:
    data = name.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, key=key, digest_size=_DIGEST, person=kind.encode()).hexdigest()
