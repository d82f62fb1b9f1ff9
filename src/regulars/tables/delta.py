"""Delta: how a table of the lake is read and changed, one atomic commit at a time.

A load is a Delta application transaction: the same transaction is never applied twice. All loads share one more, and each is
committed onto the version that it was compared with: of two at once the second is refused, and compares again.
"""

import errno
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, create_table_with_add_actions

from regulars.errors import DataError

_METADATA = _ALL_LOADS = "regulars"
_IS_GONE = "__is_gone"
_REMEMBERING = {"delta.logRetentionDuration": "interval 36500 days"}
"""Commits stay, for a load can be taken back as long as its commit is there."""
_TRIES = 50
_NO_ROOM = ("no space left", "file too large", "disk quota", "os error 28", "os error 27", "os error 122")


class OvertakenError(Exception):
    """Another commit came after the version that rows were compared with; nothing was changed."""


class Commit(NamedTuple):
    """A commit of ours. said: what is remembered of it, such as the load that it was."""

    version: int
    said: dict[str, Any]


class Transaction(NamedTuple):
    """A load: its identity, the version of the table that it was compared with, and what is remembered of it in the commit."""

    identity: str
    onto: int
    metadata: dict[str, Any]


def exists(path: Path) -> bool:
    return deltalake.DeltaTable.is_deltatable(str(path))


def make(path: Path, schema: pa.Schema) -> None:
    """Make the table, without rows, where there is none, and give one of an earlier version its new columns; two may try at once."""
    if exists(path):
        return _widen(path, schema)
    with _saying_why(path):
        try:
            deltalake.DeltaTable.create(
                str(path), schema=deltalake.Schema.from_arrow(schema), mode="ignore", configuration=_REMEMBERING
            )
        except DeltaError:
            if not exists(path):
                raise


def _widen(path: Path, schema: pa.Schema) -> None:
    """Add the columns that the table lacks, unknown in the rows that are there."""
    there = deltalake.DeltaTable(str(path))
    known = {field.name for field in there.schema().fields}
    lacking = pa.schema([field.with_nullable(True) for field in schema if field.name not in known])
    if len(lacking):
        with _saying_why(path):
            there.alter.add_columns(deltalake.Schema.from_arrow(lacking).fields)


def files(path: Path, version: int | None = None) -> list[str]:
    """The Parquet files that make up the table, now or at an earlier version."""
    if not exists(path) or version == -1:
        return []
    return sorted(map(unquote, deltalake.DeltaTable(str(path), version=version).file_uris()))


def version(path: Path) -> int:
    """The version of the table, -1 where there is none."""
    return deltalake.DeltaTable(str(path)).version() if exists(path) else -1


def has_applied(path: Path, identity: str) -> bool:
    """Whether a transaction was ever applied."""
    return exists(path) and deltalake.DeltaTable(str(path)).transaction_version(identity) is not None


def commits(path: Path) -> list[Commit]:
    """The commits of loads that a table remembers, newest first."""
    if not exists(path):
        return []
    history = deltalake.DeltaTable(str(path)).history()
    return [Commit(one["version"], json.loads(one[_METADATA])) for one in history if _METADATA in one]


def append(path: Path, rows: pa.RecordBatchReader, transaction: Transaction) -> None:
    """Add rows. Raises OvertakenError where the table is no longer as it was compared."""
    with _saying_why(path):
        there = deltalake.DeltaTable(str(path), version=transaction.onto)
        deltalake.write_deltalake(there, rows, mode="append", commit_properties=_properties(transaction))


