"""Unloading: a load taken back, and what it had replaced put in its place again.

A table keeps its versions, so what a commit changed is the difference of two of them. Of that goes what is still as the load left
it; what a later load replaced is that load's.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.tables import delta, rejects
from regulars.tables.changes import differs
from regulars.tables.contracts import CONTRACTS, Contract
from regulars.tables.delta import Commit
from regulars.tables.engines import Engine, Frame
from regulars.tables.loading import SHOWN
from regulars.tables.workspace import Workspace

_TRIES = 20
_LEAST_LETTERS = 4


class Load(NamedTuple):
    """A load of one file into one table. load: what `unload` takes it back by; tables that were loaded together share it.

    new, replaced, gone: rows of the table then. is_undone: whether it was taken back.
    """

    load: str
    table: str
    source: str
    loaded_at: dt.datetime
    accepted: int
    rejected: int
    new: int
    replaced: int
    gone: int
    is_undone: bool
    load_id: str


class Unloaded(NamedTuple):
    """What became of a table. removed: rows that went; restored: rows that the load had replaced or taken out, and are there again.

    stayed: rows that a later load replaced, and stores and dishes that a file only mentioned and others speak of.
    again: files that were loaded later and may have had some of the removed rows as well.
    orphans: by table, how many rows now speak of something that went.
    """

    load: str
    table: str
    source: str
    removed: int
    restored: int
    stayed: int
    again: tuple[str, ...] = ()
    orphans: dict[str, int] = {}  # noqa: RUF012  (never changed)


def loads(workspace: Workspace) -> list[Load]:
    """Every load that the workspace remembers, the latest first."""
    found = [load for table in CONTRACTS for load in _of_table(workspace, table)]
    return sorted(found, key=lambda load: load.loaded_at, reverse=True)


def unload(workspace: Workspace, engine: Engine, name: str, table: str | None = None) -> list[Unloaded]:
    """Take back a load, from one of its tables or from all, the last one first.

    Raises DataError where no load is called so, or several are.
    """
    chosen = _chosen(workspace, name, table)
    order = list(CONTRACTS)
    return [_take_back(load, workspace, engine) for load in sorted(chosen, key=lambda one: -order.index(one.table))]


def roll_back(workspace: Workspace, engine: Engine, names: Iterable[str]) -> None:
    """Take back what was committed under some names of loads, the last table first."""
    known = loads(workspace)
    for name in names:
        mine = [load for load in known if load.load == name]
        for load in sorted(mine, key=lambda one: -list(CONTRACTS).index(one.table)):
            _take_back(load, workspace, engine, only=name)


def _of_table(workspace: Workspace, table: str) -> Iterator[Load]:
    """The loads of one table; several commits of the same load are one."""
    known = delta.commits(workspace.table(table))
    undone = {version for commit in known for version in commit.said.get("undone", ())}
    together: dict[str, list[Commit]] = {}
    for commit in known:
        if "undone" not in commit.said and "loaded_at" in commit.said:
            together.setdefault(commit.said["load_id"], []).append(commit)
    for load_id, commits in together.items():
        said = commits[0].said
        counts = {name: sum(one.said.get(name, 0) for one in commits) for name in ("new", "replaced", "gone")}
        yield Load(
            load=_name(said), table=table, source=said["source"], loaded_at=dt.datetime.fromisoformat(said["loaded_at"]),
            accepted=said["accepted"], rejected=said["rejected"], **counts,
            is_undone=all(one.version in undone for one in commits), load_id=load_id,
        )  # fmt: skip


def _name(said: dict[str, Any]) -> str:
    return str(said.get("load") or said["load_id"][:SHOWN])


def _chosen(workspace: Workspace, name: str, table: str | None) -> list[Load]:
    known = [load for load in loads(workspace) if table in (None, load.table)]
    found = [load for load in known if name in (load.load, load.load_id)]
    if not found and len(name) >= _LEAST_LETTERS:
        found = [load for load in known if load.load.startswith(name) or load.load_id.startswith(name)]
    if not found:
        raise DataError(f"no load is called '{name}'; `regulars loads` lists them")
    if len({load.load for load in found}) > 1:
        several = ", ".join(dict.fromkeys(f"{load.load} ({load.source})" for load in found))
        raise DataError(f"several loads begin with '{name}': {several}; write one of them whole")
    return found


def _take_back(load: Load, workspace: Workspace, engine: Engine, only: str | None = None) -> Unloaded:
    """Undo the commits of a load that are not undone yet, the last one first. only: those that were made under this name."""
    path, rules = workspace.table(load.table), CONTRACTS[load.table]
    known = delta.commits(path)
    undone = {version for commit in known for version in commit.said.get("undone", ())}
    own = [c for c in known if c.said["load_id"] == load.load_id and c.version not in undone]
    mine = [c.version for c in own if only in (None, c.said.get("load"))]
    mentioned = {c.version for c in known if c.said.get("only_new")}
    parts = [_undo(path, load, version, workspace if version in mentioned else None, engine) for version in mine]
    rejects.forget(load.load_id, workspace)
    removed = pa.concat_tables([rules.schema.empty_table(), *(part.removed for part in parts)])
    return Unloaded(
        load=load.load, table=load.table, source=load.source, removed=len(removed),
        restored=sum(part.restored for part in parts), stayed=sum(part.stayed for part in parts),
        again=_again(known, undone, mine, load) if len(removed) else (),
        orphans=_orphans(removed, rules, workspace, engine) if len(removed) else {},
    )  # fmt: skip


class _Undone(NamedTuple):
    removed: pa.Table
    restored: int
    stayed: int


def _undo(path: Path, load: Load, version: int, workspace: Workspace | None, engine: Engine) -> _Undone:
    """Undo one commit. workspace: where what others still speak of has to stay, as a store that orders only mentioned."""
    rules = CONTRACTS[load.table]
    for _ in range(_TRIES):
        onto = delta.version(path)
        found = _difference(path, rules, version, onto, engine)
        removed, stayed = found.removed, found.stayed
        if workspace is not None and len(removed):
            keys = removed[rules.key[0]]
            is_spoken_of = pc.is_in(keys, _spoken_of(rules, keys, workspace, engine))
            removed, stayed = removed.filter(pc.invert(is_spoken_of)), stayed + pc.sum(is_spoken_of).as_py()
        said = {"undone": [version], "of": load.load_id, "source": load.source}
        try:
            delta.upsert(
                path, found.put.to_reader(), removed, rules.key, delta.Transaction(f"undo {version}", onto, said)
            )
            return _Undone(removed, len(found.put), stayed)
        except delta.OvertakenError:
            continue
    raise DataError(f"{path.name}: others keep loading into it; nothing was changed, run it again")


class _Difference(NamedTuple):
    """removed: rows to take out. put: rows to put back. stayed: how many of the load's rows another load replaced."""

    removed: pa.Table
    put: pa.Table
    stayed: int


