"""The kernel ranks as its formula says, written out here once more in plain arrays."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import sparse

from regulars.profiles import likeness
from regulars.profiles.histories import rows_of
from regulars.profiles.likeness import Best, Crowd, best_dishes


@pytest.fixture(autouse=True)
def five_guests_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "_GUESTS", 5)


class Town(NamedTuple):
    """Decayed orders of the crowd with each dish, shape (guests, dishes), and what else the formula needs."""

    orders: np.ndarray
    weight: np.ndarray
    trend: np.ndarray

    @property
    def share(self) -> np.ndarray:
        return self.orders.sum(axis=0) / self.weight.sum()

    @property
    def unit(self) -> np.ndarray:
        length = np.sqrt((self.orders**2).sum(axis=1, keepdims=True))
        return self.orders / np.where(length > 0, length, 1.0)

    def best(self, own: np.ndarray, weight: np.ndarray, **options: Any) -> Best:
        """What the kernel finds."""
        said = options_of(own, self, options)
        of_dish = rows_of(sparse.csc_array(self.unit))
        crowd = Crowd(rows_of(sparse.csr_array(self.orders)), self.weight, of_dish, self.share, self.trend)
        return best_dishes(
            rows_of(sparse.csr_array(own)), weight, said["place"], crowd, said["is_barred"], said["k"], said["neighbours"],
            said["prior"], said["new_only"],
        )  # fmt: skip

    def expected(self, own: np.ndarray, weight: np.ndarray, **options: Any) -> Best:
        """What the formula says."""
        said = options_of(own, self, options)
        found = Best(*(np.full((len(own), said["k"]), empty) for empty in (-1, 0.0, False)))
        for g, mine in enumerate(own):
            alike, theirs = self._alike(mine, said["place"][g], said["neighbours"], said["prior"])
            score = (mine + said["prior"] * alike) / (weight[g] + said["prior"]) * self.trend
            may = ~said["is_barred"] & ~((mine > 0) & said["new_only"])
            order = [i for i in np.argsort(-score, kind="stable") if may[i]][: said["k"]]
            found.item[g, : len(order)] = order
            found.score[g, : len(order)] = score[order]
            found.alike[g, : len(order)] = theirs[order] > said["prior"] * self.share[order]
        return found

    def _alike(self, mine: np.ndarray, place: int, neighbours: int, prior: float) -> tuple[np.ndarray, np.ndarray]:
        cosine = self.unit @ mine / max(np.sqrt((mine**2).sum()), 1e-300)
        cosine[[place] if place >= 0 else []] = 0.0
        cosine[cosine < np.sort(cosine)[::-1][:neighbours][-1]] = 0.0
        theirs = cosine @ self.orders
        return (theirs + prior * self.share) / (cosine @ self.weight + prior), theirs


def options_of(own: np.ndarray, town: Town, given: dict[str, Any]) -> dict[str, Any]:
    usual = {"k": 3, "neighbours": 4, "prior": 2.0, "new_only": False}
    nowhere, nothing = np.full(len(own), -1), np.zeros(town.trend.size, np.bool_)
    return usual | {"place": nowhere, "is_barred": nothing} | given


def drawn(seed: int) -> Town:
    """12 guests and 9 dishes; the last guest had nothing."""
    draw = np.random.default_rng(seed)
    orders = draw.gamma(1.0, 2.0, (12, 9)) * (draw.random((12, 9)) < 0.4)
    orders[-1] = 0.0
    return Town(orders, orders.max(axis=1) + draw.gamma(1.0, 2.0, 12), draw.uniform(0.5, 2.0, 9))


@pytest.mark.parametrize("new_only", [False, True], ids=["any", "new only"])
@pytest.mark.parametrize("neighbours", [1, 4, 100])
@pytest.mark.parametrize("seed", range(5))
def test_the_kernel_is_the_formula(seed: int, neighbours: int, new_only: bool) -> None:
    town, draw = drawn(seed), np.random.default_rng(seed)
    others = draw.gamma(1.0, 2.0, (4, 9)) * (draw.random((4, 9)) < 0.5)
    own, weight = np.vstack([town.orders, others]), np.append(town.weight, others.max(axis=1) + 1)
    options = {
        "place": np.append(np.arange(12), [-1] * 4), "is_barred": draw.random(9) < 0.2, "k": 5, "neighbours": neighbours,
        "new_only": new_only,
    }  # fmt: skip
    found, expected = town.best(own, weight, **options), town.expected(own, weight, **options)
    assert np.array_equal(found.item, expected.item)
    assert found.score == pytest.approx(expected.score, rel=1e-12)
    assert np.array_equal(found.alike, expected.alike)


EVEN = Town(np.ones((3, 4)), np.ones(3), np.ones(4))


def test_of_equals_the_first_in_order_come_first() -> None:
    assert EVEN.best(np.ones((1, 4)), np.ones(1)).item.tolist() == [[0, 1, 2]]
    assert EVEN.best(np.ones((1, 4)), np.ones(1), k=1).item.tolist() == [[0]]
    later = EVEN._replace(trend=np.array([1.0, 1.0, 2.0, 2.0]))
    assert later.best(np.ones((1, 4)), np.ones(1)).item.tolist() == [[2, 3, 0]]


def test_all_neighbours_as_like_as_the_last_one_are_asked() -> None:
    """Two guests are equally like them; taking one alone would depend on who stands first."""
    town = Town(np.array([[1.0, 1, 0], [1, 0, 1], [0, 1, 1]]), np.ones(3), np.ones(3))
    found = town.best(np.array([[1.0, 0, 0]]), np.ones(1), neighbours=1)
    assert found.item.tolist() == [[0, 1, 2]]
    assert found.score[0, 1] == found.score[0, 2]
    assert found.alike[0].tolist() == [True, False, False]


def test_what_is_barred_or_not_new_never_comes_and_leaves_its_place_empty() -> None:
    own, barred = np.array([[5.0, 1, 0, 0]]), np.array([False, False, True, False])
    assert EVEN.best(own, np.ones(1), is_barred=barred).item.tolist() == [[0, 1, 3]]
    assert EVEN.best(own, np.ones(1), is_barred=barred, new_only=True).item.tolist() == [[3, -1, -1]]
    assert EVEN.best(own, np.ones(1), is_barred=np.ones(4, np.bool_)).item.tolist() == [[-1, -1, -1]]


def test_who_has_nothing_in_common_with_anybody_gets_what_is_popular() -> None:
    town = Town(np.array([[4.0, 1, 0, 0], [3, 2, 0, 0]]), np.array([4.0, 4.0]), np.ones(4))
    for own in ([[0.0, 0, 0, 0]], [[0.0, 0, 0, 1]]):
        found = town.best(np.array(own), np.array([own[0][3]]), new_only=True, k=2)
        assert found.item.tolist() == [[0, 1]]
        assert not found.alike.any()


def test_he_is_no_neighbour_of_his_own() -> None:
    town = Town(np.array([[3.0, 0], [0, 3]]), np.array([3.0, 3.0]), np.ones(2))
    alone = town.best(town.orders[:1], town.weight[:1], place=np.array([0]), k=1, prior=1.0)
    assert alone.score[0, 0] == pytest.approx((3 + 0.5) / (3 + 1))
    assert not alone.alike[0, 0]


def test_without_guests_or_without_a_crowd_nothing_is_found_and_nothing_fails() -> None:
    assert EVEN.best(np.zeros((0, 4)), np.zeros(0)).item.shape == (0, 3)
    nobody = Crowd(
        rows_of(sparse.csr_array((0, 2))), np.zeros(0), rows_of(sparse.csc_array((0, 2))), np.array([0.1, 0.2]), np.ones(2)
    )  # fmt: skip
    found = best_dishes(
        rows_of(sparse.csr_array((1, 2))), np.zeros(1), np.array([-1]), nobody, np.zeros(2, np.bool_), 2, 5, 1.0, False
    )
    assert found.item.tolist() == [[1, 0]]
