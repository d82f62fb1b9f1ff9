"""Documented or fail: every setting, metric and scope stands on its page."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

from regulars.access.tills import SCOPES
from regulars.service import middleware
from regulars.till import api

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SETTINGS = "\n".join(
    (ROOT / "src" / "regulars" / page).read_text(encoding="utf-8") for page in ("settings.py", "cli/language.py")
)
COUNTING = (api, middleware)
"""Whoever counts must be there to be asked."""


def test_every_setting_is_on_the_page_and_every_one_on_the_page_is_read() -> None:
    read = set(re.findall(r'"(REGULARS_[A-Z_]+|DATABASE_URL)"', SETTINGS))
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", OPERATIONS, re.MULTILINE))
    assert len(read) > 5
    assert read == told


def test_every_metric_and_scope_is_on_the_page() -> None:
    ours = {name for name in REGISTRY._names_to_collectors if name.startswith("regulars_")}
    bare = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in ours}
    bare -= {name for name in bare if f"{name}_total" in ours}
    assert bare
    assert [name for name in bare if f"`{name}`" not in OPERATIONS] == []
    assert [scope for scope in SCOPES if f"| `{scope}` |" not in OPERATIONS] == []
