"""The words of the page on quality, English and Chinese; they stand in `templates/quality.toml`."""

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "zh")


@lru_cache(maxsize=1)
def _all() -> dict[str, Any]:
    return tomllib.loads(
        (resources.files("regulars.reports") / "templates" / "quality.toml").read_text(encoding="utf-8")
    )


def words(language: str) -> dict[str, Any]:
    """All sentences and headings. Raises ValueError for a language that is neither en nor zh."""
    if language not in LANGUAGES:
        raise ValueError(f"language is {' or '.join(LANGUAGES)}, not {language!r}")
    return dict(_all()[language])


def called(kind: str, name: str, language: str) -> str:
    """A factor, its level, a reason or an experience as people call it. kind: factors, levels, reasons or experiences."""
    return str(_all()[kind].get(name, name)) if language == "zh" else name
