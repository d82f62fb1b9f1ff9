"""Every example is run as it stands: code on the pages, campaign files, command lines, and docstrings."""

import doctest
import importlib
import itertools
import re
import shlex
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from regulars.documents import parse
from regulars.offers.terms import Terms
from regulars.planning.campaign import parse_campaign
from regulars.tables import Mapping, Settings

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(path for path in SOURCE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

READERS: dict[str, Callable[[str], Any]] = {
    "": tomllib.loads,
    "campaign": parse_campaign,
    "offer": lambda text: parse(text, Terms, name="offer.toml"),
    "mapping": lambda text: parse(text, Mapping, name="mapping.toml"),
    "settings": lambda text: parse(text, Settings, name="workspace.toml"),
}


class Block(NamedTuple):
    """A fenced block: ```language mark, and the line on which its text begins."""

    language: str
    mark: str
    text: str
    line: int


def blocks(page: Path, language: str) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w+) ?(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if found[1] == language:
            yield Block(found[1], found[2], found[3], text[: found.start(3)].count("\n") + 1)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, where temporary files land too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_code_on_a_page_runs(page: Path, elsewhere: Path) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page, "python"):
        if block.text.startswith(">>>"):
            run_conversation(block, page, names)
        else:
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)  # noqa: S102


def run_conversation(block: Block, page: Path, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, names, page.name, str(page), block.line - 1)
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    runner.run(test, out=said.append, clear_globs=False)
    assert not said, "".join(said)
    names.update(test.globs)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_files_on_a_page_are_accepted(page: Path) -> None:
    for block in blocks(page, "toml"):
        READERS[block.mark](block.text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_on_a_page_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for block in blocks(page, "console"):
        for line in re.findall(r"^\$ (.+)$", block.text.replace("\\\n", " "), re.MULTILINE):
            words = list(
                itertools.takewhile(lambda word: word not in ("|", ">", "&&"), shlex.split(line, comments=True))
            )
            if words[0] == "make":
                assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in words[1:]), line
            elif words[0] == "regulars":
                check_command(words[1:])


def check_command(words: list[str]) -> None:
    """Parse a command line as typer would. Raises a UsageError for a command, an option or an argument it does not know."""
    command: Any = typer.main.get_command(importlib.import_module("regulars.cli").app)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {words[0]}; there is {', '.join(command.commands)}"
        command, words = command.commands[words[0]], words[1:]
    if "--help" not in words:
        command.make_parser(command.context_class(command)).parse_args(list(words))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_on_a_page_lead_to_something(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    lost = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert lost == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_examples_of_a_module_hold(path: Path, elsewhere: Path) -> None:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    result = doctest.testmod(module, optionflags=FLAGS)
    assert result.attempted > 0
    assert result.failed == 0
