"""The Django app of the console; it keeps no tables of its own."""

from django.apps import AppConfig


class Console(AppConfig):
    """What speaks HTTP."""

    name = "regulars.console"
    label = "console"
