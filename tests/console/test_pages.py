"""Documented or fail: every setting, route, problem, metric and scope stands on its page."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from regulars.console.api.app import api
from regulars.console.api.problems import STATUSES
from regulars.offers.tills import SCOPES

ROOT = Path(__file__).parents[2]
TILL = (ROOT / "docs" / "till.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "src" / "regulars" / "settings.py").read_text(encoding="utf-8")


def test_every_setting_is_on_the_page_and_every_one_on_the_page_is_read() -> None:
    read = set(re.findall(r'"(REGULARS_[A-Z_]+|DATABASE_URL)"', SETTINGS))
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", OPERATIONS, re.MULTILINE))
    assert len(read) > 5
    assert read == told


def test_every_route_is_on_the_page_and_every_one_on_the_page_is_there() -> None:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    there = {f"{method.upper()} /{path.lstrip('/')}" for path, methods in paths.items() for method in methods}
    told = set(re.findall(r"^\| `((?:GET|POST|DELETE) [^`]+)` \|", TILL, re.MULTILINE))
    assert there == told


@pytest.mark.parametrize("code", STATUSES)
def test_a_problem_is_on_the_page_beside_its_status(code: str) -> None:
    (row,) = [line for line in TILL.splitlines() if line.startswith("| ") and f"`{code}`" in line and line[2].isdigit()]
    assert str(STATUSES[code]) in row.split("|")[1]


def test_every_metric_and_scope_is_on_the_page() -> None:
    ours = {name for name in REGISTRY._names_to_collectors if name.startswith("regulars_")}
    bare = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in ours}
    bare -= {name for name in bare if f"{name}_total" in ours}
    assert bare
    assert [name for name in bare if f"`{name}`" not in OPERATIONS] == []
    assert [scope for scope in SCOPES if f"| `{scope}` |" not in OPERATIONS] == []
