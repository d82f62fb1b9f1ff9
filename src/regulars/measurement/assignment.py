"""Assignment: who gets an offer and who is kept without, at random and yet always the same."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import DataError
from regulars.measurement.guests import LabelArray, as_labels
from regulars.measurement.moments import FloatArray

_MOST_WHOLE = 2**53
"""From here on floats leave whole numbers out."""
DEFAULT_SHARES: Mapping[str, float] = {"treated": 0.8, "explore": 0.1, "holdout": 0.1}


class Assignment(NamedTuple):
    """The arm of each guest, shape (n,), and the chance with which they got it, shape (n,); log both."""

    arm: NDArray[np.str_]
    propensity: FloatArray

    def in_arm(self, name: str) -> NDArray[np.bool_]:
        """Who is in an arm, shape (n,)."""
        return np.equal(self.arm, name)

    @property
    def counts(self) -> dict[str, int]:
        names, counts = np.unique(self.arm, return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))


def assign(
    guest_ids: ArrayLike,
    *,
    campaign_id: str,
    salt: str = "",
    shares: Mapping[str, float] = DEFAULT_SHARES,
    strata: ArrayLike | None = None,
) -> Assignment:
    """Draw the arm of each guest by a keyed hash of campaign and guest.

    guest_ids: every guest once, shape (n,). salt: a secret of the workspace, so that nobody can guess their arm.
    shares: must add up to 1. strata: the stratum of each guest, such as home store or life cycle, shape (n,).

    Without strata a guest's arm depends on nothing but campaign, guest, salt and shares: it is the same in any list, on any
    day, and independent of everybody else's; arm sizes then vary as coin tosses do.
    With strata every stratum is split exactly (to one guest), because guests are ranked by their hash within their stratum.
    The price: an arm may change if others join or leave the stratum, so assign once, log it, and assign only the newcomers
    later. The order of the list never matters. Either way the chance of an arm is exactly its share: a random start decides
    who gets the odd place.

    Raises DataError if a guest is there twice, ValueError if shares do not add up.

    >>> assign(["G1", "G2", "G3", "G4"], campaign_id="autumn", shares={"treated": 0.5, "holdout": 0.5}).arm.tolist()
    ['treated', 'holdout', 'treated', 'treated']
    """
    names = list(shares)
    if not names or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"shares must be 0 or more and add up to 1, got {dict(shares)}")
    guests = _ids(guest_ids)
    _check_unique(guests)
    key = blake2b(salt.encode(), digest_size=32).digest()
    points = _points(guests, key, f"{campaign_id}\0guest\0")
    if strata is not None:
        groups = as_labels(strata, "strata", len(guests)).astype(str)
        points = _spread_within(points, groups, key, f"{campaign_id}\0stratum\0")
    ends = np.cumsum([shares[name] for name in names])
    ends[-1] = 1.0
    place = np.searchsorted(ends, points, side="right")
    return Assignment(
        arm=np.array(names)[place],
        propensity=np.array([shares[name] for name in names], dtype=np.float64)[place],
    )


def global_holdout(guest_ids: ArrayLike, *, salt: str, share: float = 0.05, season: str = "") -> NDArray[np.bool_]:
    """Guests whom no campaign contacts in a season, so that all campaigns together can be judged; shape (n,).

    Take them out of the audience before `assign`. A new season draws new guests, so that nobody is left out for ever.

    >>> int(global_holdout([f"G{i}" for i in range(1000)], salt="secret", season="2026Q4").sum())
    52
    """
    shares = {"holdout": share, "open": 1 - share}
    return assign(guest_ids, campaign_id=f"global holdout {season}", salt=salt, shares=shares).in_arm("holdout")


def _ids(guest_ids: ArrayLike) -> LabelArray:
    """Ids as text: 7, 7.0 and "7" are one guest, for a column of numbers becomes one of floats where a single one is missing.

    Raises DataError for a number that is no whole one.
    """
    given = as_labels(guest_ids, "guest_id", len(np.asarray(guest_ids)))
    if given.dtype.kind not in "fO":
        return given.astype(str)
    return np.array([_id(row, guest) for row, guest in enumerate(given.tolist())], dtype=str)


def _id(row: int, guest: object) -> str:
    if not isinstance(guest, float | Decimal):
        return str(guest)
    number = float(guest)
    if number % 1 or abs(number) >= _MOST_WHOLE:
        raise DataError(
            f"guest_id[{row}] is {guest}, which is no whole number that a column of floats can hold; give ids as text"
        )
    return str(int(number))


def _points(names: LabelArray, key: bytes, prefix: str) -> FloatArray:
    """A uniform point in [0, 1) for each name, shape (n,): the first 53 bits of a keyed BLAKE2b hash."""
    start = blake2b(prefix.encode(), digest_size=8, key=key)
    digests = bytearray()
    for name in names.tolist():
        one = start.copy()
        one.update(name.encode())
        digests += one.digest()
    return (np.frombuffer(bytes(digests), dtype=">u8") >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _spread_within(points: FloatArray, groups: LabelArray, key: bytes, prefix: str) -> FloatArray:
    """Evenly spaced points within each group, in the order of the hashes, from a random start (systematic sampling)."""
    names, position, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.lexsort((points, position))
    rank = np.empty(len(points))
    rank[order] = np.arange(len(points)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    start = _points(names, key, prefix)
    spaced: FloatArray = (rank + start[position]) / sizes[position]
    return np.minimum(spaced, np.nextafter(1.0, 0.0))


def _check_unique(guests: LabelArray) -> None:
    names, counts = np.unique(guests, return_counts=True)
    if len(names) < len(guests):
        twice = names[int(np.argmax(counts > 1))]
        raise DataError(f"guest {twice} is in the list {int(counts.max())} times; every guest is assigned once")
