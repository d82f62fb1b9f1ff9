"""The life cycle is judged by each guest's own rhythm."""

from datetime import date, timedelta

import polars as pl
import pytest

from regulars.profiles import build

AS_OF = date(2026, 6, 30)


def stages(rhythms: dict[str, tuple[int, int, int]]) -> dict[str, tuple[str, float]]:
    """Stage and silence probability of guests given as (visits, days between, days since the latest)."""
    rows = [
        {"guest_id": guest, "business_date": AS_OF - timedelta(days=silent + every * visit)}
        for guest, (visits, every, silent) in rhythms.items()
        for visit in range(visits)
    ]
    orders = pl.DataFrame(rows).with_columns(
        pl.arange(pl.len()).cast(pl.String).alias("order_id"), store_id=pl.lit("S1"), hour=12, amount_minor=1000
    )
    profiles = build(orders, as_of=AS_OF)
    return {row["guest_id"]: (row["stage"], row["silence_probability"]) for row in profiles.to_dicts()}


def test_the_same_silence_means_different_things_to_different_rhythms() -> None:
    found = stages({"weekly": (30, 7, 35), "monthly": (8, 30, 35)})
    assert (found["weekly"][0], found["monthly"][0]) == ("slipping", "regular")


@pytest.mark.parametrize(
    ("rhythm", "stage"),
    [
        ((1, 0, 3), "new"),
        ((3, 10, 5), "developing"),
        ((4, 10, 5), "regular"),
        ((40, 3, 20), "slipping"),
        ((40, 3, 100), "slipping"),
        ((40, 3, 130), "lost"),
        ((200, 1, 10), "regular"),
        ((1, 0, 400), "lost"),
    ],
)
def test_stage_of_one_guest(rhythm: tuple[int, int, int], stage: str) -> None:
    assert stages({"he": rhythm})["he"][0] == stage


def test_silence_probability_is_the_lomax_survival_with_the_crowds_gap() -> None:
    found = stages({"ten": (11, 10, 20), "twenty": (2, 20, 0)})
    assert found["ten"][1] == pytest.approx(((100 + 15) / (100 + 15 + 20)) ** 11)
    assert found["twenty"][1] == 1


def test_without_a_second_visit_in_the_crowd_thirty_days_stand_in() -> None:
    assert stages({"he": (1, 0, 30)})["he"][1] == pytest.approx(0.5)


def test_a_guest_is_due_one_rhythm_after_his_latest_visit() -> None:
    orders = pl.DataFrame(
        {
            "order_id": ["1", "2", "3"],
            "guest_id": ["ann"] * 3,
            "store_id": ["S1"] * 3,
            "business_date": [AS_OF - timedelta(days=days) for days in (30, 20, 10)],
            "hour": [12] * 3,
            "amount_minor": [1000] * 3,
        }
    )
    (ann,) = build(orders, as_of=AS_OF).to_dicts()
    assert (ann["gap_days"], ann["rhythm_days"], ann["due_in_days"]) == (10, 10, 0)


def test_one_visit_shows_no_rhythm_to_slip_from() -> None:
    """Beside a crowd that comes every second day, a guest seen once has been silent for very long; that says nothing of them."""
    days = {"once": [100], "often": [*range(0, 200, 2)]}
    rows = [(guest, AS_OF - timedelta(days=ago)) for guest, every in days.items() for ago in every]
    orders = pl.DataFrame(rows, schema=["guest_id", "business_date"], orient="row").with_columns(
        pl.arange(pl.len()).cast(pl.String).alias("order_id"), store_id=pl.lit("S1"), hour=12, amount_minor=1000
    )
    found = {row["guest_id"]: row for row in build(orders, as_of=AS_OF).to_dicts()}
    assert found["once"]["silence_probability"] < 0.1
    assert (found["once"]["stage"], found["once"]["rhythm_days"], found["once"]["due_in_days"]) == ("new", None, None)
    assert found["often"]["rhythm_days"] == pytest.approx(2)
