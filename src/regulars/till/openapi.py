"""The description, OpenAPI 3.1: the headers that routes need and all the problems they may answer with."""

from typing import Any

from regulars.till.problems import MEDIA_TYPE, STATUSES
from regulars.till.replies import ProblemReply

_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "Your own name for this write. The same key gives the same answer to the byte, for 30 days.",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[\\u0021-\\u007e]+$"},
}
KEYED: dict[str, Any] = {"parameters": [_KEY]}
"""A write that is answered once for each key."""

PROBLEMS: dict[int, type[ProblemReply]] = dict.fromkeys(sorted(set(STATUSES.values())), ProblemReply)
"""The statuses of all problems."""


def refine(schema: dict[str, Any]) -> dict[str, Any]:
    """Say in the description of the API what the framework cannot know: problems have a media type of their own."""
    for route in schema["paths"].values():
        for operation in route.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and "content" in response:
                    response["content"] = {MEDIA_TYPE: next(iter(response["content"].values()))}
    return schema
