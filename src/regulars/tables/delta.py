"""Delta: how a table of the lake is read and changed, one atomic commit at a time.

A load is a Delta application transaction: the same transaction is never applied twice.
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

_METADATA = "regulars"
_IS_GONE = "__is_gone"
_NO_ROOM = ("no space left", "file too large", "disk quota", "os error 28", "os error 27", "os error 122")


class Transaction(NamedTuple):
    """A load: its identity, and what is remembered of it in the commit."""

    identity: str
    metadata: dict[str, Any]


def exists(path: Path) -> bool:
    return deltalake.DeltaTable.is_deltatable(str(path))


def files(path: Path, version: int | None = None) -> list[str]:
    """The Parquet files that make up the table, now or at an earlier version."""
    if not exists(path) or version == -1:
        return []
    return sorted(map(unquote, deltalake.DeltaTable(str(path), version=version).file_uris()))


def version(path: Path) -> int:
    """The version of the table, -1 where there is none."""
    return deltalake.DeltaTable(str(path)).version() if exists(path) else -1


def remembered(path: Path, identity: str) -> dict[str, Any] | None:
    """What was remembered of a transaction, None where it was never applied."""
    if not exists(path):
        return None
    table = deltalake.DeltaTable(str(path))
    if table.transaction_version(identity) is None:
        return None
    for commit in table.history():
        metadata = json.loads(commit.get(_METADATA, "{}"))
        if metadata.get("load_id") == identity:
            return dict(metadata)
    return {}


def append(path: Path, rows: pa.RecordBatchReader, transaction: Transaction) -> None:
    """Add rows. The table is made where there is none."""
    with _saying_why(path):
        deltalake.write_deltalake(str(path), rows, mode="append", commit_properties=_properties(transaction))


def upsert(
    path: Path, rows: pa.RecordBatchReader, gone: pa.Table, key: tuple[str, ...], transaction: Transaction
) -> None:
    """Replace the rows whose key is there, add the others, and take out those that are gone."""
    with _saying_why(path):
        (
            deltalake.DeltaTable(str(path))
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


def replace(path: Path, rows: pa.RecordBatchReader, predicate: str | None = None) -> None:
    """Put rows in the place of those that match the predicate; without one, of all, and the columns may be others."""
    with _saying_why(path):
        if predicate is None:
            deltalake.write_deltalake(str(path), rows, mode="overwrite", schema_mode="overwrite")
        else:
            deltalake.write_deltalake(str(path), rows, mode="overwrite", predicate=predicate if exists(path) else None)


def replace_with_files(path: Path, write: Callable[[Path], list[Path]]) -> None:
    """Put the rows of new Parquet files in the place of all there are. `write` makes them somewhere below the table's folder."""
    with _saying_why(path):
        path.mkdir(parents=True, exist_ok=True)
        files = write(path)
        schema = deltalake.Schema.from_arrow(pq.read_schema(files[0]))
        added = [_added(path, file) for file in files]
        create_table_with_add_actions(str(path), schema, added, mode="overwrite")


def _added(path: Path, file: Path) -> AddAction:
    known = file.stat()
    rows = json.dumps({"numRecords": pq.read_metadata(file).num_rows})
    return AddAction(quote(str(file.relative_to(path))), known.st_size, {}, int(known.st_mtime * 1000), True, rows)


def _properties(transaction: Transaction) -> deltalake.CommitProperties:
    return deltalake.CommitProperties(
        app_transactions=[deltalake.Transaction(transaction.identity, 1)],
        custom_metadata={_METADATA: json.dumps({"load_id": transaction.identity, **transaction.metadata})},
    )


@contextmanager
def _saying_why(path: Path) -> Iterator[None]:
    """What storage refused, as a DataError; the table is as it was before."""
    try:
        yield
    except CommitFailedError as error:
        raise DataError(
            f"{path.name}: another load came between; nothing was changed, run it again ({error})"
        ) from None
    except (OSError, DeltaError) as error:
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
