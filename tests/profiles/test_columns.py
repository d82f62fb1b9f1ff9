from hypothesis import given
from hypothesis import strategies as st

from regulars.profiles import COLUMNS, DAYPARTS, category_column


def test_dayparts_cover_the_clock_once() -> None:
    assert sorted(hour for hours in DAYPARTS.values() for hour in hours) == list(range(24))


def test_names_are_unique_and_have_a_meaning() -> None:
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)
    assert all(column.meaning for column in COLUMNS)


@given(st.text())
def test_a_category_column_can_be_spelled_in_a_rule(category: str) -> None:
    assert category_column(category).name.isidentifier()
