"""Tills: their keys, and the stores where they stand."""

import datetime as dt
from typing import Annotated

import typer

from regulars.cli.answers import AsJson, answer, err, voice
from regulars.cli.records import Workspace, now, opened_records, say, table
from regulars.cli.screens.layout import whole
from regulars.errors import DataError

keys = typer.Typer(
    no_args_is_help=True, help="Make, list and revoke the keys of tills and apps.  Example:  regulars keys list"
)
stores = typer.Typer(no_args_is_help=True, help="Say where vouchers are taken.  Example:  regulars stores list")


@keys.command("new")
def new_key(
    name: Annotated[str, typer.Argument(help="Whose it is, such as 'till 3'.")],
    scope: Annotated[list[str], typer.Option(help="redeem, issue, offers, halt, events, metrics; repeat for several.")],
    store: Annotated[list[str] | None, typer.Option(help="A store where it may act; repeat for several.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="It may act at all stores.")] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="For trying out: nothing it asks is kept.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it this once.  Example:  regulars keys new 'till 3' --scope redeem --store S1"""
    if everywhere == bool(store):
        raise typer.BadParameter("give either --store, once or more, or --everywhere")
    with opened_records(workspace):
        from regulars.access import stores as places
        from regulars.access import tills

        known = {row["store_id"] for row in places.stores()}
        if unknown := [one for one in store or () if one not in known]:
            raise DataError(
                f"there is no store '{unknown[0]}'; `regulars stores add {unknown[0]} --zone ZONE` makes it known"
            )
        token = tills.open_till(name, scope, None if everywhere else store, now=now(), is_sandbox=sandbox)
    answer(
        as_json,
        {"name": name, "till_id": token.split("_")[1], "is_sandbox": sandbox, "key": token},
        lambda: whole(token),
    )
    if not as_json:
        err.print(voice().say("key_once"))


@keys.command("list")
def list_keys(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the keys, without their secrets.  Example:  regulars keys list"""
    with opened_records(workspace):
        from regulars.access import tills

        rows = tills.tills()
    table(as_json, rows, ("till_id", "name", "scopes", "stores", "is_sandbox", "made_at", "revoked_at"))


@keys.command("revoke")
def revoke_key(
    till_id: Annotated[str, typer.Argument(help="As `regulars keys list` shows it.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key: from now on nobody may use it.  Example:  regulars keys revoke abcdefgh23456789"""
    with opened_records(workspace):
        from regulars.access import tills

        if not tills.revoke(till_id, now=now()):
            raise DataError(f"there is no key '{till_id}' that could be revoked; `regulars keys list` shows them")
    say(as_json, {"till_id": till_id, "is_revoked": True}, "key_revoked", till=till_id)


@stores.command("add")
def add_store(
    store_id: Annotated[str, typer.Argument(help="The store's id.")],
    zone: Annotated[str, typer.Option(help="Its time zone, such as Asia/Shanghai.")],
    day_closes_at: Annotated[str, typer.Option(help="When its trading day ends.")] = "04:00",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Make a store known, or change its clock.  Example:  regulars stores add S1 --zone Asia/Shanghai"""
    from zoneinfo import available_timezones

    if zone not in available_timezones():
        raise typer.BadParameter(f"'{zone}' is no time zone; give one such as Asia/Shanghai")
    try:
        dt.time.fromisoformat(day_closes_at)
    except ValueError:
        raise typer.BadParameter(f"'{day_closes_at}' is no time of day; give one such as 04:00") from None
    with opened_records(workspace):
        from regulars.access import stores as places

        places.add_store(store_id, zone, day_closes_at)
    value = {"store_id": store_id, "zone": zone, "day_closes_at": day_closes_at}
    say(as_json, value, "store_known", store=store_id)


@stores.command("list")
def list_stores(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the stores.  Example:  regulars stores list"""
    with opened_records(workspace):
        from regulars.access import stores as places

        rows = places.stores()
    table(as_json, list(rows), ("store_id", "zone", "day_closes_at"))
