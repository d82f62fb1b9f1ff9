"""Pages of lists: how many rows, and where the next page begins."""

import base64
from typing import Annotated

import pydantic
from pydantic import ConfigDict, Field

from regulars.till.problems import Problem

MOST = 200
Cursor = Annotated[str, pydantic.StringConstraints(min_length=1, max_length=400, pattern=r"^[A-Za-z0-9_-]+$")]


class PageQuery(pydantic.BaseModel):
    """Which page. cursor: `next_cursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: Cursor | None = None

    def wanted(self) -> dict[str, str]:
        """What is looked for, but for the page."""
        return self.model_dump(exclude={"limit", "cursor"}, exclude_none=True)


def cursor_of(place: object) -> str:
    """A cursor that leads to what comes after a row."""
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def place_of(cursor: str) -> str:
    """Where a cursor leads. Raises Problem body_invalid where it is none of ours."""
    try:
        return base64.urlsafe_b64decode(cursor + "==").decode()
    except ValueError:
        raise Problem("body_invalid") from None


def number_of(cursor: str) -> int:
    """The number to which a cursor leads. Raises as `place_of`."""
    number = place_of(cursor)
    if not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise Problem("body_invalid")
    return int(number)
