"""How often the intervals of effects are right, and how often guests are said to differ who do not, in a town whose truth is known.

    python benchmarks/effects_grades.py                  1,000 replications (about ten minutes)
    python benchmarks/effects_grades.py --quick          a tenth of them
    python benchmarks/effects_grades.py --differences    1,000 lotteries in which nothing changes anybody, for each learner and the
                                                         race (about an hour; --only dr for one, --permutations 300 for fewer)

The town is the population: every guest is lived under nothing and under every offer with the same luck. Each replication draws guests from
it and gives them an offer or nothing, by lot, or the more the more they spend ("targeted", whose propensities nobody logged). Prints a
table and a last line of JSON; status 1 where an interval of averages covers outside 93 to 97 % by more than chance, guests' outside
88 to 97 %, or guests' who were chosen below 85 %; or where differences are found in more than 5 % of lotteries that changed nobody.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import regulars as rg
from regulars.effects.averages import average_effect
from regulars.effects.study import Study
from regulars.effects.trial import read_trial

REPLICATIONS, GUESTS, TARGETED_GUESTS = 1_000, 2_000, 4_000
COVERED, COVERED_GUESTS, COVERED_CHOSEN, SURE = (0.93, 0.97), (0.88, 0.97), 0.85, 3.0
PERMUTED_GUESTS, FALSE = 1_500, 0.05
LEARNERS = ("x", "dr", "t", "s", "pooled", "race")


class Past(NamedTuple):
    """Drawn guests: what they spent, what they got, what they brought after the subsidy, and the propensities, (n, k + 1)."""

    features: dict[str, NDArray[np.float64]]
    action: NDArray[np.int64]
    margin: NDArray[np.float64]
    propensity: NDArray[np.float64]


class People:
    """A town: margin (k + 1, n) of every guest under nothing and each offer, and what they spent before."""

    def __init__(self, place: rg.rehearsal.Town) -> None:
        runs = [place.run(np.full(len(place), offer)) for offer in range(-1, len(place.offers))]
        self.margin = np.stack([run.margin_minor for run in runs])
        self.features = {f"spent_{days}": place.spent(days) for days in (28, 91, 364)}
        self.truth = place.truth.gain

    @property
    def average(self) -> NDArray[np.float64]:
        return (self.margin[1:] - self.margin[0]).mean(axis=1)

    def draw(
        self, guests: int, rng: np.random.Generator, *, targeting: float = 0.0, changes_nobody: bool = False
    ) -> Past:
        who = rng.integers(0, self.margin.shape[1], guests)
        habit = np.log1p(self.features["spent_364"][who])
        odds = np.exp(np.outer(targeting * (habit - habit.mean()) / habit.std(), np.arange(len(self.margin)) > 0))
        propensity = odds / odds.sum(axis=1, keepdims=True)
        action = (rng.random((guests, 1)) > propensity.cumsum(axis=1)).sum(axis=1) - 1
        features = {name: column[who] for name, column in self.features.items()}
        lived = np.zeros_like(action) if changes_nobody else action + 1
        return Past(features, action, self.margin[lived, who], propensity)


def averages_cover(people: People, replications: int, guests: int, *, targeting: float) -> float:
    """Share of intervals of average effects that hold the average of the whole town."""
    rng, hits = np.random.default_rng(8), []
    for seed in range(replications):
        past = people.draw(guests, rng, targeting=targeting)
        lot = None if targeting else past.propensity
        trial = read_trial(*past[:3], cost=None, propensity=lot, offers=None, cluster=None)
        study = Study.of(trial, seed=seed)
        for offer, true in enumerate(people.average):
            low, high = average_effect(trial, study.nuisance, study.scores, offer).interval
            hits.append(low <= true <= high)
    return float(np.mean(hits))


class Covered(NamedTuple):
    """Shares of intervals that hold the truth: of all guests and offers, and of the offer with the largest gain, of guests for
    whom it is above 0; and of the tenth of guests with the largest of these gains."""

    guests: float
    chosen: float
    best: float


def guests_cover(people: People, replications: int, guests: int, learner: str) -> Covered:
    """How often the true expected gain of a guest of the town is within 1.96 standard errors."""
    rng, found = np.random.default_rng(9), []
    for seed in range(replications):
        past = people.draw(guests, rng)
        model = rg.effects.fit(*past[:3], propensity=past.propensity, learner=learner, seed=seed)
        found.append(covered(model.predict(people.features), people.truth))
    return Covered(*(float(np.nanmean(shares)) for shares in zip(*found, strict=True)))


def covered(found: rg.effects.Effects, truth: NDArray[np.float64]) -> Covered:
    inside = np.abs(found.gain - truth) <= 1.96 * found.gain_se
    offer, most = found.gain.argmax(axis=1), found.gain.max(axis=1)
    chosen = inside[np.arange(len(offer)), offer]
    is_worth = most > 0
    best = np.argsort(-most)[: len(most) // 10]
    return Covered(
        float(inside.mean()), float(chosen[is_worth].mean()) if is_worth.any() else np.nan, float(chosen[best].mean())
    )


def false_differences(people: People, permutations: int, learner: str) -> tuple[int, int]:
    """Of lotteries in which every guest brings what they would have brought anyway: in how many p-values of how many guests are said
    to differ. Each lottery has three offers, so the p-values of three are of one lottery."""
    rng, found = np.random.default_rng(10), []
    for seed in range(permutations):
        past = people.draw(PERMUTED_GUESTS, rng, changes_nobody=True)
        lines = rg.effects.fit(*past[:3], propensity=past.propensity, learner=learner, seed=seed).heterogeneity
        found += [line.is_found for line in lines]
    return int(np.sum(found)), len(found)


def is_covered(share: float, intervals: int) -> bool:
    slack = SURE * np.sqrt(0.05 * 0.95 / intervals)
    return bool(COVERED[0] - slack <= share <= COVERED[1] + slack)


def grade_intervals(people: People, replications: int) -> tuple[dict[str, Any], bool]:
    found: dict[str, Any] = {"replications": replications}
    is_good = True
    for name, guests, targeting in (("by lot", GUESTS, 0.0), ("targeted", TARGETED_GUESTS, 0.5)):
        share = found[f"averages, {name}"] = averages_cover(people, replications, guests, targeting=targeting)
        is_good &= is_covered(share, replications)
        print(f"average effects, {name}, {replications:,} trials of {guests:,} guests {share:>22.1%}", flush=True)
    for learner, guests in (("pooled", 2_000), ("pooled", 8_000), ("x", 20_000)):
        rounds = max(replications // (100 if learner == "pooled" else 250), 1)
        shares = guests_cover(people, rounds, guests, learner)
        found[f"guests, {learner} {guests}"] = shares._asdict()
        is_good &= COVERED_GUESTS[0] <= shares.guests <= COVERED_GUESTS[1]
        is_good &= not min(shares.chosen, shares.best) < COVERED_CHOSEN
        said = ", ".join(f"{name} {share:.1%}" for name, share in shares._asdict().items())
        print(f"gains of guests, {learner}, {rounds} trials of {guests:,} guests: {said}", flush=True)
    return found, is_good


def grade_differences(people: People, permutations: int, learners: tuple[str, ...]) -> tuple[dict[str, Any], bool]:
    found: dict[str, Any] = {"permutations": permutations}
    for learner in learners:
        start = time.perf_counter()
        claims, tests = found[learner] = false_differences(people, permutations, learner)
        seconds = time.perf_counter() - start
        print(
            f"differences that are none, {learner}: {claims} of {tests} ({claims / tests:.1%}), {seconds:.0f} s",
            flush=True,
        )
    return found, all(found[learner][0] <= FALSE * found[learner][1] for learner in learners)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the replications")
    parser.add_argument("--differences", action="store_true", help="lotteries in which nothing changes anybody")
    parser.add_argument(
        "--town",
        type=int,
        default=0,
        help="the seed of the town; 0 is the one that the prior of what was missed was chosen in",
    )
    parser.add_argument("--permutations", type=int, default=REPLICATIONS)
    parser.add_argument("--only", choices=LEARNERS, action="append")
    asked = parser.parse_args()
    people = People(rg.rehearsal.town(guests=20_000, stores=10, seed=asked.town, pace=4))
    scale = 10 if asked.quick else 1
    if asked.differences:
        learners = tuple(asked.only or LEARNERS)
        found, is_good = grade_differences(people, asked.permutations // scale, learners)
    else:
        found, is_good = grade_intervals(people, REPLICATIONS // scale)
    print(json.dumps(found))
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
