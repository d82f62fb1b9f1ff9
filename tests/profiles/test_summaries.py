import pyarrow as pa
import pytest

from regulars.errors import DataError
from regulars.profiles import STAGES, concentration, stage_counts, visit_gaps


def test_concentration_sums_to_the_whole_best_first(as_frame) -> None:  # type: ignore[no-untyped-def]
    table = pa.table({"margin_minor": pa.array([*range(-10, 85), None], pa.int64())})
    deciles = concentration(as_frame(table))
    assert sum(decile.guests for decile in deciles) == 95
    assert sum(decile.value_minor for decile in deciles) == sum(range(-10, 85))
    assert deciles[-1].cumulative_share == pytest.approx(1)
    assert [decile.value_minor for decile in deciles] == sorted((d.value_minor for d in deciles), reverse=True)


@pytest.mark.parametrize("values", [[], [None], [0, 0], [-5, 1]])
def test_concentration_of_nothing_is_refused(values: list[int | None]) -> None:
    with pytest.raises(DataError, match="margin_minor"):
        concentration(pa.table({"margin_minor": pa.array(values, pa.int64())}))


def test_fewer_guests_than_tenths_leave_empty_tenths() -> None:
    assert [decile.guests for decile in concentration(pa.table({"margin_minor": [1, 2]}))] == [1, 1] + [0] * 8


def test_every_gap_falls_in_one_band(as_frame) -> None:  # type: ignore[no-untyped-def]
    bands = visit_gaps(as_frame(pa.table({"gap_days": [0.5, 1.0, 14.0, 14.5, None]})))
    assert {(band.above_days, band.until_days): band.guests for band in bands if band.guests} == {
        (0, 1): 2, (7, 14): 1, (14, 30): 1,
    }  # fmt: skip
    assert sum(band.share for band in bands) == pytest.approx(1)


def test_every_stage_is_counted_even_when_empty(as_frame) -> None:  # type: ignore[no-untyped-def]
    counts = stage_counts(as_frame(pa.table({"stage": ["lost", None, "new"], "spend_minor": [300, 9, 100]})))
    assert [count.stage for count in counts] == list(STAGES)
    assert [count.guests for count in counts] == [1, 0, 0, 0, 1]
    assert counts[-1].spend_share == 0.75
