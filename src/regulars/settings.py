"""Settings: one file, the environment only. Every variable stands on docs/operations.md.

An address of a database is read here and not by a library: it is one page, and says SQLite's safe options once.
"""

import os
import secrets
import zoneinfo
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from regulars.errors import DataError

_SQLITE = {
    "transaction_mode": "IMMEDIATE",  # a writer waits for its turn at the beginning, and never fails half way
    "timeout": 10,  # seconds to wait for it
    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY",
}
_POSTGRES = {
    "connect_timeout": "5",
    "application_name": "regulars",
    "options": "-c idle_in_transaction_session_timeout=60s"  # whoever vanished must not keep an offer locked
    " -c enable_seqscan=off"  # a plan made while a table is small is kept while it grows; by an index it stays good
    " -c jit=off",  # compiling takes longer than any statement here
    "prepare_threshold": 5,  # statements that come again and again are planned once
}


def _said(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def _number(name: str, default: int, *, least: int = 1) -> int:
    said = _said(name, str(default))
    if not said.isdecimal() or int(said) < least:
        raise DataError(f"{name} is {said!r}; give a whole number from {least}")
    return int(said)


def _one_of(name: str, default: str, choices: tuple[str, ...]) -> str:
    said = _said(name, default).lower()
    if said not in choices:
        raise DataError(f"{name} is {said!r}; give one of {', '.join(choices)}")
    return said


def _zone(name: str) -> str:
    said = _said(name, "UTC")
    try:
        return zoneinfo.ZoneInfo(said).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise DataError(f"{name} is {said!r}, which is no time zone; give one such as Asia/Shanghai") from None


def database(address: str) -> dict[str, Any]:
    """A database as Django has it, from `postgres://user:password@host:port/name?sslmode=require` or `sqlite:///file`.

    Raises DataError for an address that is neither. It never repeats the address, for there may be a password in it.
    """
    parts, port = urlsplit(address), _port(address)
    if parts.scheme == "sqlite" and len(parts.path) > 1:
        return sqlite(Path(unquote(parts.path[1:])))
    if parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2:
        raise DataError(
            "DATABASE_URL is no address of a database; give postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:///FILE"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": port,
        "OPTIONS": _POSTGRES | dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": None,  # kept; what was broken by a fault is opened anew
    }


def _port(address: str) -> str:
    try:
        return str(urlsplit(address).port or "")
    except ValueError:
        raise DataError("DATABASE_URL has a port that is no number") from None


def sqlite(file: Path) -> dict[str, Any]:
    """The embedded database, in one file."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": dict(_SQLITE),
        "CONN_MAX_AGE": None,
    }


def secret_in(file: Path) -> str:
    """The secret in a file that only its owner may read; made at random when there is none."""
    try:
        if not file.exists():
            _make_secret(file)
        return file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise DataError(
            f"{file}: cannot keep a secret key there ({error.strerror}); set REGULARS_SECRET_KEY, or mend the folder"
        ) from None


def _make_secret(file: Path) -> None:
    """Whole or not at all, and the same for all who make it at once: the first link wins."""
    draft = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(secrets.token_urlsafe(48))
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


WORKSPACE = Path(_said("REGULARS_WORKSPACE", "."))
DEBUG = _one_of("REGULARS_DEBUG", "off", ("off", "on")) == "on"
DATABASES = {
    "default": database(_said("DATABASE_URL")) if _said("DATABASE_URL") else sqlite(WORKSPACE / "records.sqlite3")
}
SECRET_KEY = _said("REGULARS_SECRET_KEY") or secret_in(WORKSPACE / "records.key")
ALLOWED_HOSTS = _said("REGULARS_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").replace(",", " ").split()
TIME_ZONE = _zone("REGULARS_ZONE")
LOG_LEVEL = _one_of("REGULARS_LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
GUESSES_PER_MINUTE = _number("REGULARS_GUESSES_PER_MINUTE", 30)

USE_TZ = True
USE_I18N = False
INSTALLED_APPS = [
    "regulars.jobs.apps.Jobs",
    "regulars.access.apps.Access",
    "regulars.ledger.apps.Ledger",
    "regulars.offers.apps.Offers",
    "regulars.service.apps.Service",
]
MIDDLEWARE = ["regulars.service.middleware.around"]
ROOT_URLCONF = "regulars.service.urls"
WSGI_APPLICATION = "regulars.service.wsgi.application"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "regulars.service.logs.Line"}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["errors"], "level": "WARNING"},
    "loggers": {
        "regulars": {"level": LOG_LEVEL},
        "django": {"handlers": ["errors"], "level": "ERROR", "propagate": False},
        "django.request": {"handlers": [], "level": "CRITICAL", "propagate": False},  # it would write codes from paths
    },
}
