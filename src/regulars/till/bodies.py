"""Bodies: how a request is read. Its size is known before it is, and nothing but JSON in UTF-8 is taken."""

import hashlib
import re
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser
from pydantic_core import from_json

from regulars.till.problems import Problem, canonical

MOST_BYTES = 256_000
MOST_BYTES_OF_MANY = 1_000_000
_OF_MANY = ("/batch",)
_PRINTABLE = re.compile(r"[!-~]{8,128}\Z")


class Reader(Parser):
    """Reads JSON bodies for the API, and keeps what was said beside the request."""

    def parse_body(self, request: HttpRequest) -> Any:
        if (
            request.content_type != "application/json"
            or request.content_params.get("charset", "utf-8").lower() != "utf-8"
        ):
            raise Problem("media_type_unsupported")
        try:
            said = from_json(request.body, allow_inf_nan=False, cache_strings="keys")
        except ValueError:
            raise Problem("not_json") from None
        request.said = said
        return said


def check_size(request: HttpRequest) -> None:
    """Refuse what is too large, or does not say how large it is, before any of it is read."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        raise Problem("length_required")
    most = most_bytes(request.path)
    if length and (not length.isdecimal() or int(length) > most):
        raise Problem("body_too_large", headers={"Connection": "close"}, most=most)


def most_bytes(path: str) -> int:
    """The most bytes a body sent there may have."""
    return MOST_BYTES_OF_MANY if path.endswith(_OF_MANY) else MOST_BYTES


def fingerprint(what: str, said: Any) -> str:
    """A digest of what was asked; the order of fields and spaces between them make no difference."""
    return hashlib.sha256(f"{what}\n{canonical(said)}".encode()).hexdigest()


def idempotency_key(request: HttpRequest) -> str:
    """The sender's name for this write. Raises Problem idempotency_key_missing or idempotency_key_invalid."""
    key: str = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not key:
        raise Problem("idempotency_key_missing")
    if not _PRINTABLE.match(key):
        raise Problem("idempotency_key_invalid")
    return key
