"""Words for one guest, and warnings about features that know too much."""

import numpy as np
import polars as pl
import pytest

import regulars as rg
from effects.conftest import Past
from regulars.effects.columns import Columns


def test_three_reasons_name_what_moves_this_guest(lottery: Past) -> None:
    city = np.where(lottery.features["zone"] > 0, "Rome", "Oslo")
    frame = pl.DataFrame(lottery.features | {"city": city})
    lot = lottery.propensity
    model = rg.effects.fit(frame, lottery.action, lottery.outcome, propensity=lot, offers=["half", "none", "some"])
    eager, reluctant = model.reasons(frame[[int(np.argmax(frame["habit"])), int(np.argmin(frame["habit"]))]], "half")
    assert len(eager) == 3
    assert (eager[0].feature, reluctant[0].feature) == ("habit", "habit")
    assert eager[0].change > 0 > reluctant[0].change
    assert str(eager[0]).startswith(f"habit is {frame['habit'].max():.4g}, which raises the gain by 0.")
    with pytest.raises(ValueError, match="offer 'soup' is none of half, none, some"):
        model.reasons(frame[:1], "soup")


def test_values_are_told_as_a_reader_knows_them() -> None:
    columns = Columns.learn({"city": ["Rome"], "spend": [1.0]})
    assert [columns.words(0, 0.0), columns.words(0, np.nan), columns.words(1, 12345.6)] == [
        "Rome",
        "not known",
        "12,346",
    ]


def test_constant_features_give_no_reason(lottery: Past) -> None:
    model = rg.effects.fit({"one": np.ones(len(lottery.action))}, lottery.action, lottery.outcome)
    assert model.reasons({"one": [1.0]}, "offer 0") == ((),)


def test_a_feature_from_after_the_exposure_is_named_as_suspect(lottery: Past) -> None:
    features = lottery.features | {"spend_after": lottery.outcome + 0.1}
    model = rg.effects.fit(features, lottery.action, lottery.outcome)
    assert "spend_after explains 100% of the outcome by itself" in model.warnings[0]
