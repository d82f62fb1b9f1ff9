"""The command line: one command, one call.

language    in which language a command speaks
answers     how every command finds its workspace and says what it found
screens     what it shows of results
data        make a workspace and load files
merchant    what came in
guests      who they are, who meets a rule, one of them
quality     read reviews, judge dishes and stores, watch them, say what to mend
campaigns   plan, report, measure, rehearse, sync, demo
records     how the commands below find the records of offers, and show them
offers      define offers, issue vouchers, stop and go on
people      who was taken for one guest at tills
tills       keys and stores
jobs        what the worker does, did, and could not do
service     serve, sweep, migrate, reconcile, back up, restore
"""

import json
import signal
import sys
from collections.abc import Callable
from itertools import chain
from typing import Annotated, NoReturn

import typer

from regulars import __version__
from regulars.cli import campaigns, data, guests, jobs, merchant, offers, people, service, tills
from regulars.cli import quality as qualities
from regulars.cli.answers import err, out, voice
from regulars.cli.language import LanguageOrVariable, with_language
from regulars.cli.screens.layout import refusal
from regulars.errors import RegularsError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Growth operations for restaurants: know each guest, spend where it changes something, prove what it brought.\n\n"
    "Example:  regulars init shop; cd shop; regulars load ../stores.csv ../export.csv; regulars profile",
)
COMMANDS: dict[str, Callable[..., None]] = {
    "init": data.init,
    "map": data.map_file,
    "load": data.load,
    "loads": data.loads,
    "unload": data.unload,
    "rejects": data.rejects,
    "sales": merchant.sales,
    "profile": guests.profile,
    "segments": guests.segments,
    "guest": guests.guest,
    "next-dishes": guests.next_dishes,
    "plan": campaigns.plan,
    "report": campaigns.report,
    "measure": campaigns.measure,
    "rehearse": campaigns.rehearse,
    "issue": offers.issue,
    "qr": offers.qr,
    "halt": offers.halt,
    "resume": offers.resume,
    "serve": service.serve,
    "worker": service.worker,
    "migrate": service.migrate,
    "reconcile": service.reconcile,
    "backup": service.backup,
    "restore": service.restore,
    "sync": campaigns.sync,
    "doctor": data.doctor,
    "demo": campaigns.demo,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
GROUPS = {
    "quality": qualities.quality,
    "offers": offers.offers,
    "watches": offers.watches,
    "jobs": jobs.app,
    "people": people.people,
    "keys": tills.keys,
    "stores": tills.stores,
}
for name, group in GROUPS.items():
    app.add_typer(group, name=name)
for known in chain(app.registered_commands, *(group.registered_commands for group in GROUPS.values())):
    if known.callback is not None:
        known.callback = with_language(known.callback)
for group in GROUPS.values():
    if group.registered_callback is not None and group.registered_callback.callback is not None:
        group.registered_callback.callback = with_language(group.registered_callback.callback)


class _StoppedError(BaseException):
    """Somebody pressed Ctrl-C."""


def main() -> None:
    """The program: errors that were foreseen are shown as sentences, and leave with status 1; Ctrl-C leaves with 130."""
    signal.signal(signal.SIGINT, _stop)
    try:
        app()
    except _StoppedError:
        err.print(voice().say("stopped"))
        sys.exit(130)
    except RegularsError as error:
        _refuse(str(error))
        sys.exit(1)


def _stop(number: int, frame: object) -> NoReturn:
    raise _StoppedError


def _refuse(words: str) -> None:
    if "--json" in sys.argv:
        print(json.dumps({"error": words}, ensure_ascii=False))  # noqa: T201
    else:
        err.print(refusal(voice(), words))


@app.callback(invoke_without_command=True)
def begin(
    show: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
    language: LanguageOrVariable = None,
) -> None:
    if show:
        out.print(f"regulars {__version__}")
        raise typer.Exit
