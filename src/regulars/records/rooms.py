"""Rooms: which of them keep records. What goes for all records finds them here, whoever adds one."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.apps import AppConfig, apps
from django.db import models

from regulars.records.snapshots import snapshot


class Drift(NamedTuple):
    """A counter that is not what the ledger says."""

    table: str
    key: str
    counter: str
    kept: int
    counted: int


class Room(AppConfig):
    """A room that keeps records, as Django has it."""

    default_auto_field = "django.db.models.BigAutoField"

    def drifts(self) -> Iterable[Drift]:
        """Every counter that is not what the ledger says, worked out again; a room without counters has none."""
        return ()


def rooms() -> Iterator[Room]:
    """Every room that keeps records, in the order of the settings."""
    return (config for config in apps.get_app_configs() if isinstance(config, Room))


def tables() -> Iterator[type[models.Model]]:
    """Every table of records."""
    return (table for room in rooms() for table in room.get_models())


def reconcile() -> list[Drift]:
    """All drifts of all rooms, none where all is well. It reads one state of the database, while tills go on."""
    with snapshot():
        return [drift for room in rooms() for drift in room.drifts()]
