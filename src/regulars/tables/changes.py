"""Changes: what a load makes new, puts in the place of something else, and takes out, against one version of the table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.tables import delta
from regulars.tables.contracts import Contract
from regulars.tables.engines import Engine, Frame

_IS_HELD, _IS_NEW, _IS_MOVED = "__is_held", "__is_new", "__is_moved"


class Held(NamedTuple):
    """A table at the version that a load compares its rows with. rows: None where it is empty."""

    version: int
    rows: Frame | None

    @classmethod
    def now(cls, table: Path, contract: Contract, engine: Engine) -> "Held":
        version = delta.version(table)
        files = delta.files(table, version)
        return cls(version, engine.scan(files, contract.schema) if files else None)


class Dropped(NamedTuple):
    """Keys, in the columns `by`, whose rows go where the table holds them."""

    keys: Frame
    by: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """rows: accepted, one for each key. rejects: in the shape of intake.REASONS. set_aside: what another row says never was.

    dropped: what the table holds and the source says is no more.
    """

    rows: Frame
    rejects: pa.Table
    set_aside: dict[str, int]
    dropped: list[Dropped]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Rows to be committed, in a Parquet file, onto the version that they were compared with.

    new, replaced: how many of them there are of each kind. moved: how many of the replaced were of another store or day.
    gone: rows to be taken out.
    """

    rows: Path
    onto: int
    new: int
    gone: pa.Table
    contract: Contract
    replaced: int = 0
    moved: int = 0

    @property
    def count(self) -> int:
        return self.new + self.replaced + len(self.gone)

    def commit(self, table: Path, load_id: str, metadata: dict[str, Any]) -> None:
        """One atomic commit, also where nothing changed: then only the load is remembered.

        Raises OvertakenError where the table has changed since; compare again.
        """
        schema = self.contract.schema
        transaction = delta.Transaction(load_id, self.onto, metadata)
        batches = pq.ParquetFile(self.rows).iter_batches(columns=schema.names)
        reader = pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))
        if self.replaced or len(self.gone):
            delta.upsert(table, reader, self.gone, self.contract.key, transaction)
        else:
            delta.append(table, reader, transaction)


def find(
    settled: Settled, contract: Contract, held: Held, engine: Engine, folder: Path, *, only_new: bool = False
) -> Changed:
    """The rows that are new to the table, or differ from what it holds, and those it holds that the source says are no more.

    only_new: what differs stays as the table holds it.
    """
    names, path = contract.schema.names, folder / "changed.parquet"
    if held.rows is None:
        engine.write(settled.rows.select(names), path)
        count = pq.read_metadata(path).num_rows
        return Changed(
            rows=path, onto=held.version, new=count, gone=contract.schema.empty_table(), contract=contract
        )  # fmt: skip
    before = held.rows.rename({name: f"held_{name}" for name in names}).with_columns(nw.lit(True).alias(_IS_HELD))
    pairs = settled.rows.join(
        before, left_on=list(contract.key), right_on=[f"held_{name}" for name in contract.key], how="left"
    )
    is_new = nw.col(_IS_HELD).is_null()
    others = [name for name in names if name not in contract.key]
    is_other = nw.any_horizontal(*map(differs, others), ignore_nulls=True)
    is_moved = nw.any_horizontal(*map(differs, contract.place), ignore_nulls=True) if contract.place else nw.lit(False)
    marks = (is_new.alias(_IS_NEW), (~is_new & is_moved).alias(_IS_MOVED))
    engine.write(pairs.filter(is_new if only_new else is_new | is_other).select(*names, *marks), path)
    found = pq.read_table(path, columns=[_IS_NEW, _IS_MOVED])
    new, moved = (pc.sum(found[name]).as_py() or 0 for name in (_IS_NEW, _IS_MOVED))
    return Changed(
        rows=path, onto=held.version, new=new, replaced=len(found) - new, moved=moved, contract=contract,
        gone=_gone(settled.dropped, contract, held.rows, engine),
    )  # fmt: skip


def differs(name: str) -> nw.Expr:
    """Whether a column is another than the one held."""
    new, held = nw.col(name), nw.col(f"held_{name}")
    return (new != held).fill_null(False) | (new.is_null() != held.is_null())


def _gone(dropped: list[Dropped], contract: Contract, held: Frame, engine: Engine) -> pa.Table:
    """The rows of the table that go, each once."""
    none = contract.schema.empty_table()
    parts = (held.select(contract.schema.names).join(keys.select(by), on=by, how="semi") for keys, by in dropped)
    found = pa.concat_tables([none, *(engine.stream(part).read_all().cast(contract.schema) for part in parts)])
    numbered = found.append_column("__place", pa.array(range(len(found)), pa.int64()))
    return found.take(numbered.group_by(list(contract.key)).aggregate([("__place", "min")])["__place_min"])
