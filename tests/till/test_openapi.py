"""The description: every field has its words and an example, every operation examples that run, and problems are enumerated."""

import datetime as dt
import json
from typing import Any

import jsonschema
import pytest

from databases import Database, on_one
from regulars.till.api import api
from regulars.till.glossary import GLOSSARY, REQUESTS
from regulars.till.problems import MEDIA_TYPE, STATUSES
from till.conftest import Caller

SCHEMA: dict[str, Any] = json.loads(api.description_text)
SHAPES: dict[str, Any] = SCHEMA["components"]["schemas"]
OPERATIONS = [
    (method.upper(), path.removeprefix("/api/v1/"), operation)
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
]


def validator(shape: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(shape | {"components": SCHEMA["components"]})


@pytest.mark.parametrize("name", SHAPES)
def test_every_field_has_words_and_an_example_that_is_one(name: str) -> None:
    for field, described in SHAPES[name].get("properties", {}).items():
        assert described["description"].endswith("."), field
        for example in described["examples"]:
            validator(described).validate(example)


def test_every_word_of_the_glossary_is_used() -> None:
    fields = {field for shape in SHAPES.values() for field in shape.get("properties", {})}
    fields |= {f"{name}.{field}" for name, shape in SHAPES.items() for field in shape.get("properties", {})}
    fields |= {parameter["name"] for _, _, operation in OPERATIONS for parameter in operation.get("parameters", ())}
    assert set(GLOSSARY) <= fields


def test_every_operation_has_examples_headers_and_words() -> None:
    assert {path for _, path, operation in OPERATIONS if "requestBody" in operation}
    for method, path, operation in OPERATIONS:
        assert operation["description"], (method, path)
        for parameter in operation.get("parameters", ()):
            assert parameter["description"]
            assert "example" in parameter
        if "requestBody" in operation:
            sent = operation["requestBody"]["content"]["application/json"]
            validator(sent["schema"]).validate(sent["example"])
        for status, response in operation["responses"].items():
            assert response["headers"].keys() >= {"X-Request-ID"}
            (content,) = response["content"].values()
            validator(content["schema"]).validate(content["example"])
            assert (MEDIA_TYPE in response["content"]) == (int(status) >= 400)


def test_problems_are_enumerated_and_answers_have_room_for_more() -> None:
    assert SHAPES["ProblemReply"]["properties"]["code"]["enum"] == sorted(STATUSES)
    for name, shape in SHAPES.items():
        if name.endswith("Reply") or name == "WrongField":
            assert shape.get("additionalProperties", True) is True, name
        elif name not in ("EventsShape", "TrackShape", "OtherShape", "TrackOfManyShape"):
            assert shape["additionalProperties"] is False, name


def test_links_lead_to_operations_that_take_what_they_give() -> None:
    named = {operation["operationId"]: operation for _, _, operation in OPERATIONS}
    links = [
        link
        for operation in named.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert len(links) == 7
    for link in links:
        assert set(link["parameters"]) <= {one["name"] for one in named[link["operationId"]]["parameters"]}


STORY = [
    "define_offer", "issue", "list_offers", "look_up_offer", "look_up", "list_vouchers", "validate", "reserve", "release",
    "redeem", "look_up_redemption", "list_redemptions", "roll_back", "redeem_batch", "track", "batch", "ping", "halt",
    "list_halts", "resume", "cancel",
]  # fmt: skip


@on_one
def test_the_examples_run_as_they_stand(shop: Database, house: Caller) -> None:
    """In an order in which they may; only what the house names itself is filled in."""
    named = {operation["operationId"].rpartition(f"{part}_")[2]: (method, path, operation)
             for method, path, operation in OPERATIONS for part in ("vouchers", "offers", "events", "halts", "api", "lists")
             if f"till_{part}_" in operation["operationId"]}  # fmt: skip
    assert set(named) == set(STORY)
    live: dict[str, str] = {}
    for name in STORY:
        method, path, operation = named[name]
        for parameter in operation.get("parameters", ()):
            value = live.get(parameter["name"], parameter["example"])
            path = path.replace(f"{{{parameter['name']}}}", str(value))
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        if name == "redeem_batch":
            now = dt.datetime.now(dt.UTC).isoformat()
            body = {"redemptions": [row | {"occurred_at": now} for row in body["redemptions"]]}
        answer = house(method, path, body)
        assert answer.status_code in (200, 201), (name, answer.content)
        check_answer(name, operation["responses"][str(answer.status_code)], answer)
        told = answer.json()
        live |= {field: told[field] for field in ("reservation_id",) if field in told}
        if name == "redeem":
            live["redemption_id"] = told["applied"][0]["redemption_id"]
        if name == "redeem_batch":
            assert [row["status"] for row in told["results"]] == [200]
    assert set(REQUESTS) <= set(STORY)


def check_answer(name: str, response: dict[str, Any], answer: Any) -> None:
    """As described, and nothing in it that is not described."""
    shape = response["content"]["application/json"]["schema"]
    validator(shape).validate(answer.json())
    known = SHAPES[shape["$ref"].rsplit("/", 1)[-1]]["properties"]
    assert set(answer.json()) <= set(known), name
