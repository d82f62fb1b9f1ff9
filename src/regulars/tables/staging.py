"""Staging: where a load gathers what it read, before anything of it can be seen."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from regulars.errors import DataError
from regulars.tables import delta
from regulars.tables.contracts import Contract
from regulars.tables.engines import Engine, Frame
from regulars.tables.intake import LINE, REASONS, ROW, midnight_of
from regulars.tables.workspace import Workspace


class Staging(NamedTuple):
    """Three Parquet files in a folder that goes away with the load."""

    folder: Path

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted.parquet"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected.parquet"

    @property
    def void(self) -> Path:
        return self.folder / "void.parquet"

    def rows(self, contract: Contract, engine: Engine) -> Frame:
        return engine.scan([str(self.accepted)], staged_schema(contract))

    def rejects(self, engine: Engine) -> Frame:
        return engine.scan([str(self.rejected)], REASONS)

    def void_keys(self, contract: Contract, engine: Engine) -> Frame:
        return engine.scan([str(self.void)], void_schema(contract))


def staged_schema(contract: Contract) -> pa.Schema:
    """What a staged row holds: the contract's columns, where it stood, and the dates of times at midnight."""
    places = [pa.field(LINE, pa.int64()), pa.field(ROW, pa.int64())]
    midnights = [pa.field(midnight_of(column), pa.date32()) for column in contract.instants]
    return pa.schema([*contract.schema, *places, *midnights])


def void_schema(contract: Contract) -> pa.Schema:
    """What is kept of a row that never was: its key, and why."""
    return pa.schema([*(contract.schema.field(name) for name in contract.key), pa.field("because", pa.string())])


@contextmanager
def staging(workspace: Workspace) -> Iterator[Staging]:
    """A folder for one load. Raises DataError where the disk is full."""
    folder = workspace.scratch / f"load-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True)
        yield Staging(folder)
    except OSError as error:
        if not delta.is_no_room(error):
            raise
        raise DataError(
            f"{workspace.path}: no space left on the disk; nothing was changed. Free some, then run it again"
        ) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
