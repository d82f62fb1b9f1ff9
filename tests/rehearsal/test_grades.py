"""The referee against the town's truth, in a small form of `make grade`; tolerances are those of the binomial."""

from dataclasses import replace

import numpy as np
import pytest

from regulars.rehearsal import Town, grades
from regulars.rehearsal.grading import ESTIMATORS, Answer, Grade, Population

REPLICATIONS = 80


@pytest.fixture(scope="module")
def graded(town: Town) -> list[Grade]:
    return grades(town, replications=REPLICATIONS, guests=1_000, seed=4)


@pytest.mark.parametrize("number", range(len(ESTIMATORS)), ids=list(ESTIMATORS))
def test_an_estimator_is_as_right_as_it_claims(graded: list[Grade], number: int) -> None:
    """Coverage 93 to 97 % and A/A 3 to 7 %, give or take three standard errors of a share in 80 replications."""
    assert graded[number].is_good, graded[number].words


def test_too_short_intervals_are_graded_down(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ESTIMATORS["mean margin per guest"]

    def half(people: Population, guests: int, rng: np.random.Generator) -> Answer:
        answer = honest(people, guests, rng)
        return Answer(
            answer.estimate, (answer.estimate + answer.low) / 2, (answer.estimate + answer.high) / 2, answer.truth
        )

    monkeypatch.setattr("regulars.rehearsal.grading.ESTIMATORS", {"half": half})
    (grade,) = grades(town, replications=REPLICATIONS, guests=1_000)
    assert not grade.is_good
    assert "not as promised" in grade.words


def test_a_biased_estimator_is_graded_down(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ESTIMATORS["mean margin per guest"]

    def shifted(people: Population, guests: int, rng: np.random.Generator) -> Answer:
        answer = honest(people, guests, rng)
        more = (answer.high - answer.low) / 4
        return answer._replace(estimate=answer.estimate + more)

    monkeypatch.setattr("regulars.rehearsal.grading.ESTIMATORS", {"shifted": shifted})
    assert not grades(town, replications=REPLICATIONS, guests=1_000)[0].is_good


def test_the_population_knows_the_truth_of_the_town(town: Town) -> None:
    people = Population.of(town)
    run = town.run(np.full(len(town), 1))
    assert (people.margin[2] == run.margin_minor).all()
    assert (people.without_effect().margin == people.margin[0]).all()


def test_too_little_to_grade_is_refused(town: Town) -> None:
    with pytest.raises(ValueError, match="give at least 2 and 100"):
        grades(town, replications=1)
    with pytest.raises(ValueError, match="give at least 2 and 100"):
        grades(replace(town), guests=10)
