"""How often the intervals of effects are right, in a town whose truth is known.

    python benchmarks/effects_grades.py            1,000 replications (about ten minutes)
    python benchmarks/effects_grades.py --quick    a tenth of them

The town is the population: every guest is lived under nothing and under every offer with the same luck. Each replication draws guests from
it and gives them an offer or nothing, by lot, or the more the more they spend ("targeted", whose propensities nobody logged). Prints a
table and a last line of JSON; status 1 where an interval of averages covers outside 93 to 97 % by more than chance, or guests' below 90 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import regulars as rg
from regulars.effects.averages import average_effect
from regulars.effects.study import Study
from regulars.effects.trial import read_trial

REPLICATIONS, GUESTS, TARGETED_GUESTS = 1_000, 2_000, 4_000
COVERED, COVERED_GUESTS, SURE = (0.93, 0.97), 0.90, 3.0


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

    def draw(self, guests: int, rng: np.random.Generator, *, targeting: float = 0.0) -> Past:
        who = rng.integers(0, self.margin.shape[1], guests)
        habit = np.log1p(self.features["spent_364"][who])
        odds = np.exp(np.outer(targeting * (habit - habit.mean()) / habit.std(), np.arange(len(self.margin)) > 0))
        propensity = odds / odds.sum(axis=1, keepdims=True)
        action = (rng.random((guests, 1)) > propensity.cumsum(axis=1)).sum(axis=1) - 1
        features = {name: column[who] for name, column in self.features.items()}
        return Past(features, action, self.margin[action + 1, who], propensity)


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


def guests_cover(people: People, replications: int, guests: int, learner: str) -> float:
    """Share of guests and offers of the town whose true expected gain is within 1.96 standard errors."""
    rng, inside = np.random.default_rng(9), []
    for seed in range(replications):
        past = people.draw(guests, rng)
        found = rg.effects.fit(*past[:3], propensity=past.propensity, learner=learner, seed=seed).predict(
            people.features
        )
        inside.append(np.abs(found.gain - people.truth) <= 1.96 * found.gain_se)
    return float(np.mean(inside))


def is_covered(share: float, intervals: int) -> bool:
    slack = SURE * np.sqrt(0.05 * 0.95 / intervals)
    return bool(COVERED[0] - slack <= share <= COVERED[1] + slack)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the replications")
    replications = REPLICATIONS // 10 if parser.parse_args().quick else REPLICATIONS
    people = People(rg.rehearsal.town(guests=20_000, stores=10, seed=0, pace=4))
    found: dict[str, Any] = {"replications": replications}
    is_good = True
    for name, guests, targeting in (("by lot", GUESTS, 0.0), ("targeted", TARGETED_GUESTS, 0.5)):
        share = found[f"averages, {name}"] = averages_cover(people, replications, guests, targeting=targeting)
        is_good &= is_covered(share, replications)
        print(f"average effects, {name}, {replications:,} trials of {guests:,} guests {share:>22.1%}", flush=True)
    for learner, guests in (("pooled", 2_000), ("pooled", 8_000), ("x", 20_000)):
        rounds = max(replications // (100 if learner == "pooled" else 250), 1)
        share = found[f"guests, {learner} {guests}"] = guests_cover(people, rounds, guests, learner)
        is_good &= share >= COVERED_GUESTS
        print(f"gains of guests, {learner}, {rounds} trials of {guests:,} guests {share:>30.1%}", flush=True)
    print(json.dumps(found))
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
