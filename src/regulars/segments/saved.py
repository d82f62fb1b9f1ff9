"""Saved segments: rules by name, kept in the workspace. A changed rule is a new version; no version is ever changed.

    segments/big_spenders/1.toml, 2.toml, ...

`@big_spenders` is its latest version, `@big_spenders:1` the first; a ready segment answers to its name too, until the
workspace saves one of that name.
"""

import datetime as dt
import json
import os
import re
import uuid
from pathlib import Path
from typing import NamedTuple

from regulars.documents import Document, nearest, read
from regulars.errors import DataError
from regulars.segments.library import LIBRARY
from regulars.segments.rules import Segment
from regulars.tables.workspace import Workspace

_NAME = r"[a-z][a-z0-9_]{0,62}"
_REFERENCE = re.compile(rf"@({_NAME})(?::([1-9]\d{{0,5}}))?")


class SavedSegment(NamedTuple):
    """One version of a named rule. A ready segment has version 0 and was saved by nobody."""

    name: str
    version: int
    rule: str
    meaning: str
    saved_at: dt.datetime | None


class _Kept(Document):
    rule: str
    meaning: str = ""
    saved_at: dt.datetime


def save(workspace: Workspace, name: str, rule: str, *, meaning: str | None = None, now: dt.datetime) -> SavedSegment:
    """Keep a rule under a name, as its next version; the same rule and meaning again is no new version.

    name: lower-case letters, digits and underscores, a letter first. meaning: what it is for, one line; None leaves what the
    version before says. Raises DataError for another name, and for a rule that
    cannot be read.
    """
    if not re.fullmatch(_NAME, name):
        raise DataError(
            f"'{name}' is no name for a segment; use lower-case letters, digits and _, such as lapsed_families"
        )
    segment = Segment(rule)
    workspace.require_writable()
    kept = versions(workspace, name)
    last = kept[-1] if kept else SavedSegment(name, 0, "", "", None)
    made = SavedSegment(name, last.version + 1, segment.text, last.meaning if meaning is None else meaning, now)
    if (made.rule, made.meaning) == (last.rule, last.meaning):
        return last
    _write(_folder(workspace, name), made)
    return made


def saved(workspace: Workspace) -> tuple[SavedSegment, ...]:
    """The latest version of every saved segment, by name."""
    names = sorted(path.name for path in workspace.segments.glob("*") if path.is_dir())
    return tuple(kept[-1] for name in names if (kept := versions(workspace, name)))


def versions(workspace: Workspace, name: str) -> tuple[SavedSegment, ...]:
    """All versions of a saved segment, the first one first; none where there is no such segment."""
    files = [path for path in _folder(workspace, name).glob("*.toml") if path.stem.isdigit()]
    return tuple(_read(path) for path in sorted(files, key=lambda path: int(path.stem)))


def is_reference(text: str) -> bool:
    """Whether a text names a segment rather than being a rule."""
    return text.lstrip().startswith("@")


def find(workspace: Workspace, reference: str) -> SavedSegment:
    """The segment that `@name` or `@name:version` names. Raises DataError where there is none."""
    parts = _REFERENCE.fullmatch(reference.strip())
    if parts is None:
        raise DataError(f"'{reference}' names no segment; write @name, or @name:2 for its second version")
    name, version = parts[1], parts[2]
    kept = versions(workspace, name)
    if version is not None:
        found = [segment for segment in kept if segment.version == int(version)]
    else:
        found = [*kept] or [SavedSegment(r.name, 0, r.rule, r.meaning, None) for r in LIBRARY if r.name == name]
    if not found:
        raise DataError(f"there is no segment {reference.strip()}; {_what_there_is(workspace, name, kept)}")
    return found[-1]


def _what_there_is(workspace: Workspace, name: str, kept: tuple[SavedSegment, ...]) -> str:
    if kept:
        return f"it has version {', '.join(str(segment.version) for segment in kept)}"
    known = [*(segment.name for segment in saved(workspace)), *(ready.name for ready in LIBRARY)]
    return f"`regulars segments` lists them{nearest(name, known)}"


def _folder(workspace: Workspace, name: str) -> Path:
    return workspace.segments / name


def _read(path: Path) -> SavedSegment:
    kept = read(path, _Kept)
    return SavedSegment(path.parent.name, int(path.stem), kept.rule, kept.meaning, kept.saved_at)


def _write(folder: Path, made: SavedSegment) -> None:
    """Whole or not at all; of two who save at once, one is told so and nothing of the other's is lost."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = {"rule": made.rule, "meaning": made.meaning, "saved_at": made.saved_at}
    text = "".join(
        f"{name} = {value.isoformat() if isinstance(value, dt.datetime) else json.dumps(value, ensure_ascii=False)}\n"
        for name, value in lines.items()
    )
    draft = folder / f".{uuid.uuid4().hex}"
    draft.write_text(text, encoding="utf-8")
    try:
        os.link(draft, folder / f"{made.version}.toml")
    except FileExistsError:
        raise DataError(
            f"somebody else saved {made.name} at the same moment; look at @{made.name}, then save again"
        ) from None
    finally:
        draft.unlink()
