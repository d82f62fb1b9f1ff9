"""Segments of guests: who meets a rule by the kept profiles, and what an export holds."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest

import regulars as rg
from regulars.guests import Everybody, count_segments, find_segment, keep_profiles
from regulars.wording import Voice
from shops import NOW, make_lake


def test_profiles_are_kept_and_asked_by_rule(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "workspace", guests=100)
    date, crowd = keep_profiles(lake)
    assert date == dt.date(2026, 10, 27)
    found = find_segment(lake, "visits >= 5", tmp_path / "out.csv")
    assert found.of == len(crowd)
    assert min(found.guests["visits"].to_pylist()) >= 5
    assert arrow_csv.read_csv(tmp_path / "out.csv").num_rows == len(found.guests)
    with pytest.raises(rg.DataError, match=r"an export is a \.csv or a \.parquet file"):
        find_segment(lake, "visits >= 5", tmp_path / "out.xls")


def test_counts_of_segments_and_of_everybody_show_themselves(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "workspace", guests=100)
    _, crowd = keep_profiles(lake)
    counted, everybody = count_segments(lake), Everybody.of(crowd)
    assert counted.to_frame()["guests"].to_list() == [one.guests for one in counted]
    assert len(repr(counted).splitlines()) <= 12
    assert sum(everybody.to_frame()["guests"].to_list()) == everybody.guests == 100
    assert "new" in repr(everybody)
    assert everybody.plot(Voice(currency="USD")).to_dict()


def test_an_export_cannot_run_formulas(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "workspace", guests=20)
    names = ["=1+1", "+1", "-1", "@sum", "fine"]
    orders = {
        "order_id": [f"X{i}" for i in range(5)], "guest_id": names, "store_id": ["S1"] * 5,
        "ordered_at": [NOW - dt.timedelta(days=30)] * 5, "amount_minor": [100] * 5,
    }  # fmt: skip
    lake.load("orders", pa.table(orders), now=NOW)
    find_segment(lake, "spend_minor == 100", tmp_path / "out.csv")
    written = arrow_csv.read_csv(tmp_path / "out.csv")["guest_id"].to_pylist()
    assert set(written) == {"'=1+1", "'+1", "'-1", "'@sum", "fine"}


def test_orders_without_guests_have_no_profiles(tmp_path: Path) -> None:
    lake = rg.Lake.create(tmp_path / "workspace")
    lake.load("stores", pa.table({"store_id": ["S1"]}), now=NOW)
    orders = {"order_id": ["A"], "store_id": ["S1"], "ordered_at": ["2026-05-01T12:00:00Z"], "amount_minor": [100]}
    lake.load("orders", pa.table(orders), now=NOW)
    with pytest.raises(rg.DataError, match="no order names its guest; map guest_id"):
        keep_profiles(lake)


def test_a_date_before_the_first_order_is_refused(shop: rg.Lake) -> None:
    with pytest.raises(rg.DataError, match="no guest had ordered by 2020-01-01"):
        keep_profiles(shop, dt.date(2020, 1, 1))


def ordered(lake: rg.Lake, guest: str, day: str) -> None:
    row = {"order_id": [f"{guest}-{day}"], "guest_id": [guest], "store_id": ["S1"], "ordered_at": [f"{day} 12:00:00"]}
    lake.load("orders", pa.table(row | {"amount_minor": [1_000]}), now=NOW)


def test_newer_orders_count_in_segments_without_being_asked_for(lake: rg.Lake) -> None:
    ordered(lake, "ann", "2026-05-04")
    keep_profiles(lake)
    ordered(lake, "ben", "2026-05-05")
    found = find_segment(lake, "visits >= 1")
    assert (found.of, found.as_of, found.orders_until) == (2, dt.date(2026, 5, 5), None)
    ordered(lake, "cat", "2026-05-03")  # of an earlier day, as a till that was offline
    assert {row.segment.name: row.guests for row in count_segments(lake)}["new_guests"] == 3


def test_profiles_of_a_date_that_was_asked_for_stay_and_say_that_orders_are_newer(lake: rg.Lake) -> None:
    ordered(lake, "ann", "2026-05-04")
    ordered(lake, "ben", "2026-05-05")
    keep_profiles(lake, dt.date(2026, 5, 4))
    found = find_segment(lake, "visits >= 1")
    assert (found.of, found.as_of, found.orders_until) == (1, dt.date(2026, 5, 4), dt.date(2026, 5, 5))


def test_profiles_kept_by_an_earlier_version_are_worked_out_again(lake: rg.Lake) -> None:
    ordered(lake, "ann", "2026-05-04")
    keep_profiles(lake)
    (lake.workspace.path / "profiles.json").unlink()
    ordered(lake, "ben", "2026-05-05")
    assert find_segment(lake, "visits >= 1").of == 2
