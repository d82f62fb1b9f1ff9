"""Combining: the lines of one order become one row, where a mapping has `one_row_per`."""

import narwhals as nw

from regulars.tables.contracts import Column, Kind
from regulars.tables.engines import Frame
from regulars.tables.intake import LINE, ROW, Intake
from regulars.tables.mapping import default_combine

_LINES = "__lines"
_WHOLE = (Kind.MONEY, Kind.INTEGER)


def one_row_per_key(rows: Frame, intake: Intake) -> Frame:
    """Rows that agree in the key as one. A sum over something unknown is unknown."""
    key, ways = intake.contract.key[0], combining(intake)
    columns = [column for column in intake.contract.columns if column.name in ways]
    summed = [column for column in columns if ways[column.name] == "sum"]
    expressions = [_combine(name, how) for name, how in ways.items() if how != "first"]
    expressions += [nw.col(column.name).min() for column in intake.contract.derived]
    known = [nw.col(column.name).count().alias(_known(column)) for column in summed]
    places = (nw.col(LINE).min(), nw.col(ROW).min(), nw.len().alias(_LINES))
    combined = rows.group_by(key).agg(*expressions, *known, *places)
    if firsts := [name for name, how in ways.items() if how == "first"]:
        combined = combined.join(_of_first_row(rows, key, firsts), on=key, how="left")
    return combined.with_columns(*map(_if_all_known, summed)) if summed else combined


def combining(intake: Intake) -> dict[str, str]:
    """How each column of the lines of one order becomes one value."""
    said = {name: origin.combine for name, origin in intake.mapping.columns.items()}
    others = [column for column in intake.contract.columns if column.name not in intake.contract.key]
    return {column.name: said.get(column.name) or default_combine(column.kind) for column in others}


def _known(column: Column) -> str:
    return f"{column.name}_known"


def _if_all_known(column: Column) -> nw.Expr:
    total = nw.col(column.name).cast(nw.Int64) if column.kind in _WHOLE else nw.col(column.name)
    return nw.when(nw.col(_known(column)) == nw.col(_LINES)).then(total).alias(column.name)


def _of_first_row(rows: Frame, key: str, names: list[str]) -> Frame:
    """What the first row of each key says; written out because Spark has no ordered first."""
    first = rows.group_by(key).agg(nw.col(ROW).min())
    return rows.join(first, on=[key, ROW], how="inner").group_by(key).agg(*[nw.col(name).min() for name in names])


def _combine(name: str, how: str) -> nw.Expr:
    match how:
        case "sum":
            return nw.col(name).sum()
        case "most":
            return nw.col(name).max()
        case _:
            return nw.col(name).min()
