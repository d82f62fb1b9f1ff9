"""Names that the lake needs back are sealed: alike each time, read by nobody without the secret, and noticed where touched."""

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import DataError
from regulars.offers.sealing import seal, unseal


@given(st.text(max_size=80))
def test_what_was_sealed_comes_back(text: str) -> None:
    assert unseal(seal(text)) == text
    assert seal(text) == seal(text)
    assert not text or text not in seal(text).removeprefix("sealed:") or len(text) < 4


def test_what_never_was_sealed_stays_as_it_is() -> None:
    assert unseal("G123") == "G123"


@pytest.mark.parametrize("touched", ["sealed:AAAA", "sealed:x", "sealed:%%%", seal("G123")[:-3] + "abc"])
def test_a_seal_that_was_touched_is_noticed(touched: str) -> None:
    with pytest.raises(DataError, match="sealed with another secret"):
        unseal(touched)


def test_another_secret_reads_nothing() -> None:
    kept = seal("G123")
    with (
        override_settings(SECRET_KEY="another secret, as long as it should be"),
        pytest.raises(DataError, match="REGULARS_SECRET_KEY"),
    ):
        unseal(kept)
