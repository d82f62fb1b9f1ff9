"""The shapes of events: Segment's calls, kept as they were said, also what we do not know; only what no database can keep is refused."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from regulars.till.problems import canonical
from regulars.till.shapes import Shape

MOST_EVENT_BYTES = 32_000
MOST_DEPTH = 12

_MessageId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\u0021-\u007e]+$")]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$")]
_Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$")]


def _can_be_kept(value: Any, depth: int = 0) -> bool:
    match value:
        case dict():
            inner = (*value, *value.values())
        case list():
            inner = tuple(value)
        case str():
            return "\0" not in value
        case _:
            return True
    return depth < MOST_DEPTH and all(_can_be_kept(part, depth + 1) for part in inner)


def _check(said: dict[str, Any]) -> dict[str, Any]:
    if not _can_be_kept(said):
        raise ValueError(f"holds a NUL, or more than {MOST_DEPTH} levels")
    return said


Facts = Annotated[dict[str, Any], AfterValidator(_check)]


class EventShape(pydantic.BaseModel):
    """What all of Segment's calls share. messageId: the sender's own name for it; the same once more changes nothing."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Any]

    messageId: _MessageId  # noqa: N815  (Segment's word)
    userId: _Id | None = None  # noqa: N815
    anonymousId: _Id | None = None  # noqa: N815
    timestamp: Annotated[str, StringConstraints(max_length=40)] | None = None
    sentAt: Annotated[str, StringConstraints(max_length=40)] | None = None  # noqa: N815
    context: Facts | None = None
    traits: Facts | None = None
    properties: Facts | None = None

    @pydantic.model_validator(mode="after")
    def _is_of_bearable_size(self) -> "EventShape":
        said = self.model_dump(exclude_unset=True)
        _check(said)
        if len(canonical(said).encode()) > MOST_EVENT_BYTES:
            raise ValueError(f"an event has at most {MOST_EVENT_BYTES} bytes")
        return self


class TrackShape(EventShape):
    """Something that happened, by its name: Order Completed, Coupon Applied."""

    type: Literal["track"] = "track"
    event: _Name


class OtherShape(EventShape):
    """Who somebody is, or what they looked at."""

    type: Literal["identify", "page", "screen", "group", "alias"]
    event: _Name | None = None


class TrackOfManyShape(TrackShape):
    """The same among others, where it has to say what it is."""

    type: Literal["track"]


AnyEvent = Annotated[TrackOfManyShape | OtherShape, Field(discriminator="type")]


class EventsShape(Shape):
    """Many events at once, as Segment's libraries send them; what else they say beside the batch is not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    batch: Annotated[list[AnyEvent], Field(min_length=1, max_length=500)]
    sentAt: Annotated[str, StringConstraints(max_length=40)] | None = None  # noqa: N815
    context: Facts | None = None
