"""Offers: define and list them, issue vouchers, stop and go on."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from regulars.cli.answers import AsJson, err, voice
from regulars.cli.guest_lists import read_guests
from regulars.cli.records import Workspace, now, opened_records, say, table
from regulars.errors import DataError

OfferId = Annotated[str, typer.Argument(help="The offer's id.")]
offers = typer.Typer(no_args_is_help=True, help="Define and list offers.  Example:  regulars offers define lunch.toml")


@offers.command("define")
def define_offer(
    file: Annotated[Path, typer.Argument(help="An offer file (TOML).")],
    offer_id: Annotated[str | None, typer.Option(help="Its id; left out, the file's name.")] = None,
    campaign: Annotated[str | None, typer.Option(help="The campaign it belongs to.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Make an offer from a file, or change its terms.  Example:  regulars offers define lunch.toml"""
    from regulars.documents import read
    from regulars.offers.terms import Terms

    terms = read(file, Terms)
    with opened_records(workspace):
        from regulars.offers import actions

        made = actions.define(offer_id or file.stem, terms, campaign_id=campaign, now=now())
    say(as_json, made, "offer_defined", offer=made["offer_id"], version=made["version"])


@offers.command("list")
def list_offers(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the offers and their accounts.  Example:  regulars offers list"""
    with opened_records(workspace):
        from regulars.offers import actions

        rows = actions.offers(now=now())
    shown = rows if as_json else [_offer(row) for row in rows]
    table(as_json, shown, ("offer", "kind", "budget", "reserved", "spent", "uses"))


def _offer(row: dict[str, Any]) -> dict[str, Any]:
    account, reader = row["account"], voice(currency=row["terms"]["currency"])
    kept = {name: reader.money(account[f"{name}_minor"]) for name in ("budget", "reserved", "spent")}
    uses = reader.say("some_of", some=account["spent_uses"], of=account["cap"])
    return {"offer": row["offer_id"], "kind": row["terms"]["kind"], **kept, "uses": uses}


def issue(
    offer_id: OfferId,
    count: Annotated[
        int | None, typer.Option(min=1, max=100_000_000, help="How many, for nobody in particular.")
    ] = None,
    guests: Annotated[
        Path | None,
        typer.Option(help="Guests' ids, one a line, or a CSV with a column guest_id: one voucher for each."),
    ] = None,
    batch: Annotated[
        str | None, typer.Option(help="A name for these; the same name continues what was stopped.")
    ] = None,
    export: Annotated[Path | None, typer.Option(help="Write all codes of the batch to this CSV file.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Issue vouchers, many at once.  Example:  regulars issue lunch --count 1000 --batch autumn"""
    if (count is None) == (guests is None):
        raise typer.BadParameter("give either --count or --guests")
    named = None if guests is None else read_guests(guests)
    name = batch or f"{offer_id}-{now():%Y%m%d%H%M%S}"
    with opened_records(workspace), _bar("issue_progress", batch=name) as told:
        from regulars.offers.batches import issue_many

        done = issue_many(offer_id, name, count=count, guests=named, now=now(), progress=told)
        if export is not None:
            _write(export, name)
    say(as_json, done, "issue_done", batch=done.batch_id, issued=done.issued, wanted=done.wanted)


def _write(file: Path, batch: str) -> None:
    """The codes as they are printed, with whom they are for and until when."""
    import pyarrow as pa

    from regulars.offers.actions import vouchers_of
    from regulars.tables.spreadsheets import write_sheet

    columns = ("code", "guest_id", "expires_at")
    rows = zip(*((code, guest, ends.isoformat()) for code, guest, ends in vouchers_of(batch)), strict=True)
    write_sheet(
        pa.table({name: pa.array(list(row), pa.string()) for name, row in zip(columns, rows, strict=True)}), file
    )


@contextmanager
def _bar(code: str, **facts: Any) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(voice().say(code, **facts), total=None)
        yield lambda done, wanted: bar.update(task, completed=done, total=wanted)


def qr(
    code: Annotated[str, typer.Argument(help="A voucher's code, or the address of a page that shows it.")],
    file: Annotated[Path, typer.Argument(help="A .png or .svg file to write.")],
) -> None:
    """Draw a code as a QR picture, to print or to send.  Example:  regulars qr 7KQM-2XV9-DRTH-PB voucher.png"""
    from regulars.offers.codes import qr_png, qr_svg

    match file.suffix.lower():
        case ".png":
            file.write_bytes(qr_png(code))
        case ".svg":
            picture = qr_svg(code).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
            file.write_text(picture, encoding="utf-8")
        case _:
            raise DataError(f"{file}: a QR picture is a .png or an .svg file")
    say(False, {}, "wrote_file", file=str(file))


Kind = Annotated[str, typer.Argument(help="offer, campaign or store.")]
Key = Annotated[str, typer.Argument(help="Its id.")]


def _kind(kind: str) -> Any:
    if kind not in ("offer", "campaign", "store"):
        raise typer.BadParameter(f"there is no halting a '{kind}'; it is offer, campaign or store")
    return kind


def halt(
    kind: Kind,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; it is shown wherever the halt is.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Stop an offer, a campaign or a store at once.  Example:  regulars halt offer lunch --reason 'too many'"""
    _kind(kind)
    with opened_records(workspace):
        from regulars.offers import actions

        actions.halt(_kind(kind), key, reason=reason, by=os.environ.get("USER", "the command line"), now=now())
    say(as_json, {"kind": kind, "key": key, "is_halted": True}, "halt_done", kind=kind, key=key)


watches = typer.Typer(
    no_args_is_help=True,
    help="Halt a campaign or a store by itself when it is used too fast.  Example:  regulars watches list",
)


@watches.command("set")
def set_watch(
    kind: Annotated[str, typer.Argument(help="campaign or store; an offer has per_minute in its terms.")],
    key: Key,
    per_minute: Annotated[int, typer.Option(min=1, help="The most uses in one minute that are plausible.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Watch a campaign or a store.  Example:  regulars watches set store S1 --per-minute 40"""
    with opened_records(workspace):
        from regulars.offers import actions

        actions.watch(_watched(kind), key, per_minute)
    value = {"kind": kind, "key": key, "per_minute": per_minute}
    say(as_json, value, "watch_set", kind=kind, key=key, most=per_minute)


@watches.command("drop")
def drop_watch(
    kind: Annotated[str, typer.Argument(help="campaign or store.")],
    key: Key,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Watch it no longer.  Example:  regulars watches drop store S1"""
    with opened_records(workspace):
        from regulars.offers import actions

        actions.watch(_watched(kind), key, None)
    say(as_json, {"kind": kind, "key": key, "per_minute": None}, "watch_dropped", kind=kind, key=key)


@watches.command("list")
def list_watches(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List what is watched.  Example:  regulars watches list"""
    with opened_records(workspace):
        from regulars.offers import actions

        rows = actions.watches()
    table(as_json, rows, ("kind", "key", "per_minute"))


def _watched(kind: str) -> Any:
    if kind not in ("campaign", "store"):
        raise typer.BadParameter(f"there is no watching a '{kind}'; it is campaign or store")
    return kind


def resume(kind: Kind, key: Key, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Lift a halt.  Example:  regulars resume offer lunch"""
    _kind(kind)
    with opened_records(workspace):
        from regulars.offers import actions

        actions.resume(_kind(kind), key, now=now())
    say(as_json, {"kind": kind, "key": key, "is_halted": False}, "halt_lifted")
