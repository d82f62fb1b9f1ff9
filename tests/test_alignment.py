"""Columns that belong together by position are refused where their indexes say otherwise."""

import numpy as np
import pandas as pd
import pytest

import regulars as rg
from regulars.alignment import refuse_shuffled
from regulars.errors import DataError

FRAME = pd.DataFrame({"spend": [3.0, 5, 4, 1, 2, 0], "arm": ["soup"] * 3 + ["control"] * 3})
SHUFFLED = FRAME.sample(frac=1, random_state=1)


def test_the_same_index_in_another_order_is_refused_with_its_mend() -> None:
    with pytest.raises(DataError, match="outcome and arm have the same index in another order; sort both alike"):
        refuse_shuffled(outcome=FRAME["spend"], arm=SHUFFLED["arm"])
    with pytest.raises(DataError, match="the same index"):
        rg.measurement.compare(FRAME["spend"], SHUFFLED["arm"])
    with pytest.raises(DataError, match="features and outcome have the same index"):
        rg.effects.fit(FRAME[["spend"]], [0, 0, 0, -1, -1, -1], SHUFFLED["spend"])


def test_columns_of_one_order_go_by_position_whatever_their_index() -> None:
    (plain,) = rg.measurement.compare(FRAME["spend"].to_numpy(), FRAME["arm"].to_numpy())
    for spend, arm in [
        (SHUFFLED["spend"], SHUFFLED["arm"]),
        (FRAME["spend"], FRAME["arm"].set_axis(list("abcdef"))),
        (FRAME["spend"], FRAME["arm"].to_numpy()),
        (FRAME["spend"].to_list(), np.array(FRAME["arm"])),
    ]:
        (lift,) = rg.measurement.compare(spend, arm)
        assert [lift.estimate, *lift.interval] == pytest.approx([plain.estimate, *plain.interval])
