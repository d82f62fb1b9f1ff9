"""The command line of the records, as an operator uses it."""

import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest
from django.db import connection

from commands import run_command
from databases import POSTGRES, SECRET, Database
from service.servers import PROGRAM, environment_of, serving
from till.conftest import TERMS

Run = Callable[..., "subprocess.CompletedProcess[str]"]
OFFER = "\n".join(f"{name} = {value if name.endswith('_at') else json.dumps(value)}" for name, value in TERMS.items())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """In an empty folder, without a word in the environment; each run is a process."""
    (tmp_path / "five.toml").write_text(OFFER)

    def run(*arguments: str, status: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
        done = run_command(arguments, folder=tmp_path, environment=environment_of(environment))
        assert done.returncode == status, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done

    return run


def test_from_nothing_to_a_redemption(run: Run, tmp_path: Path) -> None:
    run("stores", "add", "S1", "--zone", "America/New_York")
    assert "next: regulars issue five" in run("offers", "define", "five.toml").stdout
    token = run("keys", "new", "till 1", "--scope", "redeem", "--store", "S1").stdout.strip()
    issued = json.loads(run("issue", "five", "--count", "25", "--batch", "first", "--json").stdout)
    assert issued == {"batch_id": "first", "issued": 25, "wanted": 25}
    assert "25 of 25 issued" in run("issue", "five", "--count", "25", "--batch", "first").stdout
    assert "first" in run("issue", "five", "--count", "26", "--batch", "first", status=1).stderr
    (tmp_path / "guests.csv").write_text("guest_id,visits\nG1,3\nG2,4\n")
    assert "2 of 2 issued" in run("issue", "five", "--guests", "guests.csv", "--batch", "second").stdout
    with serving(tmp_path, {}) as server:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "check-4711"}
        with httpx.Client(base_url=server.address, headers=headers) as till:
            assert till.get("/api/v1/offers").json()["offers"][0]["offer_id"] == "five"
            assert "no such offer" in run("halt", "offer", "fife", "--reason", "a test", status=1).stderr
            run("halt", "offer", "five", "--reason", "a test")
            assert till.get("/api/v1/ping").status_code == 200
            run("resume", "offer", "five")
            (listed,) = json.loads(run("keys", "list", "--json").stdout)
            run("keys", "revoke", listed["till_id"])
            assert till.get("/api/v1/ping").status_code == 401
    assert "every counter is what the ledger says" in run("reconcile").stdout
    assert json.loads(run("reconcile", "--json").stdout) == []
    assert "$135.00" in run("offers", "list").stdout
    assert json.loads(run("people", "links", "--json").stdout) == []
    assert "there is none" in run("people", "part", "12", "--reason", "a test", status=1).stderr
    assert "every counter" in run("reconcile", "--mend").stdout
    assert "S1" in run("stores", "list").stdout
    assert stat.S_IMODE((tmp_path / "records.sqlite3").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "records.key").stat().st_mode) == 0o600


def test_a_key_is_shown_once(run: Run) -> None:
    run("stores", "add", "S1", "--zone", "UTC")
    made = json.loads(run("keys", "new", "till", "--scope", "redeem", "--everywhere", "--json").stdout)
    secret = made["key"].split("_", 2)[2]
    assert len(secret) >= 32
    shown = run("keys", "list").stdout + run("keys", "list", "--json").stdout
    assert made["till_id"] in shown
    assert secret not in shown


def test_a_key_for_a_sandbox_is_listed_as_one(run: Run) -> None:
    run("stores", "add", "S1", "--zone", "UTC")
    run("keys", "new", "till", "--scope", "redeem", "--store", "S1")
    made = json.loads(run("keys", "new", "trial", "--scope", "redeem", "--store", "S1", "--sandbox", "--json").stdout)
    listed = {row["name"]: row["is_sandbox"] for row in json.loads(run("keys", "list", "--json").stdout)}
    assert (made["is_sandbox"], listed) == (True, {"till": False, "trial": True})