def _difference(path: Path, rules: Contract, version: int, onto: int, engine: Engine) -> _Difference:
    """What has to change for a commit to be undone. Files that both of its versions have hold nothing that it changed."""
    old, new = (set(delta.files(path, one)) for one in (version - 1, version))
    before, after = (engine.scan(sorted(files), rules.schema) for files in (old - new, new - old))
    now, key = engine.scan(delta.files(path, onto), rules.schema), list(rules.key)
    changed = after.join(_alike(after, before, rules).select(key), on=key, how="anti")
    standing = _alike(changed, now, rules)
    kept = standing.select(key)
    lost = before.join(after.select(key), on=key, how="anti").join(now.select(key), on=key, how="anti")
    parts = {
        "changed": changed.select(key),
        "removed": standing.join(before.select(key), on=key, how="anti"),
        "back": before.join(kept, on=key, how="semi"),
        "lost": lost,
    }
    read = {name: engine.stream(part.select(*_names(name, rules))).read_all() for name, part in parts.items()}
    removed, back, gone = (read[name].cast(rules.schema) for name in ("removed", "back", "lost"))
    return _Difference(removed, pa.concat_tables([back, gone]), len(read["changed"]) - len(removed) - len(back))


def _names(part: str, rules: Contract) -> list[str]:
    return list(rules.key) if part == "changed" else rules.schema.names


def _alike(rows: Frame, others: Frame, rules: Contract) -> Frame:
    """The rows that stand among others with the same values."""
    key, names = list(rules.key), rules.schema.names
    held = others.select(names).rename({name: f"held_{name}" for name in names})
    pairs = rows.join(held, left_on=key, right_on=[f"held_{name}" for name in key], how="inner")
    is_other = nw.any_horizontal(*(differs(name) for name in names if name not in key), ignore_nulls=True)
    return pairs.filter(~is_other).select(names)


def _again(known: list[Commit], undone: set[int], mine: list[int], load: Load) -> tuple[str, ...]:
    """The files of later loads that had rows which were there already."""
    later = (c.said for c in known if c.version > min(mine) and c.version not in undone and "loaded_at" in c.said)
    shared = (said for said in later if said["accepted"] > said.get("new", 0) + said.get("replaced", 0))
    return tuple(dict.fromkeys(said["source"] for said in shared if said["load_id"] != load.load_id))


def _orphans(removed: pa.Table, rules: Contract, workspace: Workspace, engine: Engine) -> dict[str, int]:
    """How many rows of other tables speak of rows that went."""
    gone = removed[rules.key[0]]
    counts = {
        table: int(pc.sum(pc.is_in(said, gone)).as_py() or 0) for table, said in _speaking(rules, workspace, engine)
    }
    return {table: count for table, count in counts.items() if count}


def _spoken_of(rules: Contract, keys: pa.ChunkedArray, workspace: Workspace, engine: Engine) -> pa.Array:
    """Which of some keys other tables speak of."""
    named = [said.filter(pc.is_in(said, keys)).unique() for _, said in _speaking(rules, workspace, engine)]
    return pa.concat_arrays([pa.array([], pa.string()), *named])


def _speaking(rules: Contract, workspace: Workspace, engine: Engine) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Each table with a column that holds keys of this one, and what it holds."""
    for other in CONTRACTS.values():
        names = [name for name in other.by_name if name == rules.key[0]] if len(rules.key) == 1 else []
        files = delta.files(workspace.table(other.table)) if names and other.table != rules.table else []
        for name in names if files else []:
            rows = engine.scan(files, other.schema).filter(~nw.col(name).is_null()).select(name)
            yield other.table, engine.stream(rows).read_all()[name]
