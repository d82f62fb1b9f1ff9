"""Keys: who asks, and whether they may. Every route has one; a route without is shut.

A key is asked for with one query by its primary key, every time, so that one which is revoked is refused at once. Commands ask
for it in their own transaction, so for their routes it may be remembered.
"""

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest
from ninja.security import HttpBearer

from regulars.access import tills
from regulars.access.tills import Till
from regulars.till.problems import Problem

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="regulars"'}


class Key(HttpBearer):
    """Asks for a key with a scope, any key where none is named. is_for_commands: the route does nothing but perform commands."""

    def __init__(self, scope: str = "", *, is_for_commands: bool = False) -> None:
        super().__init__()
        self.scope = scope
        self._find = tills.remember if is_for_commands else tills.authenticate

    def __call__(self, request: HttpRequest) -> Till:
        return self.demand(request)

    def authenticate(self, request: HttpRequest, token: str) -> Till | None:
        """Whose token it is."""
        try:
            return self._find(token)
        except (OperationalError, InterfaceError):  # the database was started anew since: this connection is dead
            connection.close()
            return self._find(token)

    def demand(self, request: HttpRequest) -> Till:
        """The till that asks. Raises Problem not_authenticated or not_allowed."""
        kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        till = self.authenticate(request, token.strip()) if kind.lower() == "bearer" else None
        if till is None:
            raise Problem("not_authenticated", headers=_CHALLENGE)
        request.till = till
        if self.scope and self.scope not in till.scopes:
            raise Problem("not_allowed")
        return till


def till_of(request: HttpRequest) -> Till:
    """The till that was let in."""
    till: Till = request.till
    return till
