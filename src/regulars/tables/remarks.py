"""Remarks: what a load has to say beyond its counts, each with the mend where there is one."""

from collections.abc import Iterator

import narwhals as nw

from regulars.tables.changes import Changed, Settled
from regulars.tables.engines import Engine, Frame
from regulars.tables.formats import Source
from regulars.tables.intake import Intake
from regulars.tables.mapping import From
from regulars.tables.names import nearly
from regulars.tables.recognition import Share
from regulars.wording import Sentence

_LEAST_ORDERS, _LEAST_GUESTS, _MOST_SHARE = 50, 10, 0.1
_OFFSETS = ("times_with_offset", "times_without_offset")
_KEYS = 'order_id = { column = ["date", "number"] }'


def remarks(source: Source, intake: Intake, settled: Settled, changed: Changed, engine: Engine) -> tuple[Sentence, ...]:
    """What should be known of a load, most telling first."""
    said = [
        *intake.guesses,
        *_of_changes(intake, changed),
        *_of_guests(intake, settled.rows, engine),
        *_of_times(intake),
    ]
    said += [note for note in intake.notes.sentences() if note.code not in _OFFSETS]
    return (*said, *_of_columns(source, intake), *_of_mapping(source, intake), *source.notes)


def guessed(share: Share, source: Source) -> tuple[Sentence, ...]:
    """How a source is read that nobody said how to read."""
    if share.way != "proposal" or share.only_new:
        return ()
    read = ", ".join(f"{name} = {_shown(origin)}" for name, origin in share.mapping.columns.items())
    return (Sentence("read_by_guess", read=read, file=source.name, table=share.table), *share.doubts)


def _shown(origin: From) -> str:
    if origin.count_per is not None:
        return "1, 2, 3"
    named = " + ".join(origin.sources) or ("the only store" if origin.only_store else str(origin.value))
    if origin.times is not None:
        named = f"{' + '.join(origin.added)} × {origin.times}"
    return f"{named} ({origin.format})" if origin.format else named


def unread(source: Source, intake: Intake) -> tuple[str, ...]:
    """The columns of a source that were not looked at."""
    looked_at = {*intake.mapping.sources, *intake.also_read}
    return tuple(name for name in source.columns if name not in looked_at)


def _of_changes(intake: Intake, changed: Changed) -> Iterator[Sentence]:
    if changed.moved:
        example = _KEYS if intake.contract.table == "orders" else None
        yield Sentence("rows_moved", moved=changed.moved, key=intake.contract.key[0], example=example)


def _of_guests(intake: Intake, rows: Frame, engine: Engine) -> Iterator[Sentence]:
    """Orders of nobody, and a guest who is hardly one."""
    if intake.contract.table != "orders":
        return
    named = rows.group_by("guest_id").agg(nw.len().cast(nw.Int64).alias("orders"))
    most = named.filter(~nw.col("guest_id").is_null()).sort("orders", "guest_id", descending=[True, False])
    total = named.select(
        nw.col("orders").sum().cast(nw.Int64),
        nw.col("guest_id").count().cast(nw.Int64).alias("guests"),
        nw.when(nw.col("guest_id").is_null())
        .then(nw.lit(0))
        .otherwise(nw.col("orders"))
        .sum()
        .cast(nw.Int64)
        .alias("known"),
    )
    orders, guests, known = (engine.stream(total).read_all()[name][0].as_py() for name in ("orders", "guests", "known"))
    if orders and not guests:
        yield Sentence("no_guest_named", orders=orders)
    if guests >= _LEAST_GUESTS:
        first = engine.stream(most.head(1)).read_all().to_pylist()[0]
        if first["orders"] >= max(_LEAST_ORDERS, _MOST_SHARE * known):
            example = f'guest_id = {{ column = "...", nothing = ["{first["guest_id"]}"] }}'
            share = first["orders"] / known
            yield Sentence(
                "one_guest_many_orders",
                guest=first["guest_id"],
                orders=first["orders"],
                part_share=share,
                example=example,
            )


def _of_times(intake: Intake) -> Iterator[Sentence]:
    for column in intake.contract.instants:
        mixed = [intake.notes.count(code, column=column.name) for code in _OFFSETS]
        if intake.holds_dates(column):
            yield Sentence("dates_alone", column=column.name)
        elif all(mixed):
            yield Sentence("mixed_offsets", column=column.name, rows=mixed[1])


def _of_columns(source: Source, intake: Intake) -> Iterator[Sentence]:
    """Columns that were not read, above all those that may have been meant for one of ours."""
    names = unread(source, intake)
    if intake.vendor is not None or not names:
        return
    meant = nearly(names, intake.contract, intake.mapping.columns)
    for name, ours in meant.items():
        is_money = ours.endswith("_minor") and not name.endswith("_minor")
        written = f'{{ column = "{name}", unit = "major" }}' if is_money else f'"{name}"'
        yield Sentence("nearly_ours", name=name, ours=ours, example=f"{ours} = {written}")
    if others := tuple(name for name in names if name not in meant):
        yield Sentence("columns_unread", columns=others, count=len(others))


def _of_mapping(source: Source, intake: Intake) -> Iterator[Sentence]:
    """What a mapping says that nothing in the source answers to."""
    if intake.vendor is not None:
        return
    for what in intake.notes.unmatched():
        yield Sentence("matched_nothing", what=what)
    mapping = intake.mapping
    origins = {f"columns.{name}": origin for name, origin in mapping.columns.items()}
    origins |= {name: one for name in ("refunded", "refunded_at") if (one := getattr(mapping, name)) is not None}
    for what, origin in origins.items():
        if lacking := tuple(one for one in origin.first_of or () if one not in source.columns):
            yield Sentence("columns_lacking", what=what, columns=lacking)
    for names in (mapping.fill_down or {}).values():
        if lacking := tuple(one for one in names if one not in source.columns):
            yield Sentence("columns_lacking", what="fill_down", columns=lacking)
