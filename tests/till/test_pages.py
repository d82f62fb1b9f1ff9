"""Documented or fail: every route and problem stands on its page."""

import re
from pathlib import Path

import pytest

from regulars.till.api import api
from regulars.till.problems import STATUSES

TILL = (Path(__file__).parents[2] / "docs" / "till.md").read_text(encoding="utf-8")


def test_every_route_is_on_the_page_and_every_one_on_the_page_is_there() -> None:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    there = {f"{method.upper()} /{path.lstrip('/')}" for path, methods in paths.items() for method in methods}
    told = set(re.findall(r"^\| `((?:GET|POST|DELETE) [^`]+)` \|", TILL, re.MULTILINE))
    assert there == told


@pytest.mark.parametrize("code", STATUSES)
def test_a_problem_is_on_the_page_beside_its_status(code: str) -> None:
    (row,) = [line for line in TILL.splitlines() if line.startswith("| ") and f"`{code}`" in line and line[2].isdigit()]
    assert str(STATUSES[code]) in row.split("|")[1]
