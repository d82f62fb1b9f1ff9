"""Language: in which language a command speaks: `--language`, before or after its name, else REGULARS_LANGUAGE, else English."""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any, Literal

import typer

LanguageName = Literal["en", "zh"]

_chosen: ContextVar[LanguageName] = ContextVar("language", default="en")


def chosen() -> LanguageName:
    """The language of this command."""
    return _chosen.get()


def choose(language: LanguageName | None) -> LanguageName | None:
    """Speak it from now on; None changes nothing."""
    if language is not None:
        _chosen.set(language)
    return language


_WORDS = "The language of what is said."
Language = Annotated[LanguageName | None, typer.Option(help=_WORDS, callback=choose)]
LanguageOrVariable = Annotated[
    LanguageName | None, typer.Option(help=_WORDS, callback=choose, envvar="REGULARS_LANGUAGE")
]


def with_language(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same command, with `--language` beside its own options."""

    @functools.wraps(command)
    def speaking(*, language: Language = None, **given: Any) -> Any:
        return command(**given)

    own = inspect.signature(command)
    option = inspect.Parameter("language", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Language)
    speaking.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    speaking.__annotations__ = {**command.__annotations__, "language": Language}
    return speaking
