"""People: who was taken for one guest, and parting them again."""

import os
from typing import Annotated, Any

import typer

from regulars.cli.answers import AsJson
from regulars.cli.records import Workspace, now, opened_records, say, table

people = typer.Typer(
    no_args_is_help=True,
    help="See who was taken for one guest at tills, and part them again.  Example:  regulars people links",
)


@people.command("links")
def list_links(
    guest_id: Annotated[str | None, typer.Option(help="Only of the guest with this id.")] = None,
    phone: Annotated[str | None, typer.Option(help="Only of the guest with this phone number.")] = None,
    email: Annotated[str | None, typer.Option(help="Only of the guest with this address.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """List who was taken for one guest, because their names came together.  Example:  regulars people links --phone +8613800138000"""
    with opened_records(workspace):
        from regulars.offers import links
        from regulars.offers.identity import Guest

        asked = Guest(guest_id=guest_id, phone=phone, email=email)
        rows = links.links(asked if guest_id or phone or email else None)
    table(as_json, rows, ("id", "names", "at", "till_id", "parted_at", "reason"))


@people.command("part")
def part(
    link: Annotated[int, typer.Argument(help="The id of the link, as `regulars people links` shows it.")],
    reason: Annotated[str, typer.Option(help="Why they are not one; it is kept.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Part two guests who were taken for one.  Example:  regulars people part 12 --reason 'a mistyped phone number'"""
    with opened_records(workspace):
        from regulars.offers import links

        parted: dict[str, Any] = links.part(
            link, reason=reason, by=os.environ.get("USER", "the command line"), now=now()
        )
    say(as_json, parted, "people_parted", link=link)
