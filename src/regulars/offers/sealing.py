"""Sealing: names that the lake needs back, kept so that nobody reads them who has not the secret of the house.

AES-SIV (RFC 5297): the same name is sealed alike each time, and a seal that was tampered with, or made with another secret, is noticed.
"""

import base64
import binascii
import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

from regulars.errors import DataError

PREFIX = "sealed:"


def seal(text: str) -> str:
    """A text that only the house reads."""
    if not text:
        return PREFIX
    kept = _cipher(settings.SECRET_KEY).encrypt(text.encode("utf-8", "surrogatepass"), None)
    return PREFIX + base64.urlsafe_b64encode(kept).decode().rstrip("=")


def unseal(text: str) -> str:
    """What was sealed, and what never was as it is. Raises DataError where another secret sealed it."""
    if not text.startswith(PREFIX) or text == PREFIX:
        return text.removeprefix(PREFIX)
    try:
        kept = base64.urlsafe_b64decode(text.removeprefix(PREFIX) + "==")
        return _cipher(settings.SECRET_KEY).decrypt(kept, None).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError, InvalidTag):
        raise DataError(
            "a name was sealed with another secret; set REGULARS_SECRET_KEY, or records.key, to what it was"
        ) from None


@lru_cache(maxsize=8)
def _cipher(secret: str) -> AESSIV:
    """With a key of its own, neither that of the guests' tokens nor that of the codes."""
    return AESSIV(hashlib.blake2b(secret.encode(), person=b"regulars seals").digest())
