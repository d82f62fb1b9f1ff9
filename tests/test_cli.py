"""The command line, as an operator uses it: from files to a report, and every refusal a sentence."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import run_command

STORES = "store_id,zone\nS1,America/New_York\n"
EXPORT = "check,member,shop,day,time,net_sales\n" + "".join(
    f"{i},M{i % 40},S1,{1 + i % 28:02d}/{1 + i % 6:02d}/2026,{11 + i % 9}:30,{10 + i % 7}.50\n" for i in range(600)
)
CAMPAIGN = """
name = "First try"
audience = "visits >= 2"
starts_on = 2026-07-01
holdout = 0.2

[budget]
total = 50

[[offers]]
offer_id = "five"
kind = "amount_off"
amount = 5
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = run_command(arguments, folder=tmp_path, environment=os.environ | {"COLUMNS": "140"})
        assert done.returncode == status, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Path:
    (tmp_path / "stores.csv").write_text(STORES)
    (tmp_path / "export.csv").write_text(EXPORT)
    (tmp_path / "first.toml").write_text(CAMPAIGN)
    run("init", "shop", "--zone", "America/New_York")
    run("load", "stores", "stores.csv", "-w", "shop")
    return tmp_path / "shop"


MAPPING = """\
table = "orders"

[columns]
order_id = "check"
guest_id = "member"
store_id = "shop"
ordered_at = { column = ["day", "time"], format = "%d/%m/%Y %H:%M" }
amount_minor = { column = "net_sales", unit = "major" }
"""


def test_a_segment_is_saved_counted_and_followed(run: Run, shop: Path) -> None:
    (shop / "mappings" / "orders.toml").write_text(MAPPING)
    run("load", "orders", "export.csv", "-w", "shop")
    saved = run(
        "segments", "visits >= 10 and recency_days < 20", "--save", "often", "--meaning", "our regulars", "-w", "shop"
    )
    assert "kept as @often, version 1" in saved.stderr
    listed = json.loads(run("segments", "-w", "shop", "--json").stdout)
    guests = json.loads(run("segments", "@often", "-w", "shop", "--json").stdout)["guests"]
    assert (listed[0]["segment"], listed[0]["version"], listed[0]["guests"]) == ("often", 1, guests)
    birthdays = next(row for row in listed if row["segment"] == "birthday_this_week")
    assert (birthdays["guests"], birthdays["lacking"]) == (0, ["birthday_in_days"])
    assert "our regulars" in run("segments", "-w", "shop").stdout
    moved = json.loads(run("segments", "@often", "--since", "2026-05-15", "-w", "shop", "--json").stdout)
    assert moved["guests"] > len(moved["rows"]) == 10
    assert {row["because"] for row in moved["rows"]} <= {
        "visits >= 10", "recency_days < 20", "visits >= 10 and recency_days < 20",
    }  # fmt: skip
    assert (
        "entered or left between 2026-05-15 and"
        in run("segments", "@often", "--since", "2026-05-15", "-w", "shop").stdout
    )
    known = run("guest", "M7", "-w", "shop").stdout
    assert known.startswith("M7\n")
    assert "15 visits since 2026-02-04" in known
    assert json.loads(run("guest", "M7", "-w", "shop", "--json").stdout)["profile"]["visits"] == 15
    assert "no guest 'M99' has ordered (did you mean 'M9'?)" in run("guest", "M99", "-w", "shop", status=1).stderr
    assert "there is no segment @oftn" in run("segments", "@oftn", "-w", "shop", status=1).stderr
    assert "need a rule" in run("segments", "--save", "x", "-w", "shop", status=2).stderr


MENU = "item_id,name,category,price_minor,tags\ntea,Green tea,drinks,300,\npie,=Pie,sweets,500,\nwine,Wine,drinks,900,stop\n"


def test_every_guest_is_offered_what_they_would_like_next(run: Run, shop: Path, tmp_path: Path) -> None:
    (shop / "mappings" / "orders.toml").write_text(MAPPING)
    lines = [f"{i},1,{'wine' if i % 9 == 0 else 'tea' if i % 40 < 20 else 'pie'},300" for i in range(600)]
    (tmp_path / "lines.csv").write_text("order_id,line,item_id,amount_minor\n" + "\n".join(lines) + "\n")
    (tmp_path / "menu.csv").write_text(MENU)
    for table, file in {"orders": "export.csv", "menu_items": "menu.csv", "order_items": "lines.csv"}.items():
        run("load", table, file, "-w", "shop")
    shown = run("next-dishes", "--k", "2", "--limit", "1", "-w", "shop").stdout
    assert "what to offer 40 guests next, as of 2026-06-" in shown
    assert "never: Wine" in shown
    assert re.search(r"^M0 +Green tea +their usual, 13 times +\d+% of their orders", shown, re.MULTILINE)
    assert re.search(r"^ +=Pie +popular +\d+% of their orders", shown, re.MULTILINE)
    assert "M1 " not in shown
    asked = ("next-dishes", "--stop", "GREEN TEA", "--new-only", "--export", "next.csv", "--limit", "1", "-w", "shop")
    told = json.loads(run(*asked, "--json").stdout)
    assert (told["guests"], told["stop_list"]) == (20, ["Green tea", "Wine"])
    assert [(row["guest_id"], row["rank"], row["dish"], row["item_id"]) for row in told["rows"]] == [
        ("M0", 1, "=Pie", "pie")
    ]
    assert len((tmp_path / "next.csv").read_text().splitlines()) == 21
    assert '"\'=Pie"' in (tmp_path / "next.csv").read_text()
    known = run("guest", "M0", "-w", "shop").stdout
    assert re.search(r"^their usual +of their orders +last had on.*\nGreen tea +13 of 15", known, re.MULTILINE)
    assert re.search(r"^what to offer them next +because +expected in.*\n=Pie +popular", known, re.MULTILINE)
    assert re.search(r"^cheap +price level +13 of 15", known, re.MULTILINE)
    assert "=Pie" not in run("guest", "M0", "--stop", "pie", "-w", "shop").stdout
    assert "no dish 'tee' (did you mean 'tea'?)" in run("guest", "M0", "--stop", "tee", "-w", "shop", status=1).stderr
    assert run("next-dishes", "--k", "0", "-w", "shop", status=2)


