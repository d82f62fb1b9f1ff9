"""Reviews of a lake: read once, linked to dishes, kept."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from regulars.errors import DataError
from regulars.quality import LexiconReader, mentions, read_reviews
from regulars.quality.dishes import link, meant, names_of
from regulars.quality.mentions import kept_clauses
from regulars.tables import Mapping

AT = "2026-10-01T12:00:00Z"


def review(lake: rg.Lake, *texts: str | None, **columns: list[object]) -> None:
    ids = [f"R{i}" for i in range(len(texts))]
    table = pa.table(
        {
            "review_id": ids,
            "store_id": ["S1"] * len(ids),
            "reviewed_at": [AT] * len(ids),
            "text": pa.array(texts, pa.string()),
            **columns,
        }
    )
    lake.load("reviews", table, now=dt.datetime(2026, 11, 22, tzinfo=dt.UTC))


def menu(*names: str, tags: list[str | None] | None = None) -> pa.Table:
    return pa.table(
        {
            "item_id": [f"D{i}" for i in range(len(names))],
            "name": names,
            "tags": pa.array(tags or [None] * len(names), pa.string()),
        }
    )


def found(clause: str, of: pa.Table, ordered: set[tuple[int, int]] = frozenset()) -> int:  # type: ignore[assignment]
    links = link(pa.array([clause]), names_of(of))
    return int(meant(links, np.array([0]), set(ordered), np.array([0]), len(of))[0])


def test_a_review_becomes_clauses_with_dish_and_judgement(lake: rg.Lake) -> None:
    lake.load("menu_items", menu("Beef noodle soup", "麻婆豆腐"))
    review(lake, "The beef nodle soup was cold but the waiter was friendly", "麻婆豆腐很好吃", "😀", None)
    report = read_reviews(lake, LexiconReader())
    assert (report.reviews, report.empty, report.clauses, report.linked) == (4, 2, 3, 2)
    rows = mentions(kept_clauses(lake)).select(["item_id", "aspect", "polarity"]).to_pylist()
    assert {"item_id": "D0", "aspect": "taste", "polarity": -1} in rows
    assert {"item_id": "D1", "aspect": "taste", "polarity": 1} in rows
    assert {"item_id": None, "aspect": "hospitality", "polarity": 1} in rows


def test_each_distinct_clause_is_read_once(lake: rg.Lake) -> None:
    review(lake, "good soup", "good soup, rude waiter")
    assert read_reviews(lake, LexiconReader()).new == 2
    assert read_reviews(lake, LexiconReader()).new == 0
    review(lake, "good soup", "good soup, rude waiter", "clean tables")
    assert read_reviews(lake, LexiconReader()).new == 1


class Another(LexiconReader):
    """Reads otherwise."""

    name = "another"


def test_what_one_reader_read_is_kept_when_another_reads(lake: rg.Lake) -> None:
    review(lake, "good soup", "rude waiter")
    assert [read_reviews(lake, reader).new for reader in (LexiconReader(), Another(), LexiconReader())] == [2, 2, 0]


def test_without_reviews_the_mend_is_named(lake: rg.Lake) -> None:
    with pytest.raises(DataError, match="regulars load reviews FILE"):
        read_reviews(lake, LexiconReader())
    with pytest.raises(DataError, match="regulars quality read"):
        kept_clauses(lake)


def test_a_dish_is_found_misspelt_and_by_its_former_name() -> None:
    of = menu("Margherita pizza", "红烧牛肉面", "Pho", tags=["was:Tomato pie", None, None])
    assert found("the margarita pizza was great", of) == 0
    assert found("their tomato pie rocks", of) == 0
    assert found("红烧牛肉面很香", of) == 1
    assert found("the phone rang all night", of) == -1


def test_a_common_word_is_a_dish_only_where_it_was_ordered() -> None:
    of = menu("Special", "米饭")
    assert found("nothing special about it", of) == -1
    assert found("the special was cold", of, {(0, 0)}) == 0
    assert found("米饭夹生", of) == -1


def test_ratings_on_another_scale_are_stretched(lake: rg.Lake) -> None:
    columns = {
        "review_id": "id",
        "store_id": "store",
        "reviewed_at": "at",
        "rating": {"column": "score", "scale": (0, 10)},
    }
    table = pa.table({"id": ["a", "b", "c"], "store": ["S1"] * 3, "at": [AT] * 3, "score": [0.0, 10.0, 11.0]})
    report = lake.load("reviews", table, mapping=Mapping(table="reviews", columns=columns))  # type: ignore[arg-type]
    assert (report.accepted, report.rejected) == (2, 1)
    assert lake.read("reviews").sort_by("review_id")["rating"].to_pylist() == [1.0, 5.0]
    assert "scale = [0, 10]" in lake.why_rejected().rows["reason"][0].as_py()


def test_a_scale_is_for_judgements_alone() -> None:
    columns = {"item_id": "id", "name": "name", "price_minor": {"column": "price", "scale": (0, 10)}}
    with pytest.raises(ValueError, match="scale is for judgements"):
        Mapping(table="menu_items", columns=columns)  # type: ignore[arg-type]
