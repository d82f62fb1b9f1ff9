"""Frames of files that were written at different times."""

import narwhals as nw
import pyarrow as pa

from regulars.tables.engines import Frame


def completed(frame: Frame, schema: pa.Schema) -> Frame:
    """A frame with the columns of a contract that no file has yet, as those of an earlier version; unknown in every row."""
    known = set(frame.collect_schema().names())
    lacking = pa.schema([field for field in schema if field.name not in known])
    if not lacking.names:
        return frame
    kinds = nw.from_native(lacking.empty_table()).schema
    return frame.with_columns(**{name: nw.lit(None, dtype=kind) for name, kind in kinds.items()})
