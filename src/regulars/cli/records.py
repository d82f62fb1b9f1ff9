"""Records: how the commands of offers and tills find them, and show them. Django is loaded only when one of them runs."""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from regulars.cli.answers import answer, voice
from regulars.cli.screens.layout import sheet, whole
from regulars.errors import DataError

Workspace = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="The folder of the records.", envvar="REGULARS_WORKSPACE")
]


@contextmanager
def opened_records(workspace: Path | None, *, is_prepared: bool = True) -> Iterator[None]:
    """The records of a workspace, or of DATABASE_URL: within, Django is there."""
    if workspace is not None:
        os.environ["REGULARS_WORKSPACE"] = str(workspace)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regulars.settings")
    import django
    from django.db import DatabaseError

    django.setup()
    from regulars.service import schema

    try:
        if is_prepared:
            schema.prepare()
        yield
    except DatabaseError as error:
        raise DataError(f"the records would not: {schema.first_line(error)}") from None


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def say(as_json: bool, value: Any, code: str, /, **facts: Any) -> None:
    """What was done: as JSON, or as a sentence."""
    answer(as_json, value, lambda: whole(voice().say(code, **facts)))


def table(as_json: bool, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Rows of records: as JSON, or as a sheet."""
    answer(as_json, rows, lambda: _sheet(rows, columns))


def _sheet(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> RenderableType:
    speaker = voice()
    if not rows:
        return whole(speaker.say("none_yet"))
    return sheet(speaker, columns, [[_cell(row.get(column)) for column in columns] for row in rows])


def _cell(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else value