def upsert(
    path: Path, rows: pa.RecordBatchReader, gone: pa.Table, key: tuple[str, ...], transaction: Transaction
) -> None:
    """Replace the rows whose key is there, add the others, and take out those that are gone.

    Raises OvertakenError where the table is no longer as it was compared.
    """
    with _saying_why(path):
        (
            deltalake.DeltaTable(str(path), version=transaction.onto)
            .merge(
                _marked(rows, gone),
                predicate=" AND ".join(f"there.{name} = here.{name}" for name in key),
                source_alias="here",
                target_alias="there",
                commit_properties=_properties(transaction),
            )
            .when_matched_delete(predicate=f"here.{_IS_GONE}")
            .when_matched_update_all(predicate=f"NOT here.{_IS_GONE}", except_cols=[_IS_GONE])
            .when_not_matched_insert_all(predicate=f"NOT here.{_IS_GONE}", except_cols=[_IS_GONE])
            .execute()
        )


def _marked(rows: pa.RecordBatchReader, gone: pa.Table) -> pa.RecordBatchReader:
    """Rows, and rows that are gone, and which is which."""
    field = pa.field(_IS_GONE, pa.bool_())
    both = chain(((batch, False) for batch in rows), ((batch, True) for batch in gone.to_batches()))
    marked = (batch.append_column(field, pa.array([is_gone] * len(batch), pa.bool_())) for batch, is_gone in both)
    return pa.RecordBatchReader.from_batches(rows.schema.append(field), marked)


def replace(path: Path, rows: pa.Table, predicate: str, onto: int | None = None) -> None:
    """Put rows in the place of those that match the predicate. onto: the version that they were worked out from, where there is one.

    Raises OvertakenError where the table is no longer at that version.
    """
    for _ in range(_TRIES if onto is None else 1):
        at = version(path) if onto is None else onto
        try:
            with _saying_why(path):
                there = deltalake.DeltaTable(str(path), version=at)
                shared = deltalake.CommitProperties(app_transactions=[deltalake.Transaction(_ALL_LOADS, at + 1)])
                deltalake.write_deltalake(
                    there, rows.to_reader(), mode="overwrite", predicate=predicate, commit_properties=shared
                )
            return
        except OvertakenError:
            if onto is not None:
                raise
    raise DataError(f"{path.name}: others keep writing to it; run it again")


def replace_with_files(path: Path, write: Callable[[Path], list[Path]]) -> None:
    """Put the rows of new Parquet files in the place of all there are. `write` makes them somewhere below the table's folder."""
    with _saying_why(path):
        path.mkdir(parents=True, exist_ok=True)
        files = write(path)
        schema = deltalake.Schema.from_arrow(pq.read_schema(files[0]))
        added = [_added(path, file) for file in files]
        try:
            create_table_with_add_actions(str(path), schema, added, mode="overwrite")
        except CommitFailedError:
            raise DataError(f"{path.name}: somebody else wrote it at the same time; run it again") from None


def _added(path: Path, file: Path) -> AddAction:
    known = file.stat()
    rows = json.dumps({"numRecords": pq.read_metadata(file).num_rows})
    return AddAction(quote(str(file.relative_to(path))), known.st_size, {}, int(known.st_mtime * 1000), True, rows)


def _properties(transaction: Transaction) -> deltalake.CommitProperties:
    return deltalake.CommitProperties(
        app_transactions=[
            deltalake.Transaction(transaction.identity, 1),
            deltalake.Transaction(_ALL_LOADS, transaction.onto + 1),
        ],
        custom_metadata={_METADATA: json.dumps({"load_id": transaction.identity, **transaction.metadata})},
    )


@contextmanager
def _saying_why(path: Path) -> Iterator[None]:
    """What storage refused, as a DataError; the table is as it was before."""
    try:
        yield
    except (OSError, DeltaError) as error:
        if isinstance(error, CommitFailedError) and not is_no_room(error):
            raise OvertakenError(str(error)) from None
        if is_no_room(error):
            raise DataError(
                f"{path.name}: no space left on the disk; nothing was changed. Free some, then run it again"
            ) from None
        raise DataError(f"{path.name}: cannot be written: {error}; nothing was changed") from None


def is_no_room(error: BaseException) -> bool:
    """Whether an error means a full disk."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return True
    return any(word in str(error).lower() for word in _NO_ROOM)
