"""Quality: what reviews and orders say of dishes and service."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.cli.answers import HERE, AsJson, Workspace, answer, err, opened, progress, voice
from regulars.cli.language import chosen
from regulars.cli.screens.layout import whole
from regulars.wording import Sentence

quality = typer.Typer(
    no_args_is_help=True,
    help="How good dishes and service are, whether they changed, why, and what it is worth.\n\n"
    "Example:  regulars quality read; regulars quality cards; regulars quality watch; regulars quality report",
)

Day = Annotated[
    dt.datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Last day of the baseline; left out, the middle of what was observed."),
]
Limit = Annotated[int, typer.Option(min=0, max=100_000, help="How many rows to show.")]


@quality.command()
def read(
    by_lexicon: Annotated[
        bool, typer.Option("--lexicon", help="Read by words alone, even where the encoder is installed.")
    ] = False,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Read the reviews: aspects, judgement, dish, hints at harm; only what is new costs time.  Example:  regulars quality read"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import LexiconReader, open_reader, read_reviews

    lake = opened(workspace)
    reader = LexiconReader() if by_lexicon else open_reader()
    with progress("read_progress") as say:
        report = read_reviews(lake, reader, lambda done, of: say(Sentence("read_progress", done=done, of=of)))
    answer(as_json, report, lambda: screens.read(report, voice(lake)))


@quality.command()
def cards(
    by: Annotated[str, typer.Option(help="store, item, shift, month, or several with commas.")] = "store",
    aspects: Annotated[
        bool, typer.Option("--aspects", help="Every aspect too: how much it is talked of, and praised.")
    ] = False,
    export: Annotated[Path | None, typer.Option(help="Write all rows to this CSV or Parquet file.")] = None,
    limit: Limit = 40,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Score cards with intervals and places among peers.  Example:  regulars quality cards --by store,item --export cards.csv"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import Quality
    from regulars.tables.spreadsheets import write_sheet

    judged = Quality(opened(workspace))
    with progress("cards_progress"):
        card = judged.cards(tuple(name.strip() for name in by.split(",")))
    if export is not None:
        write_sheet(card, export)
    rows = [row for row in card.to_pylist() if aspects or row["aspect"] is None]
    answer(as_json, rows[:limit], lambda: screens.cards(rows[:limit], len(rows), judged.names, voice()))


@quality.command()
def watch(
    measure: Annotated[
        str, typer.Option(help="reorder_rate, refunds_and_voids, prep_seconds, rating or positive.")
    ] = "reorder_rate",
    baseline_until: Day = None,
    false_alarms: Annotated[
        float, typer.Option(min=0.01, max=100, help="How many a year to accept for each dish.")
    ] = 1.0,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Control charts: what got worse, since when, and the likeliest causes.  Example:  regulars quality watch --measure rating"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import Quality

    judged = Quality(opened(workspace))
    with progress("watch_progress"):
        found = judged.watch(measure, baseline_until=_date(baseline_until), false_alarms_per_year=false_alarms)
    answer(as_json, found, lambda: screens.watch(found, measure, judged.names, voice()))


@quality.command()
def consistency(
    dish: Annotated[str, typer.Argument(help="A dish, by its id or its name on the menu.")],
    measure: Annotated[
        str, typer.Option(help="reorder_rate, refunds_and_voids, prep_seconds or positive.")
    ] = "reorder_rate",
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """How much one dish varies between stores, cooks and shifts.  Example:  regulars quality consistency "Beef soup\""""
    from regulars.cli.screens import quality as screens
    from regulars.quality import Quality

    judged = Quality(opened(workspace))
    with progress("consistency_progress"):
        found = judged.consistency(dish, measure)
    answer(as_json, found, lambda: screens.consistency(found, judged.names, voice()))


@quality.command()
def safety(
    since: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only reviews from this day on.")
    ] = None,
    limit: Limit = 50,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Every hint at harm, with its words; a person reads each.  Example:  regulars quality safety --since 2026-10-01"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import Quality

    judged = Quality(opened(workspace))
    clues = judged.clues(since=_date(since))
    answer(as_json, clues, lambda: screens.safety(clues, limit, judged.names, voice()))


