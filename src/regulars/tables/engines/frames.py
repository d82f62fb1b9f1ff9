"""Frames of files that were written at different times."""

import narwhals as nw
import pyarrow as pa

from regulars.tables.engines import Frame


def completed(frame: Frame, schema: pa.Schema) -> Frame:
    """A frame with the columns of a contract that no file has yet, as those of an earlier version; unknown in every row."""
    known = frame.collect_schema().names()
    lacking = [field for field in nw.from_native(schema.empty_table()).schema.items() if field[0] not in known]
    return frame.with_columns(**{name: nw.lit(None, dtype=kind) for name, kind in lacking}) if lacking else frame
