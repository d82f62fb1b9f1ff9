"""Metrics of the till: what became of commands, and codes that do not exist. Codes, guests and keys are in no label."""

from functools import lru_cache

from prometheus_client import Counter

ANSWERS = Counter("regulars_answers_total", "Commands answered, by what became of them.", ("command", "outcome"))
GUESSES = Counter("regulars_unknown_codes_total", "Codes that were asked for and do not exist.")


@lru_cache(maxsize=4096)
def answers_of(command: str, outcome: str) -> Counter:
    """Where such answers are counted; the library looks it up behind a lock, at every request."""
    return ANSWERS.labels(command, outcome)
