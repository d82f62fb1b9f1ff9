"""Saved segments: every change is a new version, nothing that was saved is ever lost."""

import datetime as dt
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from regulars.errors import DataError
from regulars.segments import LIBRARY, SavedSegment, find, is_reference, save, saved, versions
from regulars.tables import Workspace
from regulars.tables.workspace import Settings

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "shop", Settings())


def test_a_changed_rule_is_a_new_version_and_the_old_one_stays(workspace: Workspace) -> None:
    first = save(workspace, "drifting", 'stage == "slipping"', meaning='the "quiet" ones', now=NOON)
    second = save(workspace, "drifting", "recency_days > 45", now=LATER)
    assert versions(workspace, "drifting") == (first, second)
    assert second == SavedSegment("drifting", 2, "recency_days > 45", 'the "quiet" ones', LATER)
    assert find(workspace, "@drifting") == second
    assert find(workspace, "@drifting:1") == first


def test_the_same_again_is_no_new_version(workspace: Workspace) -> None:
    first = save(workspace, "drifting", "visits > 3", meaning="often", now=NOON)
    assert save(workspace, "drifting", "visits > 3", now=LATER) == first
    assert save(workspace, "drifting", "visits > 3", meaning="seldom", now=LATER).version == 2


def test_the_latest_of_each_are_listed_by_name(workspace: Workspace) -> None:
    for name, rule in (("b", "visits > 1"), ("a", "visits > 2"), ("b", "visits > 3")):
        save(workspace, name, rule, now=NOON)
    assert [(segment.name, segment.version) for segment in saved(workspace)] == [("a", 1), ("b", 2)]


def test_versions_are_counted_not_spelled(workspace: Workspace) -> None:
    for number in range(11):
        save(workspace, "often", f"visits > {number}", now=NOON)
    assert [segment.version for segment in versions(workspace, "often")] == list(range(1, 12))


def test_a_ready_segment_answers_until_one_of_its_name_is_saved(workspace: Workspace) -> None:
    assert find(workspace, "@big_tables").rule == next(r.rule for r in LIBRARY if r.name == "big_tables")
    save(workspace, "big_tables", "average_covers >= 9", now=NOON)
    assert find(workspace, "@big_tables").rule == "average_covers >= 9"


def test_of_two_who_save_at_once_neither_is_lost(workspace: Workspace) -> None:
    def attempt(number: int) -> str:
        try:
            save(workspace, "often", f"visits > {number}", now=NOON)
        except DataError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(40)))
    won = answers.count("")
    assert all("somebody else saved often at the same moment" in answer for answer in answers if answer)
    kept = versions(workspace, "often")
    assert [segment.version for segment in kept] == list(range(1, won + 1))
    assert len({segment.rule for segment in kept}) == won
    assert not list((workspace.segments / "often").glob(".*"))


@pytest.mark.parametrize("name", ["", "Often", "1st", "../x", "a b", "a" * 64, "a/b", "常客"])
def test_a_name_that_cannot_be_a_reference_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(DataError, match="is no name for a segment"):
        save(workspace, name, "visits > 1", now=NOON)


def test_a_rule_that_cannot_be_read_is_not_kept(workspace: Workspace) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        save(workspace, "often", "visits >", now=NOON)
    assert saved(workspace) == ()


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("@oftn", "there is no segment @oftn; .*did you mean 'often'"),
        ("@often:3", "it has version 1"),
        ("@often:0", "names no segment; write @name, or @name:2"),
        ("@../../etc", "names no segment"),
    ],
)
def test_what_there_is_is_said_where_none_is_found(workspace: Workspace, reference: str, words: str) -> None:
    save(workspace, "often", "visits > 3", now=NOON)
    with pytest.raises(DataError, match=words):
        find(workspace, reference)
    assert is_reference(reference)


def test_a_workspace_from_before_there_were_saved_segments_has_none(workspace: Workspace) -> None:
    shutil.rmtree(workspace.segments)
    assert saved(workspace) == ()
    assert save(workspace, "often", "visits > 3", now=NOON).version == 1