REFUSED = {
    ("keys", "new", "x", "--scope", "redeem", "--store", "S9"): (1, "`regulars stores add S9 --zone ZONE`"),
    ("keys", "new", "x", "--scope", "redeem"): (2, "either --store"),
    ("keys", "new", "x", "--scope", "everything", "--everywhere"): (1, "there are redeem"),
    ("keys", "revoke", "nobody"): (1, "`regulars keys list` shows them"),
    ("offers", "define", "gone.toml"): (1, "gone.toml: no such file"),
    ("issue", "nothing", "--count", "1"): (1, "nothing"),
    ("issue", "nothing"): (2, "either --count or --guests"),
    ("halt", "kitchen", "x", "--reason", "x"): (2, "offer, campaign or store"),
    ("resume", "offer", "x"): (1, "no such halt"),
    ("stores", "add", "S1", "--zone", "Mars/Olympus"): (2, "no time zone"),
    ("stores", "add", "S1", "--zone", "UTC", "--day-closes-at", "25:00"): (2, "no time of day"),
    ("restore", "gone.backup"): (1, "cannot be read"),
    ("restore", "five.toml"): (1, "is no backup"),
    ("backup", "five.toml"): (1, "is there already"),
    ("backup", "nowhere/x.backup"): (1, "cannot be written"),
    ("serve", "--port", "0"): (2, "greater than or equal to 1"),
    ("keys", "list", "-w", "/nowhere/at/all"): (1, "set REGULARS_SECRET_KEY, or mend the folder"),
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_a_refusal_is_a_sentence(run: Run, arguments: tuple[str, ...]) -> None:
    status, words = REFUSED[arguments]
    said = " ".join(re.sub("[│╭╮╰╯─]", " ", run(*arguments, status=status).stderr).split())
    assert words in said


def test_a_port_that_is_taken_is_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    with serving(tmp_path, {}) as server:
        assert f"port {server.port}" in run("serve", "--port", str(server.port), status=1).stderr


def test_a_server_that_is_not_migrated_says_how(run: Run) -> None:
    address, name = fresh_postgres("regulars_test_service")
    told = {"DATABASE_URL": address, "REGULARS_SECRET_KEY": SECRET}
    try:
        assert "`regulars migrate`" in " ".join(run("serve", "--port", "9", status=1, **told).stderr.split())
        assert "offers.0001_initial" in run("migrate", **told).stdout
        assert "nothing to do" in run("migrate", **told).stdout
        assert json.loads(run("keys", "list", "--json", **told).stdout) == []
        assert (
            "the records cannot be reached"
            in run("keys", "list", status=1, **told | {"DATABASE_URL": "postgres://nobody:secret@127.0.0.1:1/x"}).stderr
        )
    finally:
        drop_postgres(name)


def fresh_postgres(name: str) -> tuple[str, str]:
    from conftest import lacking

    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as server:
            server.execute(f'drop database if exists "{name}" with (force)')
            server.execute(f'create database "{name}"')
    except psycopg.OperationalError:
        lacking("postgres", f"no PostgreSQL at {POSTGRES}")
    return POSTGRES.rsplit("/", 1)[0] + f"/{name}", name


def drop_postgres(name: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f'drop database if exists "{name}" with (force)')


def test_i17_records_of_a_newer_version_are_left_alone(run: Run, tmp_path: Path) -> None:
    import sqlite3

    run("migrate")
    with sqlite3.connect(tmp_path / "records.sqlite3") as opened:
        opened.execute(
            "insert into django_migrations (app, name, applied) values ('offers', '9999_later', '2030-01-01')"
        )
    opened.close()
    assert "newer version" in run("keys", "list", status=1).stderr
    assert "newer version" in run("migrate", status=1).stderr


def test_i17_a_backup_is_put_back_to_the_minor_unit(run: Run, shop: Database, tmp_path: Path) -> None:
    told = shop.environment
    run("issue", "five", "--count", "40", "--batch", "b", **told)
    before = json.loads(run("offers", "list", "--json", **told).stdout)
    file = tmp_path / "all.backup"
    assert "keep the secret key too" in run("backup", str(file), **told).stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    run("issue", "five", "--count", "2", "--batch", "later", **told)
    refused = run("restore", str(file), status=1, **told)
    assert "--force" in refused.stderr
    connection.close()  # what is in use is not put back
    assert json.loads(run("offers", "list", "--json", **told).stdout) != before
    assert "every counter is what the ledger says" in run("restore", str(file), "--force", **told).stdout
    assert json.loads(run("offers", "list", "--json", **told).stdout) == before


def test_a_damaged_backup_is_refused_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    run("stores", "add", "S1", "--zone", "UTC")
    run("backup", "good.backup")
    content = bytearray((tmp_path / "good.backup").read_bytes())
    content[4096 * 3 : 4096 * 20] = b"\xff" * (4096 * 17)
    (tmp_path / "bad.backup").write_bytes(content)
    assert "damaged" in run("restore", "bad.backup", "--force", status=1).stderr
    assert "S1" in run("stores", "list").stdout
    (tmp_path / "other.backup").write_bytes(b"PGDMP and so on")
    assert "other kind" in run("restore", "other.backup", "--force", status=1).stderr
    assert list(tmp_path.glob(".*part")) == []


def test_the_worker_sweeps_once_and_stops_in_order(run: Run, tmp_path: Path) -> None:
    run("worker", "--once")
    process = subprocess.Popen(
        [*PROGRAM, "worker", "--every", "1"], cwd=tmp_path, env=environment_of({}), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert json.loads(process.stderr.readline())["message"] == "swept"
    process.terminate()
    assert process.wait(timeout=20) == 0
    process.stderr.close()


def test_the_program_loads_django_only_where_it_is_needed() -> None:
    code = "import sys; import regulars.cli; print(*(name for name in ('django', 'granian', 'ninja', 'psycopg') if name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_jobs_are_seen_and_refusals_are_sentences(run: Run) -> None:
    assert "none yet" in run("jobs").stdout
    run("worker", "--once")
    (job,) = json.loads(run("jobs", "--json").stdout)
    assert (job["kind"], job["state"], job["attempt"]) == ("sweep", "done", 1)
    assert "已完成" in run("jobs", "--language", "zh").stdout
    refused = run("jobs", "stop", str(job["job_id"]), status=1).stderr
    assert "there is nothing to stop" in " ".join(refused.replace("│", " ").split())
    assert "only a job that failed" in " ".join(run("jobs", "retry", str(job["job_id"]), status=1).stderr.split())
    assert "none yet" in run("jobs", "--alive").stdout
