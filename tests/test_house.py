"""The house rules that no linter holds: who imports whom, what `import regulars` costs, how long a page may be."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain, combinations
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = ("django", "pyspark", "lightgbm", "duckdb", "numba", "pyarrow", "sklearn", "pandas", "altair")
MOST_LINES_OF_FILE = 400
MOST_LINES_OF_FUNCTION = 40
MIDDLE_OF_FUNCTIONS, NINE_IN_TEN_FUNCTIONS = 5, 16
LINES_OF_A_COPY, MOST_COPIES = 6, 5
SPEAK_JSON = {"cli", "till", "service", "settings", "wording", "reports"}
"""Rooms at the edge, which turn values into what JSON, HTTP, Django and templates take."""
MOST_LOOSE = 42
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


def written(path: Path) -> bool:
    """Whether people wrote it; migrations are made."""
    return "migrations" not in path.parts


def test_functions_are_short_by_the_middle_and_by_nine_in_ten() -> None:
    lines = sorted(
        n for path in filter(written, MODULES) for _, n in functions(ast.parse(path.read_text(encoding="utf-8")))
    )
    assert statistics.median(lines) <= MIDDLE_OF_FUNCTIONS
    assert lines[int(0.9 * len(lines))] <= NINE_IN_TEN_FUNCTIONS


def test_hardly_anything_is_written_twice() -> None:
    found = copies({name_of(path): path.read_text(encoding="utf-8") for path in filter(written, MODULES)})
    assert len(found) <= MOST_COPIES, "\n".join(f"{one} ~ {other}" for one, other in found)


def test_a_copy_of_six_lines_is_found_and_five_are_let_be() -> None:
    body = [f"total = total * {n} + first" for n in range(LINES_OF_A_COPY)]
    six, five = "\n\n  # apart\n".join(body), "\n".join(body[1:])
    assert copies({"a": f"x = 1\n{six}", "b": "\n".join(body) + "\ny = 2"}) == [("a:2", "b:1")]
    assert copies({"a": six, "b": five}) == []


def copies(texts: dict[str, str]) -> list[tuple[str, str]]:
    """Pairs of places with six equal lines or more; white space, comments and imports do not count, one run is one pair."""
    places = defaultdict(list)
    for name, text in texts.items():
        lines = telling_lines(text)
        for place in range(len(lines) - LINES_OF_A_COPY + 1):
            window = lines[place : place + LINES_OF_A_COPY]
            places[tuple(line for _, line in window)].append((name, place, window[0][0]))
    pairs = [pair for same in places.values() for pair in combinations(same, 2)]
    begun = {(one[:2], other[:2]) for one, other in pairs}
    return sorted(
        (f"{one[0]}:{one[2]}", f"{other[0]}:{other[2]}")
        for one, other in pairs
        if ((one[0], one[1] - 1), (other[0], other[1] - 1)) not in begun
    )


def telling_lines(text: str) -> list[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    imports = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    numbered = ((number, " ".join(line.split())) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in numbered if line and line[0] != "#" and number not in imports]


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types alone, and those inside functions, count too."""
    assert circles({module_of(path): path.read_text(encoding="utf-8") for path in MODULES}) == []


def test_every_circle_is_found_imports_for_types_too() -> None:
    texts = {
        "a": "from b import x",
        "b": "if TYPE_CHECKING:\n    import a",
        "c": "import a",
        "d": "import e",
        "e": "import d",
    }
    assert circles(texts) == [["a", "b"], ["d", "e"]]


def circles(texts: dict[str, str]) -> list[list[str]]:
    """The modules that import each other, group by group."""
    graph = {name: set(of_ours(ast.parse(text), set(texts))) - {name} for name, text in texts.items()}
    reached = {name: reached_from(name, graph) for name in graph}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in graph}
    return sorted(sorted(group) for group in groups if group)


def reached_from(name: str, graph: dict[str, set[str]]) -> set[str]:
    """All that a module imports, also by what it imports; itself only where it is in a circle."""
    reached: set[str] = set()
    unread = [name]
    while unread:
        news = graph[unread.pop()] - reached
        reached |= news
        unread.extend(news)
    return reached


def of_ours(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """The modules among those known that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from {alias.name for alias in node.names} & known
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from [inner] if inner in known else {node.module} & known


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_rooms_hand_each_other_values_and_hardly_any_loose_dictionaries() -> None:
    loose = [
        f"{module_of(path)}.{function.name}"
        for path in MODULES
        if path.relative_to(ROOT / "src" / "regulars").parts[0].removesuffix(".py") not in SPEAK_JSON
        for function, _ in functions(ast.parse(path.read_text(encoding="utf-8")))
        if not function.name.startswith("_") and "dict[str, Any]" in ast.unparse(signature(function))
    ]
    assert len(loose) <= MOST_LOOSE, "\n".join(loose)


def signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Tuple:
    """All annotations of a function."""
    taken = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    said = [argument.annotation for argument in taken] + [function.returns]
    return ast.Tuple(elts=[one for one in said if one is not None])


def test_guests_are_they() -> None:
    pages = [*MODULES, *(ROOT / "src" / "regulars" / "wording").rglob("*.toml"), *(ROOT / "docs").glob("*.md")]
    gendered = re.compile(r"\b(?:he|him|his|himself|she|her|hers)\b")
    assert [
        (page.name, line) for page in pages for line in page.read_text("utf-8").splitlines() if gendered.search(line)
    ] == []


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
