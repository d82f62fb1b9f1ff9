"""Turns: in the order of asking, one at a time, also after a failure."""

import threading

import pytest

from regulars.records.turns import Line


def test_whoever_asks_again_comes_after_those_who_wait() -> None:
    line, order = Line(), list[str]()
    has_begun = threading.Event()

    def wait(name: str) -> None:
        has_begun.set()
        with line:
            order.append(name)

    with line:
        others = []
        for name in ("first", "second"):
            has_begun.clear()
            others.append(threading.Thread(target=wait, args=(name,)))
            others[-1].start()
            has_begun.wait(5)
            while len(line._waiting) < len(others):
                pass
    with line:
        order.append("again")
    for other in others:
        other.join(5)
    assert order == ["first", "second", "again"]


def test_a_failure_gives_the_turn_on() -> None:
    line = Line()
    with pytest.raises(ValueError, match="x"), line:
        raise ValueError("x")
    with line:
        pass
