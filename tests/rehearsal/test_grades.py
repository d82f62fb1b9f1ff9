"""The referee against the town's truth, in a small form of `make grade`; tolerances are those of the binomial."""

from dataclasses import replace

import numpy as np
import pytest

from regulars.rehearsal import Town, grades
from regulars.rehearsal.estimators import ESTIMATORS, Answer, Estimator, Population, mean
from regulars.rehearsal.referee_grades import Grade

REPLICATIONS = 80


@pytest.fixture(scope="module")
def graded(town: Town) -> list[Grade]:
    return grades(town, replications=REPLICATIONS, guests=1_000, seed=4)


@pytest.mark.parametrize("number", range(len(ESTIMATORS)), ids=[estimator.name for estimator in ESTIMATORS])
def test_an_estimator_is_as_right_as_it_claims(graded: list[Grade], number: int) -> None:
    """Coverage 93 to 97 % and A/A 3 to 7 %, give or take three standard errors of a share in 80 replications."""
    assert graded[number].is_good, graded[number].words


def test_too_short_intervals_are_graded_down(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
        (answer,) = mean(people, guests, rng)
        low, high = ((answer.estimate + end) / 2 for end in (answer.low, answer.high))
        return [answer._replace(low=low, high=high)]

    monkeypatch.setattr("regulars.rehearsal.referee_grades.ESTIMATORS", (Estimator("half", half),))
    (grade,) = grades(town, replications=REPLICATIONS, guests=1_000)
    assert not grade.is_good
    assert "not as promised" in grade.words


def test_a_biased_estimator_is_graded_down(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
        (answer,) = mean(people, guests, rng)
        return [answer._replace(estimate=answer.estimate + (answer.high - answer.low) / 4)]

    monkeypatch.setattr("regulars.rehearsal.referee_grades.ESTIMATORS", (Estimator("shifted", shifted),))
    assert not grades(town, replications=REPLICATIONS, guests=1_000)[0].is_good


def test_the_population_knows_the_truth_of_the_town(town: Town) -> None:
    people = Population.of(town)
    run = town.run(np.full(len(town), 1))
    assert (people.margin[2] == run.margin_minor).all()
    assert (people.without_effect().margin == people.margin[0]).all()


def test_too_little_to_grade_is_refused(town: Town) -> None:
    with pytest.raises(ValueError, match="give at least 2 and 200"):
        grades(town, replications=1)
    with pytest.raises(ValueError, match="give at least 2 and 200"):
        grades(replace(town), guests=10)


def test_answers_of_one_trial_are_graded_together(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four means of guests of their own, each held to 95 %, hold together far too seldom; a bound may be kept by far."""

    def four(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
        return [answer for _ in range(4) for answer in mean(people, guests, rng)]

    def never(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
        return [answer._replace(low=-1e9, high=1e9) for answer in mean(people, guests, rng)]

    tried = (Estimator("four", four), Estimator("never", never), Estimator("bound", never, is_exact=False))
    monkeypatch.setattr("regulars.rehearsal.referee_grades.ESTIMATORS", tried)
    four_grade, exact, bound = grades(town, replications=REPLICATIONS, guests=1_000)
    assert not four_grade.is_good
    assert 0.69 < four_grade.coverage < 0.94  # 0.95 ** 4 is 0.81, give or take three standard errors
    assert 0.06 < four_grade.false_positives < 0.31
    assert not exact._replace(replications=1_000).is_good
    assert bound._replace(replications=1_000, bias=0.0).is_good
