"""The catalogue: every sentence that the house can say has its words in both languages, with the same facts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from regulars.wording import LANGUAGES, known_codes
from regulars.wording.catalogue import words_of

SOURCE = Path(__file__).parents[2] / "src" / "regulars"
FIELD = re.compile(r"\{(\w+)(?::[^{}]*)?\}")


def makes_a_sentence(call: ast.expr) -> bool:
    """Whether a function is `Sentence`, or `say` of a voice."""
    if isinstance(call, ast.Attribute):
        return call.attr == "say" and ast.unparse(call.value).lower().split("(")[0].endswith("voice")
    return isinstance(call, ast.Name) and call.id == "Sentence"


def said_in_code() -> Iterator[tuple[str, str, set[str] | None]]:
    """Where a sentence is made with its code written out: the place, the code, and its facts if all are named."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and makes_a_sentence(node.func) and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    facts = {keyword.arg for keyword in node.keywords}
                    place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                    yield place, code.value, None if None in facts else {fact for fact in facts if fact}


@pytest.mark.parametrize("code", sorted(known_codes()))
def test_a_sentence_has_words_in_every_language_and_the_same_facts(code: str) -> None:
    facts = [set(FIELD.findall(words_of(code, language))) for language in LANGUAGES]
    assert all(words_of(code, language).strip() for language in LANGUAGES)
    assert all(found == facts[0] for found in facts)


@pytest.mark.parametrize("code", sorted(known_codes()))
def test_chinese_words_are_chinese_and_english_ones_are_not(code: str) -> None:
    han = re.compile(r"[\u3400-\u9fff]")
    assert not han.search(words_of(code, "en"))
    letters = re.sub(r"\{[^{}]*\}|[^A-Za-z]", "", words_of(code, "zh"))
    assert han.search(words_of(code, "zh")) or not letters


def test_every_code_that_is_written_out_has_words_and_is_given_its_facts() -> None:
    wrong = []
    for place, code, facts in said_in_code():
        if code not in known_codes():
            wrong.append(f"{place}: '{code}' has no words")
        elif facts is not None:
            needed = set(FIELD.findall(re.sub(r"\[[^\[\]]*\]", "", words_of(code, "en"))))
            wrong += [f"{place}: '{code}' needs {fact}" for fact in sorted(needed - facts)]
    assert wrong == []


def test_every_sentence_is_said_somewhere() -> None:
    """A code stands as text somewhere in the house, or its beginning does, or its end, where it is put together."""
    texts = {
        node.value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    pages = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.html"))
    words = "\n".join(words_of(code, "en") for code in known_codes())
    begins = {f"{kind}_" for kind in re.findall(r":word (\w+)\}", words)} | {
        text for text in texts if text.endswith("_")
    }
    begins |= set(re.findall(r'"(\w+_)" ~', pages))
    ends = tuple(text for text in texts if text.startswith("_") and text.isidentifier())
    unsaid = [
        code
        for code in sorted(known_codes() - texts)
        if not re.search(rf"\b{code}\b", pages) and not code.startswith(tuple(begins)) and not code.endswith(ends)
    ]
    assert unsaid == []
