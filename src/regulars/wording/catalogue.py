"""The catalogue: `sentences/*.toml`, one file for each room; a table for each code, with its words in every language.

    [few_exposures]
    en = "{offer} was given to {guests:count guest} only[ since {since}]"
    zh = "{offer} 仅发给 {guests} 位客人[（自 {since} 起）]"

`{fact}` is filled in, as its kind is read or as the word after the colon says (`regulars.wording.voice`); what stands in brackets
is said where all its facts are known.
"""

import tomllib
from functools import lru_cache
from importlib import resources

from regulars.documents import nearest


def words_of(code: str, language: str) -> str:
    """The words of a code, before facts are filled in. Raises ValueError for a code that has none."""
    try:
        return _all()[code][language]
    except KeyError:
        raise ValueError(
            f"no sentence is called '{code}'{nearest(code, _all())}; give it words in sentences/"
        ) from None


def known_codes() -> frozenset[str]:
    """Every code that has words."""
    return frozenset(_all())


@lru_cache(maxsize=1)
def _all() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for file in sorted((resources.files("regulars.wording") / "sentences").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            for code, words in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if code in found:
                    raise ValueError(f"{file.name}: '{code}' has words in another file too; give it another code")
                found[code] = words
    return found
