"""Settings from the environment: what is said is meant, and what makes no sense is refused in a sentence."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from regulars.errors import DataError
from regulars.settings import database, secret_in

SHOW = """
import json
from regulars import settings as s
print(json.dumps({name: getattr(s, name) for name in dir(s) if name.isupper() and name != "WORKSPACE" and name[0] != "_"}))
"""


def settings(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("REGULARS_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, "-c", SHOW], cwd=folder, env=bare | environment, capture_output=True, text=True, check=False
    )


def test_without_a_word_the_records_are_a_safe_file_here(tmp_path: Path) -> None:
    said = json.loads(settings(tmp_path).stdout)
    (default,) = said["DATABASES"].values()
    assert default["NAME"] == "records.sqlite3"
    assert default["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous = FULL" in default["OPTIONS"]["init_command"]
    assert said["DEBUG"] is False
    assert said["USE_TZ"] is True
    assert said["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert said["SECRET_KEY"] == (tmp_path / "records.key").read_text()
    assert json.loads(settings(tmp_path).stdout)["SECRET_KEY"] == said["SECRET_KEY"]


def test_what_is_said_is_meant(tmp_path: Path) -> None:
    said = json.loads(
        settings(
            tmp_path, REGULARS_WORKSPACE=str(tmp_path), REGULARS_SECRET_KEY="s", REGULARS_ALLOWED_HOSTS="a.example, b.example",
            REGULARS_ZONE="Asia/Shanghai", REGULARS_LOG_LEVEL="warning", REGULARS_GUESSES_PER_MINUTE="5", REGULARS_DEBUG="on",
        ).stdout
    )  # fmt: skip
    assert said["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert (said["TIME_ZONE"], said["LOG_LEVEL"], said["GUESSES_PER_MINUTE"]) == ("Asia/Shanghai", "WARNING", 5)
    assert (said["DEBUG"], said["SECRET_KEY"]) == (True, "s")
    assert not (tmp_path / "records.key").exists()
    assert said["DATABASES"]["default"]["NAME"] == str(tmp_path / "records.sqlite3")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("REGULARS_DEBUG", "maybe", "give one of off, on"),
        ("REGULARS_ZONE", "Mars/Olympus", "no time zone"),
        ("REGULARS_GUESSES_PER_MINUTE", "-1", "a whole number from 1"),
        ("DATABASE_URL", "mysql://root:hunter2@db/x", "no address of a database"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(tmp_path: Path, variable: str, value: str, words: str) -> None:
    done = settings(tmp_path, **{variable: value})
    assert done.returncode == 1
    assert words in done.stderr
    assert "hunter2" not in done.stderr


def test_an_address_of_postgres_is_read_in_all_its_parts() -> None:
    read = database("postgresql://us%40er:p%2Fw@db.example:5433/the%20name?sslmode=require")
    named = {name: read[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    assert named == {"NAME": "the name", "USER": "us@er", "PASSWORD": "p/w", "HOST": "db.example", "PORT": "5433"}
    assert read["OPTIONS"]["sslmode"] == "require"
    assert read["CONN_MAX_AGE"] is None
    assert database("sqlite:////a/b.sqlite3")["NAME"] == "/a/b.sqlite3"
    for wrong in ("", "sqlite://", "postgres://host", "redis://x/y", "postgres://host:port/x"):
        with pytest.raises(DataError, match="DATABASE_URL"):
            database(wrong)


def test_a_secret_is_made_once_however_many_ask_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file, secrets = tmp_path / "records.key", []
    threads = [threading.Thread(target=lambda: secrets.append(secret_in(file))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(secrets)) == 1
    assert len(secrets[0]) >= 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set REGULARS_SECRET_KEY, or mend the folder"):
        secret_in(tmp_path / "nowhere" / "records.key")
