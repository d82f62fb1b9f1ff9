"""Answers: how every command finds its workspace, shows that it works, and says what it found."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

out, err = Console(highlight=False, soft_wrap=False), Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="REGULARS_WORKSPACE")
]
HERE = Path()


def answer(as_json: bool, value: Any, screen: Callable[[], Any]) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=str))  # noqa: T201
    else:
        out.print(screen())


@contextmanager
def progress(words: str, total: float | None = None) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that says what is being done; gone when it is done, silent where nobody looks."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(words, total=total)
        yield lambda said: bar.update(task, description=said)


def opened(workspace: Path) -> Any:
    from regulars.tables import Lake

    return Lake.open(workspace)
