"""Answers: how every command finds its workspace, shows that it works, and says what it found."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from regulars.cli.language import chosen
from regulars.cli.screens.layout import spoken
from regulars.wording import Sentence, Voice

if TYPE_CHECKING:
    from regulars.tables import Lake

out, err = Console(highlight=False, markup=False), Console(stderr=True, highlight=False, markup=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="REGULARS_WORKSPACE")
]
HERE = Path()
_MOST_ECHO = 10_000


def opened(workspace: Path) -> Lake:
    from regulars.tables import Lake

    return Lake.open(workspace)


def voice(lake: Lake | None = None, currency: str | None = None) -> Voice:
    """How the person at this terminal is spoken to: in the language of the command, the money and on the clock of the workspace."""
    if lake is None:
        return Voice(language=chosen(), currency=currency, most_echo=_MOST_ECHO)
    settings = lake.settings
    return Voice(language=chosen(), currency=settings.currency, zone=settings.zone, most_echo=_MOST_ECHO)


def answer(as_json: bool, value: Any, screen: Callable[[], RenderableType], speaker: Voice | None = None) -> None:
    """What was found: as JSON, whose sentences `speaker` says, or as a screen."""
    if as_json:
        print(json.dumps(as_plain(value, speaker or voice()), ensure_ascii=False, default=str))  # noqa: T201
    else:
        show(screen())


def show(screen: RenderableType) -> None:
    """A screen; lines that must not be broken go on beyond the edge."""
    out.print(screen, crop=False)


def as_plain(value: Any, speaker: Voice) -> Any:
    """Results as plain values for JSON, whatever they are made of; sentences in words."""
    match value:
        case Sentence():
            return speaker.say(value)
        case dict():
            return {name: as_plain(inner, speaker) for name, inner in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return as_plain(value._asdict(), speaker)
        case tuple() | list():
            return [as_plain(inner, speaker) for inner in value]
        case set() | frozenset():
            return sorted(as_plain(inner, speaker) for inner in value)
        case _ if dataclasses.is_dataclass(value):
            return {field.name: as_plain(getattr(value, field.name), speaker) for field in dataclasses.fields(value)}
        case _:
            return value


@contextmanager
def progress(code: str, **facts: Any) -> Iterator[Callable[[Sentence | str], None]]:
    """A line on the terminal that says what is being done; gone when it is done, silent where nobody looks.

    It yields what changes the line.
    """
    speaker = voice()
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(speaker.say(code, **facts), total=None)
        yield lambda said: bar.update(task, description=spoken(said, speaker))
