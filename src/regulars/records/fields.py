"""Fields: short texts, references, indexes and constraints, as all tables of records have them."""

from typing import Any

from django.db import models
from django.db.models import Q


class Text(models.CharField):
    """A short text. On PostgreSQL Django would give each that is indexed a second index, for LIKE, which nobody asks of ids."""

    def db_type(self, connection: Any) -> str | None:
        found: str | None = super().db_type(connection)
        return found and found.replace("varchar", "character varying")


def text(most: int = 64, **more: object) -> "models.CharField[str, str]":
    return Text(max_length=most, **more)


def reference(table: str, **more: object) -> "models.ForeignKey[Any, Any]":
    """A reference; those that are looked up by have their index among the table's own."""
    return models.ForeignKey(table, models.PROTECT, db_index=False, **more)


def index(*fields: str, name: str, has: str = "") -> models.Index:
    """An index; has: of the rows that have a value here, which is the fewest."""
    return models.Index(fields=fields, name=name, condition=Q(**{f"{has}__isnull": False}) if has else None)


def never_negative(name: str, *fields: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__gte": 0 for field in fields}), name=name)
