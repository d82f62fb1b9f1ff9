"""The workspace: a folder with its settings, lake, mappings, segments, plans and reports."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pydantic

from regulars.clock import zones
from regulars.documents import Document, nearest, parse, read_text
from regulars.errors import DataError
from regulars.money import exponent_of
from regulars.tables.engines import NAMES

FORMAT = 1
ODD_LETTERS = "[]"
SETTINGS = "workspace.toml"
_TEXT = """\
# The settings of this workspace.
format = {format}
currency = "{currency}"          # of every amount; amounts are kept in its minor units
zone = "{zone}"            # of stores that do not say theirs
day_closes_at = "{day_closes_at}"       # local time at which a trading day ends
margin_rate = {margin_rate}           # share of a bill left after the cost of food, where an order does not say its margin
memory = "{memory}"              # most that queries may hold in memory; the rest goes to disk
engine = "{engine}"           # or spark, or the address of a cluster, such as spark://host:7077
mark = "{mark}"                # a word under the title of every picture of a plan, such as simulated
salt = "{salt}"   # keep it secret: it decides who is kept as a holdout
"""


class Settings(Document):
    """What holds for the whole workspace."""

    format: int = FORMAT
    currency: str = "USD"
    zone: str = "UTC"
    day_closes_at: Annotated[str, pydantic.Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "04:00"
    margin_rate: Annotated[float, pydantic.Field(gt=0, le=1)] = 0.65
    memory: Annotated[str, pydantic.Field(pattern=r"^\d+ ?[MG]B$")] = "2GB"
    engine: Annotated[str, pydantic.Field(pattern=f"^({NAMES})$")] = "duckdb"
    mark: Annotated[str, pydantic.Field(pattern=r"^[\w ,.-]{0,40}$")] = ""
    salt: Annotated[str, pydantic.Field(pattern=r"^[\w-]{1,64}$")] = pydantic.Field(
        default_factory=lambda: secrets.token_hex(16)
    )

    @pydantic.field_validator("currency")
    @classmethod
    def _exists(cls, currency: str) -> str:
        try:
            exponent_of(currency)
        except DataError as error:
            raise ValueError(str(error)) from None
        return currency

    @pydantic.field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        if zone not in zones():
            raise ValueError(f"'{zone}' is no time zone{nearest(zone, zones())}")
        return zone

    @property
    def exponent(self) -> int:
        return exponent_of(self.currency)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder and its settings."""

    path: Path
    settings: Settings

    @classmethod
    def create(cls, path: Path, settings: Settings) -> "Workspace":
        """Make the folder. Raises DataError where there is a workspace already, or no leave to write."""
        if (path / SETTINGS).exists():
            raise DataError(f"{path}: is a workspace already; open it, or choose another folder")
        if odd := sorted(set(ODD_LETTERS) & set(str(path.absolute()))):
            raise DataError(
                f"{path}: a workspace cannot lie in a folder with {' or '.join(odd)} in its name; choose another"
            )
        try:
            for folder in ("lake", "mappings", "segments", "plans", "reports"):
                (path / folder).mkdir(parents=True, exist_ok=True)
            (path / SETTINGS).write_text(_TEXT.format(**settings.model_dump()), encoding="utf-8")
        except OSError as error:
            raise DataError(f"{path}: cannot make a workspace here: {error.strerror}") from None
        return cls(path, settings)

    @classmethod
    def open(cls, path: Path) -> "Workspace":
        """Raises DataError where there is no workspace, or one that a newer version made."""
        if not (path / SETTINGS).is_file():
            raise DataError(f"{path}: no workspace here (it has no {SETTINGS}); `regulars init {path}` makes one")
        text = read_text(path / SETTINGS)
        settings = parse(text, Settings, name=str(path / SETTINGS))
        if settings.format > FORMAT:
            raise DataError(
                f"{path}: made by a newer version of regulars (format {settings.format}; this one knows {FORMAT}); "
                "`pip install --upgrade regulars`"
            )
        return cls(path, settings)

    def require_writable(self) -> None:
        """Raise DataError unless something can be written here."""
        if not os.access(self.path, os.W_OK) or not os.access(self.path / "lake", os.W_OK):
            raise DataError(f"{self.path}: is read-only for this user; change its permissions, or copy it")

    def table(self, name: str) -> Path:
        return self.path / "lake" / name

    @property
    def mappings(self) -> Path:
        return self.path / "mappings"

    @property
    def segments(self) -> Path:
        return self.path / "segments"

    @property
    def plans(self) -> Path:
        return self.path / "plans"

    @property
    def reports(self) -> Path:
        return self.path / "reports"

    @property
    def scratch(self) -> Path:
        """Where half-done work lies; anything in it may be deleted while nothing runs."""
        return self.path / "scratch"
