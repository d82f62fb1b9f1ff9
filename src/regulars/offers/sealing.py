"""Sealing: names that the lake needs back, kept so that nobody reads them who has not the secret of the house.

What is sealed is enciphered under a tag of its own content (a synthetic initialisation vector, RFC 5297): the tag is a keyed
BLAKE2 (RFC 7693), the stream a SHAKE256 (FIPS 202) of it and another key. The same name is sealed alike each time, and a seal
that was tampered with, or made with another secret, is noticed.
"""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

from django.conf import settings

from regulars.errors import DataError

PREFIX = "sealed:"
_TAG = 16


def seal(text: str) -> str:
    """A text that only the house reads."""
    tag_key, stream_key = _keys(settings.SECRET_KEY)
    plain = text.encode("utf-8", "surrogatepass")
    tag = hashlib.blake2b(plain, key=tag_key, digest_size=_TAG).digest()
    return PREFIX + base64.urlsafe_b64encode(tag + _mixed(plain, stream_key, tag)).decode().rstrip("=")


def unseal(text: str) -> str:
    """What was sealed, and what never was as it is. Raises DataError where another secret sealed it."""
    if not text.startswith(PREFIX):
        return text
    tag_key, stream_key = _keys(settings.SECRET_KEY)
    try:
        kept = base64.urlsafe_b64decode(text.removeprefix(PREFIX) + "==")
    except (binascii.Error, ValueError):
        kept = b""
    tag, plain = kept[:_TAG], _mixed(kept[_TAG:], stream_key, kept[:_TAG])
    if not hmac.compare_digest(tag, hashlib.blake2b(plain, key=tag_key, digest_size=_TAG).digest()):
        raise DataError(
            "a name was sealed with another secret; set REGULARS_SECRET_KEY, or records.key, to what it was"
        )
    return plain.decode("utf-8", "surrogatepass")


@lru_cache(maxsize=8)
def _keys(secret: str) -> tuple[bytes, bytes]:
    """For the tags and for the streams; neither is the key of the guests' tokens, nor that of the codes."""
    tag, stream = (
        hashlib.blake2b(secret.encode(), person=person).digest() for person in (b"regulars tags", b"regulars streams")
    )
    return tag, stream


def _mixed(data: bytes, key: bytes, tag: bytes) -> bytes:
    stream = hashlib.shake_256(key + tag).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))
