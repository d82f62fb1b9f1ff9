"""The Django app of the service; it keeps no tables of its own."""

from django.apps import AppConfig
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, reset_queries


class Service(AppConfig):
    """What serves HTTP."""

    name = "regulars.service"
    label = "service"

    def ready(self) -> None:
        """Leave out what Django does around every request for others: there is no cache, no list of queries outside of DEBUG,
        and a connection that broke is closed at the end of the request in which it did. It is a tenth of a request."""
        request_started.disconnect(reset_queries)
        request_started.disconnect(close_old_connections)
        request_finished.disconnect(close_caches)
