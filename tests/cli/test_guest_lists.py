"""Files that name guests: one a line, or the column of a CSV; whatever else would be taken for a guest is refused with its line."""

from pathlib import Path

import pytest

from regulars.cli.guest_lists import read_guests
from regulars.errors import DataError


def listed(folder: Path, text: str) -> list[str]:
    file = folder / "guests.csv"
    file.write_text(text, encoding="utf-8")
    return read_guests(file)


@pytest.mark.parametrize(
    "text",
    [
        "G1\nG2\n",
        "G1\r\n\r\n  G2  \n",
        "guest_id\nG1\nG2\n",
        "\ufeffguest_id\nG1\nG2\n",
        "Guest ID\nG1\nG2\n",
        "guest_id,visits,stage\nG1,3,slipping\nG2,4,new\n",
        "visits;guest_id\n3;G1\n4;G2\n",
        "visits\tguest_id\n3\tG1\n4\tG2\n",
        '"guest_id","name"\n"G1","Li, An"\n"G2","Bo"\n',
        "guest_id,name\nG1,\n\nG2,x\n",
    ],
)
def test_guests_are_read_whichever_way_they_are_listed(tmp_path: Path, text: str) -> None:
    assert listed(tmp_path, text) == ["G1", "G2"]


def test_an_apostrophe_of_our_own_exports_is_taken_off(tmp_path: Path) -> None:
    assert listed(tmp_path, "guest_id,visits\n'=G1,3\n'+86,4\nO'Hara,1\n") == ["=G1", "+86", "O'Hara"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("customer,visits\nG1,3\n", "line 1: there are several columns and none is called guest_id"),
        ("G1\nG2,3\n", "line 2: there are several columns"),
        ("guest_id,visits\nG1,3\n,4\n", "line 3: it names no guest"),
        ("guest_id,visits\nG1,3\nG2,4\nG1,5\n", "line 4: guest 'G1' stands there 2 times"),
        ("G1\nG1\n", "line 2: guest 'G1' stands there 2 times"),
        ("customer_id\nG1\n", "line 1: 'customer_id' is a header and no guest"),
        ("Phone\nG1\n", "line 1: 'Phone' is a header and no guest"),
        (f"{'x' * 65}\n", "line 1: an id has at most 64 letters"),
        ("guest_id\n", "there is no guest under its header"),
        ("", "there is no guest in it"),
    ],
)
def test_what_would_be_taken_for_a_guest_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        listed(tmp_path, text)
