"""Scoring: the effects of a model on every guest of a frame of any size, batch by batch, on one machine or on many."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from regulars.effects.model import EffectModel
from regulars.errors import DataError
from regulars.tables.engines import Engine, Frame

_FIGURES = ("gain", "gain_se", "cost")


def score(model: EffectModel, frame: Frame, engine: Engine, *, keep: Sequence[str] = ("guest_id",)) -> Frame:
    """One row for each guest and offer: the columns to keep, `offer`, `gain`, `gain_se` and `cost` (null if not known).

    frame: a frame of the engine, as `lake.scan` gives it, with the columns of the fit. Memory stays flat: DuckDB brings
    batches one after another, and on Spark each executor has its own. Raises DataError for a column that is missing.
    """
    schema = frame.collect_schema()
    if missing := [name for name in (*keep, *model.columns.names) if name not in schema]:
        raise DataError(f"the frame lacks the columns {', '.join(missing)}; the model was fitted with them")
    kept = engine.stream(frame.select(*keep).head(0)).schema
    figures = [pa.field("offer", pa.string()), *(pa.field(name, pa.float64()) for name in _FIGURES)]
    wanted = pa.schema([*kept, *figures])
    needed = frame.select(*dict.fromkeys((*keep, *model.columns.names)))
    return engine.map_batches(needed, partial(score_batch, model, tuple(keep), wanted), wanted)


def score_batch(model: EffectModel, keep: tuple[str, ...], schema: pa.Schema, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same for one Arrow batch; guests stay in their order, the offers of one after another."""
    found = model.predict(batch)
    count = len(model.offers)
    guest = pa.array(np.repeat(np.arange(batch.num_rows), count))
    offers = pa.array(model.offers).take(pa.array(np.tile(np.arange(count), batch.num_rows)))
    figures = [pa.array(getattr(found, name).ravel(), from_pandas=True) for name in _FIGURES]
    return pa.RecordBatch.from_arrays([*(batch[name].take(guest) for name in keep), offers, *figures], schema=schema)
