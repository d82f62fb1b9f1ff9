"""What a WSGI server runs: `regulars.service.wsgi:application`."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regulars.settings")
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's answer as one piece: the server sends it with its length, and does not ask for it bit by bit."""
    response = _django(environ, start_response)
    if response.streaming:
        return response
    response.close()
    return [response.content]
