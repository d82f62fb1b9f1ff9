"""The image and its neighbours: they cannot be built in every place, but what they name has to be there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from test_docs import check_command

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
SETTINGS = (ROOT / "src" / "regulars" / "settings.py").read_text(encoding="utf-8")
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


def last(instruction: str) -> str:
    return re.findall(rf"^{instruction} (.+)$", DOCKERFILE, re.MULTILINE)[-1]


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_exists_with_settings_that_are_read(name: str) -> None:
    service = COMPOSE["services"][name]
    check_command(list(service["command"]))
    assert [variable for variable in service["environment"] if f'"{variable}"' not in SETTINGS] == []
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True


def test_services_wait_for_services_that_exist_and_secrets_have_no_default() -> None:
    services = COMPOSE["services"]
    assert {"app", "worker", "migrate"} == set(OURS)
    named = {other for service in services.values() for other in service.get("depends_on", {})}
    assert named <= set(services)
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    for secret in ("POSTGRES_PASSWORD", "REGULARS_SECRET_KEY"):
        assert set(re.findall(rf"\${{{secret}([^}}]*)}}", text)) == {":?set it"}
    volumes = {volume.split(":")[0] for volume in services["database"]["volumes"]}
    assert volumes == set(COMPOSE["volumes"])


def test_the_database_is_of_the_version_of_the_clients_that_back_it_up() -> None:
    server = re.match(r"postgres:(\d+)", COMPOSE["services"]["database"]["image"])
    client = re.search(r"postgresql-client-(\d+)", DOCKERFILE)
    assert server
    assert client
    assert server[1] == client[1]


def test_the_image_runs_without_rights_and_what_it_runs_exists() -> None:
    assert last("USER").isdigit()
    assert int(last("USER")) >= 1000
    assert json.loads(last("ENTRYPOINT")) == ["regulars"]
    check_command(json.loads(last("CMD")))
    assert json.loads(last("HEALTHCHECK.*? CMD"))[0] == "python"


def test_what_the_image_copies_is_not_ignored_and_is_there() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name for names in re.findall(r"^COPY ((?!--).+) \S+$", DOCKERFILE, re.MULTILINE) for name in names.split()
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)


def test_every_command_of_the_image_answers_help() -> None:
    from regulars.cli import app

    for words in (["serve"], ["worker"], ["migrate"], ["backup"]):
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