@quality.command()
def worth(
    coupon_price: Annotated[
        float | None,
        typer.Option(min=0, help="What the next unit of coupon budget brings; left out, that of the latest plan."),
    ] = None,
    limit: Limit = 15,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """What bad experiences cost, and what to mend before money goes into coupons.  Example:  regulars quality worth"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import Quality

    lake = opened(workspace)
    judged = Quality(lake)
    with progress("worth_progress"):
        found = judged.worth(coupon_price=_price(lake) if coupon_price is None else coupon_price)
    answer(as_json, found, lambda: screens.worth(found, judged.names, limit, voice(lake)))


@quality.command()
def trust(limit: Limit = 30, workspace: Workspace = HERE, as_json: AsJson = False) -> None:
    """Which reviews weigh less, and why; none is deleted.  Example:  regulars quality trust --limit 100"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import Quality

    judged = Quality(opened(workspace))
    doubted = judged.doubts()
    answer(as_json, doubted[:limit], lambda: screens.trust(doubted, judged.trust, limit, judged.names, voice()))


@quality.command()
def replies(
    days: Annotated[int, typer.Option(min=1, help="How far back to look, from the last review.")] = 30,
    limit: Limit = 20,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Whom to answer first, with the facts to answer with.  Example:  regulars quality replies --days 14"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import Quality

    lake = opened(workspace)
    judged = Quality(lake)
    queue = judged.replies(days=days, limit=limit)
    answer(as_json, queue, lambda: screens.replies(queue, judged.names, voice(lake)))


@quality.command()
def report(
    baseline_until: Day = None,
    coupon_price: Annotated[
        float | None,
        typer.Option(min=0, help="What the next unit of coupon budget brings; left out, that of the latest plan."),
    ] = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """All of it on one page, with pictures.  Example:  regulars quality report --language zh"""
    from regulars.reports import write_quality_report

    lake = opened(workspace)
    price = _price(lake) if coupon_price is None else coupon_price
    with progress("page_progress"):
        path = write_quality_report(lake, language=chosen(), coupon_price=price, baseline_until=_date(baseline_until))
    answer(as_json, {"report": str(path)}, lambda: whole(voice(lake).say("wrote_file", file=str(path))))


@quality.command()
def train(
    mams: Annotated[
        Path | None, typer.Option(help="The folder of MAMS-ACSA, for polarity; left out, own clauses alone.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the heads; left out, into the package.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train the heads anew and grade them on what is held out.  Example:  regulars quality train --mams data/mams"""
    from regulars.cli.screens import quality as screens
    from regulars.quality import SentenceEncoder, TrainedReader
    from regulars.quality import training as room
    from regulars.quality.grades import grade_clauses, grade_clues
    from regulars.quality.labels import mams as sentences_of

    encoder = SentenceEncoder()
    with progress("train_progress") as say:
        sentences = None if mams is None else sentences_of(mams, "train")
        heads = room.train(encoder, sentences, progress=lambda done: say(Sentence("train_progress", done=done)))
        reader = TrainedReader(encoder, heads)
        grades, clues = grade_clauses(reader), grade_clues(reader)
    path = out or room.default_path()
    heads.save(path)
    err.print(voice().say("train_wrote", path=str(path)))
    answer(as_json, {"clauses": grades, "clues": clues}, lambda: screens.train(grades, clues, voice()))


def _price(lake: Any) -> float:
    """What the next unit of the latest plan's budget brings; 0 where there is no plan or none of its limits is a budget."""
    from regulars.errors import DataError
    from regulars.planning.kept_plans import find, read_summary

    try:
        return read_summary(find(lake.workspace)).budget.price
    except DataError:
        return 0.0


def _date(day: dt.datetime | None) -> dt.date | None:
    return None if day is None else day.date()