def test_from_an_export_to_a_report(run: Run, shop: Path) -> None:
    (shop / "mappings" / "orders.toml").write_text(MAPPING)
    loaded = json.loads(run("load", "orders", "export.csv", "-w", "shop", "--json").stdout)
    assert (loaded["accepted"], loaded["rejected"], loaded["changed"]) == (600, 0, 600)
    assert "was loaded before; nothing changed" in run("load", "orders", "export.csv", "-w", "shop").stdout
    assert "40 guests, as of 2026-06-" in run("profile", "-w", "shop").stdout
    found = json.loads(run("segments", "visits >= 2 and home_store == 'S1'", "-w", "shop", "--json").stdout)
    assert found["guests"] == 40
    planned = json.loads(run("plan", "first.toml", "-w", "shop", "--json").stdout)
    assert planned["arms"]["treated"] == 0
    assert "nothing is known yet" in planned["warnings"][0]
    page = Path(json.loads(run("report", "-w", "shop", "--json").stdout)["report"])
    assert "First try" in (shop.parent / page).read_text()
    assert "comes out the same to the byte" in run("report", planned["plan_id"], "--replay", "-w", "shop").stdout
    assert "600 rows" in run("doctor", "-w", "shop").stdout


def test_a_proposed_mapping_is_kept_and_used(run: Run, shop: Path, tmp_path: Path) -> None:
    lines = [
        "order_number,customer_id,location,date,total",
        "1,ann,S1,2026-05-01 12:00,12.50",
        "2,bob,S1,2026-05-02 12:00,8",
    ]
    (tmp_path / "till.csv").write_text("\n".join(lines) + "\n")
    proposed = run("map", "till.csv", "--table", "orders", "--save", "-w", "shop").stdout
    assert 'amount_minor = { column = "total", unit = "major" }' in proposed
    assert "2 rows accepted" in run("load", "orders", "till.csv", "-w", "shop").stdout


def test_rejected_rows_are_shown_with_their_reasons(run: Run, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(
        "order_id,store_id,ordered_at,amount_minor\nA,S9,2026-05-01,5\nB,S1,2026-02-31,5\n"
    )
    assert "0 rows accepted, 2 rejected" in run("load", "orders", "bad.csv", "-w", "shop").stdout
    shown = run("rejects", "-w", "shop").stdout
    assert "2 rejected rows" in shown
    assert "store 'S9' is not in stores" in shown
    told = json.loads(run("rejects", "--table", "orders", "--json", "-w", "shop").stdout)
    assert [row["line"] for row in told["rows"]] == [2, 3]


REFUSED = {
    ("load", "orders", "gone.csv"): "gone.csv: no such file",
    ("load", "ordrs", "stores.csv"): "no table 'ordrs' (did you mean 'orders'?)",
    ("load", "orders", "stores.csv"): "has no column order_id",
    ("segments", "visit >= 2"): "holds no orders yet",
    ("profile",): "holds no orders yet",
    ("plan", "gone.toml"): "gone.toml: no such file",
    ("report",): "no plan yet",
    ("next-dishes",): "holds no order_items yet",
    ("map", "stores.csv", "--table", "orders"): "order_id of orders is not found",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_a_refusal_is_a_sentence_and_status_1(run: Run, shop: Path, arguments: tuple[str, ...]) -> None:
    said = " ".join(run(*arguments, "-w", "shop", status=1).stderr.replace("│", " ").split())
    assert REFUSED[arguments] in said
    told = json.loads(run(*arguments, "-w", "shop", "--json", status=1).stdout)
    assert REFUSED[arguments] in told["error"]


def test_a_folder_that_is_no_workspace_says_how_to_make_one(run: Run) -> None:
    assert "`regulars init" in run("doctor", status=1).stderr.replace("\n", " ")


def test_a_workspace_is_not_made_twice_nor_with_a_wrong_currency(run: Run, shop: Path) -> None:
    assert "is a workspace already" in run("init", "shop", status=1).stderr
    assert "no currency is called 'XXQ'" in run("init", "new", "--currency", "XXQ", status=2).stderr.replace(
        "\n", " "
    ).replace("│", "")


def test_a_workspace_of_a_newer_version_is_left_alone(run: Run, shop: Path) -> None:
    settings = shop / "workspace.toml"
    settings.write_text(settings.read_text().replace("format = 1", "format = 99"))
    assert "made by a newer version of regulars" in run("doctor", "-w", "shop", status=1).stderr


def test_ctrl_c_leaves_with_130_and_one_line(shop: Path, tmp_path: Path) -> None:
    script = f"""
        import os, signal, sys
        from regulars import cli
        from regulars.tables import Lake
        Lake.load = lambda *a, **k: os.kill(os.getpid(), {int(signal.SIGINT)})
        sys.argv = ["regulars", "load", "orders", "export.csv", "-w", "shop"]
        cli.main()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (130, "stopped; nothing was changed")


def test_every_command_explains_itself_with_an_example(run: Run) -> None:
    import typer

    from regulars.cli import app

    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert "Example:" in command.help, name
        assert "Example:" in run(name, "--help").stdout
