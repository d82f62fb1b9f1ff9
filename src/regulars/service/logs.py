"""Logs: one line of JSON each, without personal data: no code, name, phone or address of a guest is ever in them.

The words of an exception are left out, for databases repeat values in them; where it happened and what it was is written.
"""

import datetime as dt
import json
import logging
import traceback
from hashlib import blake2b

from django.conf import settings


class Line(logging.Formatter):
    """A record as one line of JSON. What `extra={"facts": {...}}` holds is written beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.msg if record.name.startswith("regulars") else record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= _what_happened(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str)


def _what_happened(error: BaseException) -> dict[str, object]:
    diagnosis = getattr(error.__cause__, "diag", None)
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    told = {"error": f"{type(error).__module__}.{type(error).__qualname__}", "frames": frames[-12:]}
    constraint = getattr(diagnosis, "constraint_name", None)
    return told | ({"constraint": constraint} if constraint else {}) | ({"words": str(error)} if settings.DEBUG else {})


def shadow(code: str) -> str:
    """A short name by which one code can be followed through the logs, and from which nobody can find it."""
    return blake2b(code.encode(errors="replace"), digest_size=6, key=settings.SECRET_KEY.encode()[:64]).hexdigest()
