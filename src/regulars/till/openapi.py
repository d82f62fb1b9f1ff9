"""The description, OpenAPI 3.1: what the framework cannot know: headers, problems, words and examples."""

from collections.abc import Iterator
from typing import Any

from regulars.till.glossary import GLOSSARY, REQUESTS
from regulars.till.problems import MEDIA_TYPE, STATUSES
from regulars.till.replies import ProblemReply

_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "Your own name for this write. The same key gives the same answer to the byte, for 30 days.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[\\u0021-\\u007e]+$"},
    "example": "check-4711-1",
}
KEYED: dict[str, Any] = {"parameters": [_KEY]}
"""A write that is answered once for each key."""

PROBLEMS: dict[int, type[ProblemReply]] = dict.fromkeys(sorted(set(STATUSES.values())), ProblemReply)
"""The statuses of all problems."""


def _header(words: str, example: str) -> dict[str, Any]:
    return {"description": words, "schema": {"type": "string"}, "example": example}


_NAMED = {
    "X-Request-ID": _header("The name of this request: yours if you sent one; it stands in the log.", "7f3a9c"),
    "Sandbox": _header("`true` where the key is for a sandbox: nothing of it was kept. Missing otherwise.", "true"),
}
_REPEATED = {
    "Idempotent-Replayed": _header("`true` where the key was answered before, and this is that answer.", "true")
}
_LANGUAGE = {"Content-Language": _header("The language of `detail`: en or zh.", "en")}
_OF_STATUS = {
    401: {"WWW-Authenticate": _header("How to say who you are.", 'Bearer realm="regulars"')},
    405: {"Allow": _header("The methods this address knows.", "POST")},
    429: {"Retry-After": _header("Seconds to wait.", "42")},
    503: {"Retry-After": _header("Seconds to wait; then the same again with the same key.", "1")},
}

_VOUCHERS = "regulars_till_vouchers_"
_CODE, _FIRST = {"code": "$response.body#/code"}, {"redemption_id": "$response.body#/applied/0/redemption_id"}
_LINKS: dict[str, dict[str, dict[str, str]]] = {
    f"{_VOUCHERS}issue": {f"{_VOUCHERS}look_up": _CODE, f"{_VOUCHERS}cancel": _CODE},
    f"{_VOUCHERS}redeem": {f"{_VOUCHERS}roll_back": _FIRST, "regulars_till_lists_look_up_redemption": _FIRST},
    f"{_VOUCHERS}reserve": {f"{_VOUCHERS}release": {"reservation_id": "$response.body#/reservation_id"}},
    "regulars_till_lists_list_redemptions": {
        "regulars_till_lists_look_up_redemption": {"redemption_id": "$response.body#/redemptions/0/redemption_id"}
    },
    "regulars_till_halts_halt": {
        "regulars_till_halts_resume": {"kind": "$response.body#/kind", "key": "$response.body#/key"}
    },
}
"""What may be asked next with what an answer says."""


def refine(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in the description of the API what the framework cannot know."""
    shapes = schema["components"]["schemas"]
    for shape, field in (("ProblemReply", "code"), ("LeftOutReply", "reason")):
        shapes[shape]["properties"][field] |= {"enum": sorted(STATUSES)}
    for name, shape in shapes.items():
        for field, described in shape.get("properties", {}).items():
            words, example = GLOSSARY.get(f"{name}.{field}") or GLOSSARY[field]
            described |= {"description": words, "examples": [example]}
    for route in schema["paths"].values():
        for operation in route.values():
            _describe(operation, shapes)
    return schema


def _describe(operation: dict[str, Any], shapes: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter is not _KEY and "example" not in parameter:
            words, example = GLOSSARY[parameter["name"]]
            parameter |= {"description": words, "example": example}
    is_keyed = any(parameter["name"] == _KEY["name"] for parameter in operation.get("parameters", ()))
    if "requestBody" in operation:
        operation["requestBody"]["content"]["application/json"]["example"] = REQUESTS[name_of(operation)]
    for status, response in operation["responses"].items():
        is_problem = int(status) >= 400
        response["headers"] = _NAMED | (_LANGUAGE if is_problem else {}) | _OF_STATUS.get(int(status), {})
        if is_keyed and not is_problem:
            response["headers"] |= _REPEATED
        if not is_problem and (following := _LINKS.get(operation["operationId"])):
            response["links"] = {
                name: {"operationId": name, "parameters": parameters} for name, parameters in following.items()
            }
        for content in response.get("content", {}).values():
            content["example"] = _problem(int(status)) if is_problem else example_of(content["schema"], shapes)
        if is_problem:
            response["description"] = ", ".join(f"`{code}`" for code in codes_of(int(status)))
            response["content"] = {MEDIA_TYPE: next(iter(response["content"].values()))}


def name_of(operation: dict[str, Any]) -> str:
    """The name of the function behind an operation."""
    for name in sorted(REQUESTS, key=len, reverse=True):
        if operation["operationId"].endswith(f"_{name}"):
            return name
    return ""


def codes_of(status: int) -> Iterator[str]:
    """The problems that have a status."""
    return (code for code, its in STATUSES.items() if its == status)


def _problem(status: int) -> dict[str, Any]:
    code = next(codes_of(status))
    title = code.replace("_", " ").capitalize()
    return {
        "type": f"urn:regulars:problem:{code}", "title": title, "status": status, "code": code, "detail": f"{title}.",
        "instance": "urn:regulars:request:7f3a9c",
    }  # fmt: skip


def example_of(shape: dict[str, Any], shapes: dict[str, Any]) -> Any:
    """An example of a shape: those of its fields, together."""
    if "$ref" in shape:
        shape = shapes[shape["$ref"].rsplit("/", 1)[-1]]
    return {field: described["examples"][0] for field, described in shape.get("properties", {}).items()}
