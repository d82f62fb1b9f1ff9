"""Hours of a day, as they are written."""

import pytest

from regulars.clock import Window, window_of


@pytest.mark.parametrize(
    "hours", ["25:00-26:00", "11:00", "11:00-11:00", "24:00-02:00", "11:00-24:30", "9:00-11:00", "１１:00-14:00", "11:00-14:00\n", ""]
)  # fmt: skip
def test_hours_that_no_clock_shows_are_refused(hours: str) -> None:
    with pytest.raises(ValueError, match=r"hours; write them as 11:00-14:00|whole day"):
        window_of(hours)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("11:00-14:00", (660, 840)),
        ("22:00-02:00", (1320, 120)),
        ("18:30-24:00", (1110, 1440)),
        ("22:00-00:00", (1320, 0)),
    ],
)
def test_hours_may_end_at_midnight_or_after_it(text: str, window: tuple[int, int]) -> None:
    assert window_of(text) == Window(*window)
