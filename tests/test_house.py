"""The house rules that no linter holds: who imports whom, what `import regulars` costs, how long a page may be."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = ("django", "pyspark", "lightgbm", "duckdb", "numba", "pyarrow", "sklearn", "pandas", "altair")
MOST_LINES_OF_FILE = 400
MOST_LINES_OF_FUNCTION = 40
SECONDS_TO_IMPORT = 0.3


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "src"))


def in_fresh_interpreter(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_data_goes_down_the_page() -> None:
    """The output of import-linter, which pytest shows, names the import that breaks a contract."""
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


def test_importing_regulars_loads_nothing_heavy() -> None:
    loaded = in_fresh_interpreter("import regulars, sys; print(*sys.modules)").split()
    assert "regulars" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_importing_regulars_is_quick() -> None:
    """The best of five, for a busy machine makes any single one slow."""
    code = "import time; begin = time.perf_counter(); import regulars; print(time.perf_counter() - begin)"
    assert min(float(in_fresh_interpreter(code)) for _ in range(5)) < SECONDS_TO_IMPORT


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_has_one_subject_and_its_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES_OF_FILE
    assert path.stem not in ("utils", "helpers", "common")
    assert [f"{f.name} has {n} lines" for f, n in functions(ast.parse(text)) if n > MOST_LINES_OF_FUNCTION] == []


def functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Every function with its number of lines, from `def` to its end, docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) is not None else None
            unread = docstring.end_lineno - docstring.lineno + 1 if docstring else 0  # type: ignore[operator]
            yield node, node.end_lineno - node.lineno + 1 - unread  # type: ignore[operator]


def test_the_lock_has_a_hash_for_everything_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^[\w.-]+==[^\n]+\n(    --hash=sha256:[0-9a-f]{64})?", text, re.MULTILINE)
    assert len(pinned) > 50
    assert all(pinned)
    assert not re.search(r"://|find-links|index-url|^-e |^/| @ ", text, re.MULTILINE)


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_what_is_imported_is_declared(folder: str) -> None:
    """What only comes along with something else may go away with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {
        *project["project"]["dependencies"],
        *chain.from_iterable(project["project"]["optional-dependencies"].values()),
        *(project["dependency-groups"]["dev"] if folder == "tests" else ()),
    }
    names = {canonical(re.split(r"[<>=!~\[ ;]", line)[0]) for line in declared}
    known = packages_distributions()
    foreign = {name for path in (ROOT / folder).rglob("*.py") for name in imported(path)} & set(known)
    foreign -= {"regulars", "markupsafe", *(path.stem for path in (ROOT / "tests").iterdir())}
    assert sorted(name for name in foreign if not {canonical(known_as) for known_as in known[name]} & names) == []


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(path: Path) -> Iterator[str]:
    """The first names of all modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]
