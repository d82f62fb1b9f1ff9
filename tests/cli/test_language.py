"""The language of a command: where it is said, and that a language which is not there is refused."""

import json
import os
from pathlib import Path

import pytest

from commands import run_command


def said(tmp_path: Path, *arguments: str, status: int = 0, **variables: str) -> tuple[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "REGULARS_LANGUAGE"}
    done = run_command(arguments, folder=tmp_path, environment=environment | {"COLUMNS": "80"} | variables)
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout, " ".join(done.stderr.replace("│", " ").split())


def test_a_command_speaks_the_language_that_is_asked_for(tmp_path: Path) -> None:
    english, chinese = "next: cd ", "下一步：cd "
    assert english in said(tmp_path, "init", "a")[0]
    assert chinese in said(tmp_path, "init", "b", "--language", "zh")[0]
    assert chinese in said(tmp_path, "--language", "zh", "init", "c")[0]
    assert chinese in said(tmp_path, "init", "d", REGULARS_LANGUAGE="zh")[0]
    assert english in said(tmp_path, "init", "e", "--language", "en", REGULARS_LANGUAGE="zh")[0]
    assert "无法执行" in said(tmp_path, "init", "a", "--language", "zh", status=1)[1]


@pytest.mark.parametrize("arguments", [("doctor", "--language", "fr"), ("--language", "fr", "doctor"), ("doctor",)])
def test_a_language_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    refused = said(tmp_path, *arguments, status=2, REGULARS_LANGUAGE="fr" if "fr" not in arguments else "zh")[1]
    assert "'fr' is not one of 'en', 'zh'" in refused
    assert "--language" in refused


def test_json_has_the_same_keys_in_every_language(tmp_path: Path) -> None:
    answers = [
        json.loads(said(tmp_path, "init", language, "--language", language, "--json")[0]) for language in ("en", "zh")
    ]
    assert answers[0].keys() == answers[1].keys()
