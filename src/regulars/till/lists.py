"""The routes of lists: vouchers and redemptions that concern the key, newest first, a page at a time."""

import base64
from typing import Annotated, Any

import pydantic
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query
from pydantic import ConfigDict, Field

from regulars.offers import lists
from regulars.offers.vouchers import canonical
from regulars.till import shapes, vouchers
from regulars.till.dispatch import now, say
from regulars.till.keys import Key, till_of
from regulars.till.openapi import PROBLEMS
from regulars.till.problems import Problem
from regulars.till.replies import RedemptionReply, RedemptionsReply, VouchersReply

router = vouchers.router
_MOST_DIGITS = 18
_TILL, _ISSUER = Key("redeem"), Key("issue")
_Cursor = Annotated[str, pydantic.StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]


class _Page(pydantic.BaseModel):
    """Which page. cursor: `next_cursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: _Cursor | None = None

    def wanted(self) -> dict[str, str]:
        """What is looked for, but for the page."""
        return self.model_dump(exclude={"limit", "cursor"}, exclude_none=True)

    def before(self) -> int | None:
        """The number before which the page begins. Raises Problem body_invalid where the cursor is none of ours."""
        if self.cursor is None:
            return None
        try:
            number = base64.urlsafe_b64decode(self.cursor + "==").decode("ascii")
        except ValueError:
            number = ""
        if not number.isdecimal() or len(number) > _MOST_DIGITS:
            raise Problem("body_invalid")
        return int(number)


class VouchersQuery(_Page):
    """Which vouchers."""

    offer_id: shapes.Text | None = None
    guest_id: shapes.Text | None = None
    batch_id: shapes.Text | None = None


class RedemptionsQuery(_Page):
    """Which redemptions."""

    store_id: shapes.Text | None = None
    order_id: shapes.Text | None = None
    offer_id: shapes.Text | None = None
    code: shapes.Code | None = None


@router.get("/vouchers", auth=_ISSUER, response={200: VouchersReply, **PROBLEMS})
def list_vouchers(request: HttpRequest, query: Query[VouchersQuery]) -> HttpResponse:
    """Vouchers of offers that concern the key, the newest first."""
    own, before = till_of(request).stores, query.before()
    found, following = lists.vouchers(query.wanted(), own=own, before=before, most=query.limit, now=now())
    return say({"vouchers": found, **_following(following)})


@router.get("/redemptions", auth=_TILL, response={200: RedemptionsReply, **PROBLEMS})
def list_redemptions(request: HttpRequest, query: Query[RedemptionsQuery]) -> HttpResponse:
    """Redemptions at the key's stores, the newest first."""
    wanted, own, before = query.wanted(), till_of(request).stores, query.before()
    if "code" in wanted:
        wanted["code"] = canonical(wanted["code"]) or ""
    found, following = lists.redemptions(wanted, own=own, before=before, most=query.limit)
    return say({"redemptions": found, **_following(following)})


@router.get("/redemptions/{redemption_id}", auth=_TILL, response={200: RedemptionReply, **PROBLEMS})
def look_up_redemption(request: HttpRequest, redemption_id: Path[shapes.Text]) -> HttpResponse:
    """One redemption, and what of it was given back."""
    return say(lists.redemption(redemption_id, own=till_of(request).stores))


def _following(number: int | None) -> dict[str, Any]:
    if number is None:
        return {"next_cursor": None}
    return {"next_cursor": base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")}
