"""Records: how the commands of offers and tills find them, and show them. Django is loaded only when one of them runs."""

import datetime as dt
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from regulars.cli.answers import voice
from regulars.cli.screens.layout import sheet
from regulars.errors import DataError

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
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


def say(as_json: bool, value: Any, words: str) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=str))  # noqa: T201
    else:
        out.print(escape(words))


def table(as_json: bool, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, default=_plain))  # noqa: T201
    else:
        cells = [[_cell(row.get(column)) for column in columns] for row in rows]
        out.print(sheet(voice(), columns, cells) if rows else "none yet")


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def _cell(value: object) -> str:
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return (
        " ".join(map(str, value))
        if isinstance(value, list | tuple | set | frozenset)
        else ""
        if value is None
        else str(value)
    )
