"""Streaming: the same solver over batches of a frame that memory does not hold, on DuckDB or on a cluster.

Each pass is one `map_batches`: prices go out, and one row of sums comes back of each batch. Guests themselves come back only
for the sample that prices are first found on and for the closest calls, a small share of all, which are decided together.
Which guests are sampled depends on their keys alone, so neither the engine nor how it cuts batches changes the answer.
"""

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from regulars.allocation.formulation import formulate
from regulars.allocation.infeasibility import infeasibility
from regulars.allocation.limits import Limit
from regulars.allocation.options import Options
from regulars.allocation.passes import Passes
from regulars.allocation.prices import PER_ROW, SAMPLE, begin, correct, descend, nearness
from regulars.allocation.problem import COST, GAIN, ONE, Problem, Rows, guard_share
from regulars.allocation.rounding import CLOSE, SOFT_SHARES, decide_closest
from regulars.allocation.solver import WIDER
from regulars.errors import BudgetError

Columns = Mapping[str, NDArray[Any]]
Batch = Any
"""A record batch or a table."""


class Engine(Protocol):
    """What is asked of an engine; see `regulars.tables.engines`."""

    def map_batches(
        self, frame: Any, function: Callable[[pa.RecordBatch], pa.RecordBatch], schema: pa.Schema
    ) -> Any: ...

    def stream(self, frame: Any) -> pa.RecordBatchReader: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Guests in a frame.

    key: the column of guest ids, text or integers, no two alike. gain, cost: one column for each offer.
    limits: the limits of one batch, given its columns as arrays; amounts are those of everybody. It runs on the executors.
    options: what else is asked of everybody, or a function of the columns of a batch, where guests have forced or forbidden offers
        or standard errors of gain: pairs are then true or false for each guest of the batch and offer.

        Source(key="guest_id", gain=["gain_0", "gain_1"], cost=["cost_0", "cost_1"],
               limits=lambda batch: [Limit.total(9_000), Limit.per_group(batch["store"], [4_000, 6_000])])
    """

    key: str
    gain: Sequence[str]
    cost: Sequence[str]
    limits: Callable[[Columns], Sequence[Limit]]
    options: Options | Callable[[Columns], Options] = field(default_factory=Options)

    def formulate(self, batch: Batch) -> Problem:
        """The problem of the guests of one batch. Raises ValueError or BudgetError saying among which guests something is wrong."""
        columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in self._names(batch)}
        gain, cost = (tuple(columns[name] for name in names) for names in (self.gain, self.cost))
        try:
            options = self.options if isinstance(self.options, Options) else self.options(columns)
            return formulate(gain, cost, self.limits(columns), options, threads=1)
        except (ValueError, BudgetError) as error:
            first = batch.column(self.key)[0].as_py() if batch.num_rows else None
            raise type(error)(f"in the batch of guests that begins with {self.key} {first!r}: {error}") from error

    def _names(self, batch: Batch) -> list[str]:
        return [name for name in batch.schema.names if isinstance(name, str)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Streamed:
    """Who gets what, without the guests.

    assignments: a frame of the key and `offer`, -1 for nothing; worked out when it is read.
    Everything else as in Allocation.
    """

    assignments: Any = field(repr=False)
    gain: float
    spend: float
    worth: float
    bound: float
    prices: Mapping[str, NDArray[np.float64]] = field(repr=False)
    used: Mapping[str, NDArray[np.float64]] = field(repr=False)

    @property
    def gap(self) -> float:
        return max(0.0, 1.0 - self.worth / self.bound) if self.bound > 0 else 0.0


def solve_stream(frame: Any, engine: Engine, source: Source, *, seed: int = 0) -> Streamed:
    """Solve over the batches of a frame; see `solve`.

    Raises BudgetError naming the limits that cannot hold together.
    """
    stream = _Stream(frame, engine, source)
    part, whole = stream.sampled(seed)
    prices, soft = descend(part, begin(part, seed=seed, start=None), (0.03,))
    priced = correct(whole, part, prices, lambda at: stream.total(at)[1][0]) if part.guests < stream.guests else None
    prices = prices if priced is None else priced.prices
    share = 1.0 if priced is None else min(1.0, max(CLOSE / stream.guests, WIDER * priced.residual))
    while True:
        near = nearness(Passes(part), prices, share)
        found = _decide(stream, whole, prices, near, soft)
        if found is not None:
            return found
        if share >= 1:
            raise infeasibility(part, seed=seed, threads=None)
        share = min(1.0, share * 8)


def _decide(stream: "_Stream", whole: Problem, prices: Rows, near: float, soft: float) -> Streamed | None:
    """The closest calls decided on what all others leave; None if they are not enough to keep the limits."""
    clear, counts = stream.total(prices, near)
    keys, problem = stream.close(prices, near)
    rest = replace(problem, amounts=whole.amounts - counts[0], guard=whole.guard)
    final, soft = descend(rest, prices, SOFT_SHARES, trust=near)
    choice, final = decide_closest(rest, Passes(rest), final, soft)
    if choice is None:
        return None
    sums = Passes(rest).add_up(choice)
    totals = clear + np.array([float((sums @ rest.aim).sum()), *(float(sums[..., r].sum()) for r in (GAIN, COST))])
    return Streamed(
        assignments=stream.assigned(
            prices, near, dict(zip(keys, rest.offers_of(choice.copy()).tolist(), strict=True)), is_single=rest.is_single
        ),
        worth=float(totals[0]),
        gain=float(totals[1]),
        spend=float(totals[2]),
        bound=stream.bound(whole, final),
        prices=whole.split(final),
        used=whole.split(whole.reached(counts + rest.counts(sums))),
    )


class _Stream:
    """The passes over a frame."""

    def __init__(self, frame: Any, engine: Engine, source: Source) -> None:
        self.frame = nw.from_native(frame).lazy()
        self.engine, self.source = engine, source
        count = engine.stream(self.frame.select(nw.len().alias("n").cast(nw.Int64))).read_all()
        self.guests = int(count["n"][0].as_py())
        self.schema = engine.stream(self.frame.head(1)).schema

    def sampled(self, seed: int) -> tuple[Problem, Problem]:
        """Guests of the sample as a problem of their own, and the limits of everybody over them."""
        few = self.source.formulate(self._rows(lambda batch: np.arange(batch.num_rows) < 1))
        size = max(SAMPLE, PER_ROW * len(few.amounts))
        most, key = min(1.0, size / max(1, self.guests)) * 2**32, self.source.key
        part = self.source.formulate(self._rows(lambda batch: _hashes(batch.column(key), seed) < most))
        part = part.take(np.arange(part.guests))
        touches = (part.rules.takes[..., [GAIN, COST]] != 0).any(axis=(1, 2)) | (
            part.rules.takes[..., ONE + 1 :] != 0
        ).any(axis=(1, 2))
        size_of = np.where(
            part.amounts == 0, 2 * part.free_worth * self.guests / max(1, part.guests), np.abs(part.amounts)
        )
        guard = np.where(touches & np.isfinite(size_of), guard_share(self.guests) * size_of, 0.0)
        whole = replace(part, guard=guard, offered=part.offered._replace(cells=_Counted(self.guests)))
        return replace(part, amounts=part.amounts * (part.guests / max(1, self.guests))), whole

    def total(self, prices: Rows, near: float = -1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Worth, gain and cost, and `Problem.counts`, over the guests whose best action beats the next by more than `near`."""
        source = self.source

        def one(batch: pa.RecordBatch) -> pa.RecordBatch:
            problem = source.formulate(batch)
            sums = Passes(problem, threads=1).choose(prices, near).sums
            totals = [float((sums @ problem.aim).sum()), float(sums[..., GAIN].sum()), float(sums[..., COST].sum())]
            return _row([*totals, *problem.counts(sums).ravel()])

        total = self._added(one)
        return total[:3], total[3:].reshape(3, -1)

    def bound(self, whole: Problem, prices: Rows) -> float:
        """What no allocation can exceed; see `solver`."""
        source, guests = self.source, self.guests

        def one(batch: pa.RecordBatch) -> pa.RecordBatch:
            problem = source.formulate(batch)
            passes = Passes(problem, threads=1)
            best = float(np.vdot(problem.weights(prices), passes.respond(prices)))
            return _row([best, passes.rounding(prices, chain=guests)])

        best, lost = self._added(one)
        paid = float(np.where(prices > 0, prices, 0.0) @ np.where(prices > 0, whole.amounts, 0.0))
        return float(paid + best + lost)

    def close(self, prices: Rows, near: float) -> tuple[list[Any], Problem]:
        """The keys of the guests for whom it is a close call, in order, and their problem."""
        source = self.source

        def is_close(batch: pa.RecordBatch) -> NDArray[np.bool_]:
            mask = np.zeros(batch.num_rows, np.bool_)
            mask[Passes(source.formulate(batch), threads=1).choose(prices, near).close] = True
            return mask

        rows = self._rows(is_close)
        problem = source.formulate(rows)
        return rows.column(source.key).to_pylist(), problem.take(np.arange(problem.guests))

    def assigned(self, prices: Rows, near: float, decided: Mapping[Any, Any], *, is_single: bool) -> Any:
        """Every guest's offer: their best at the prices, or what was decided where that is a close call."""
        source, key = self.source, self.source.key
        offer = pa.int16() if is_single else pa.list_(pa.int16())
        schema = pa.schema([self.schema.field(key), ("offer", offer)])

        def one(batch: pa.RecordBatch) -> pa.RecordBatch:
            problem = source.formulate(batch)
            chosen = Passes(problem, threads=1).choose(prices, near)
            offers: list[Any] = problem.offers_of(chosen.choice).tolist()
            keys = batch.column(key)
            for at in chosen.close:
                offers[at] = decided[keys[int(at)].as_py()]
            return pa.RecordBatch.from_arrays([keys, pa.array(offers, offer)], schema=schema)

        return nw.to_native(self.engine.map_batches(self.frame, one, schema))

    def _rows(self, is_wanted: Callable[[pa.RecordBatch], NDArray[np.bool_]]) -> pa.Table:
        """The guests that are wanted, in the order of their keys."""
        wanted = self.engine.map_batches(
            self.frame, lambda batch: batch.filter(pa.array(is_wanted(batch))), self.schema
        )
        return self.engine.stream(wanted).read_all().sort_by(self.source.key).combine_chunks()

    def _added(self, one: Callable[[pa.RecordBatch], pa.RecordBatch]) -> NDArray[np.float64]:
        """The sums of all batches, rounded once, so that their order does not matter."""
        rows = self.engine.stream(self.engine.map_batches(self.frame, one, _SUMS)).read_all()["sums"].to_pylist()
        rows = rows or one(pa.RecordBatch.from_pylist([], self.schema))["sums"].to_pylist()
        return np.array([math.fsum(column) for column in zip(*rows, strict=True)])


_SUMS = pa.schema([("sums", pa.list_(pa.float64()))])


class _Counted:
    """Stands for the cells of guests that are elsewhere."""

    def __init__(self, guests: int) -> None:
        self.guests = guests

    def __len__(self) -> int:
        return self.guests


class ArrowEngine:
    """An engine over an Arrow table in memory."""

    def map_batches(self, frame: Any, function: Callable[[pa.RecordBatch], pa.RecordBatch], schema: pa.Schema) -> Any:
        return nw.from_native(pa.Table.from_batches([function(batch) for batch in self.stream(frame)], schema)).lazy()

    def stream(self, frame: Any) -> pa.RecordBatchReader:
        return nw.from_native(frame).lazy().collect("pyarrow").to_native().to_reader()


def _row(values: Sequence[float]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([list(map(float, values))], _SUMS.field(0).type)], schema=_SUMS)


def _hashes(keys: Any, seed: int) -> NDArray[np.uint32]:
    """A number from 0 to 2^32 for each key, the same on every machine."""
    salt = zlib.crc32(str(seed).encode())
    return np.fromiter((zlib.crc32(str(key).encode(), salt) for key in keys.to_pylist()), np.uint32, len(keys))
