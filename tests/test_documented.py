"""Documented or fail: what a user can name, the pages name too."""

import importlib
import inspect
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import regulars
from regulars import errors
from regulars.segments import LIBRARY, ReadySegment
from regulars.tables import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def is_named(words: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(words)}(?![\w-])", TEXT) is not None


def paths(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every command below one, as its words: ("regulars", "plan")."""
    if not hasattr(command, "commands"):
        yield path
        return
    for name, inner in command.commands.items():
        if not inner.hidden:
            yield from paths(inner, (*path, name))


def test_every_command_is_on_a_page() -> None:
    app = typer.main.get_command(importlib.import_module("regulars.cli").app)
    commands = [" ".join(path) for path in paths(app, ("regulars",))]
    assert commands
    assert [command for command in commands if not is_named(command)] == []


@pytest.mark.parametrize("name", [name for name, _ in inspect.getmembers(errors, inspect.isclass)])
def test_an_error_is_on_a_page_and_exported(name: str) -> None:
    assert is_named(name)
    assert name in regulars.__all__


@pytest.mark.parametrize("name", Settings.model_fields)
def test_a_setting_is_on_a_page(name: str) -> None:
    assert is_named(name)


@pytest.mark.parametrize("ready", LIBRARY, ids=lambda ready: ready.name)
def test_a_ready_segment_is_on_its_page(ready: ReadySegment) -> None:
    page = (ROOT / "docs" / "segments.md").read_text(encoding="utf-8")
    assert f"| `@{ready.name}` | `{ready.rule}` | {ready.meaning} |" in page


def test_the_contracts_are_on_their_page_as_the_code_has_them() -> None:
    contracts = runpy.run_path(str(ROOT / "docs" / "contracts.py"))
    page = contracts["PAGE"].read_text(encoding="utf-8")
    assert page == contracts["renewed"](page), "docs/tables.md is behind the code; `make docs` writes it anew"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_nothing_is_left_to_be_filled_in(page: Path) -> None:
    assert unfilled(page.read_text(encoding="utf-8")) == []


def test_what_is_left_to_be_filled_in_is_found() -> None:
    page = "| a | b |\n| --- | --- |\n| 1 | |\n| ENGINE_X s | `DATABASE_URL` |\nTODO: more\n```\nDATABASE_URL=x\n```\n"
    assert [line for line, _ in unfilled(page)] == [3, 4, 5]


def unfilled(text: str) -> list[tuple[int, str]]:
    """Lines, with their numbers, that wait for a figure or a word; code may name variables."""
    prose = re.sub(r"^```.*?^```$", lambda code: "\n" * code[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    waiting = re.compile(r"[A-Z]{2,}_[A-Z_]+|\b(TODO|FIXME|TBD|XXX)\b|^\|.*\|\s*\|")
    lines = enumerate(re.sub(r"`[^`\n]*`", "`code`", prose).splitlines(), 1)
    return [(number, line) for number, line in lines if waiting.search(line)]


def test_the_map_of_the_tree_is_the_tree_in_the_order_of_who_may_import_whom() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    mapped = [
        name.rstrip("/").removesuffix(".py") for name in re.findall(r"^\| `src/regulars/(\S+)` \|", page, re.MULTILINE)
    ]
    source = ROOT / "src" / "regulars"
    there = {path.parent.name for path in source.glob("*/__init__.py")} | {
        path.stem for path in source.glob("[!_]*.py")
    }
    assert sorted(mapped) == sorted(there)
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"][
        0
    ]["layers"]
    height = {name: place for place, layer in enumerate(layers) for name in re.findall(r"regulars\.(\w+)", layer)}
    heights = [height[name] for name in mapped]
    assert heights == sorted(heights, reverse=True)


def test_every_page_is_in_the_list_of_pages() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    others = [page.relative_to(ROOT / "docs") for page in PAGES[1:] if page.name != "index.md"]
    assert [page for page in others if f"({page.as_posix()})" not in index] == []


def test_every_make_target_is_in_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()  # type: ignore[index]
    assert [target for target in targets if not re.search(rf"^{target}:.*## \w", text, re.MULTILINE)] == []


def test_all_is_what_is_exported() -> None:
    assert len(set(regulars.__all__)) == len(regulars.__all__)
    assert dir(regulars) == sorted(regulars.__all__)
    assert all(hasattr(regulars, name) for name in regulars.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = regulars.nothing


@pytest.mark.parametrize("room", sorted({name for name in regulars.__all__ if name.islower() and name.isalpha()}))
def test_what_a_room_exports_is_there(room: str) -> None:
    module = importlib.import_module(f"regulars.{room}")
    names = getattr(module, "__all__", [])
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(module, name)] == []
