"""Are features that were counted after the exposure named, and are clean ones left alone, where offers were drawn by lot?

    python benchmarks/effects_late.py            1,000 clean draws of each kind, 20 late features of each (about half an hour)
    python benchmarks/effects_late.py --quick    a tenth of the clean draws

Prints a table and a last line of JSON; status 1 where more than one clean draw in a hundred has a feature left out, or a late
feature is not named, or the effect is missed by more than four standard errors.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import regulars as rg
from regulars.effects.basis import Ground
from regulars.effects.trial import read_trial

FloatArray = NDArray[np.float64]
CLEAN, LATE, GUESTS, EFFECT = 1_000, 20, 2_000, 40.0
SELDOM, FAR = 0.01, 4.0


class Lottery(NamedTuple):
    """Clean features, what was drawn, the propensities, what came of it, and the guest of each row."""

    features: dict[str, Any]
    action: NDArray[np.int64]
    propensity: FloatArray
    outcome: FloatArray
    cluster: NDArray[np.int64] | None = None


def guests(draw: np.random.Generator, rows: int) -> dict[str, Any]:
    """Visits, bills with a heavy tail, a rare habit, a city, an age that a third did not tell."""
    age = draw.normal(40, 12, rows)
    return {
        "visits": draw.poisson(3, rows).astype(float),
        "spent": draw.lognormal(3, 1.5, rows),
        "is_rare": (draw.random(rows) < 0.01).astype(float),
        "city": draw.choice(["Rome", "Oslo", "Lima"], rows, p=[0.7, 0.28, 0.02]),
        "age": np.where(draw.random(rows) < 0.33, np.nan, age),
    }


def drawn(draw: np.random.Generator, features: dict[str, Any], chance: FloatArray) -> Lottery:
    action = (draw.random((len(chance), 1)) > chance.cumsum(axis=1)).sum(axis=1) - 1
    usual = 100 * features["visits"] + features["spent"] + draw.normal(0, 50, len(action))
    return Lottery(features, action, chance, usual + EFFECT * (action >= 0))


def even(draw: np.random.Generator, rows: int = GUESTS) -> Lottery:
    return drawn(draw, guests(draw, rows), np.full((rows, 2), 0.5))


def rare_offer(draw: np.random.Generator, rows: int = GUESTS) -> Lottery:
    return drawn(draw, guests(draw, rows), np.tile([0.95, 0.05], (rows, 1)))


def five_offers(draw: np.random.Generator, rows: int = GUESTS) -> Lottery:
    return drawn(draw, guests(draw, rows), np.tile([0.5, 0.25, 0.12, 0.08, 0.05], (rows, 1)))


def by_visits(draw: np.random.Generator, rows: int = GUESTS) -> Lottery:
    """A plan: whoever comes often gets the offer with another chance."""
    features = guests(draw, rows)
    chance = np.where(features["visits"] > 3, 0.8, 0.1)
    return drawn(draw, features, np.column_stack([1 - chance, chance]))


def one_chance_logged(draw: np.random.Generator, rows: int = GUESTS) -> Lottery:
    """The same with two offers, and only the chance of the action taken."""
    features = guests(draw, rows)
    best = np.where(features["visits"] > 3, 0.7, 0.2)
    lottery = drawn(draw, features, np.column_stack([np.full(rows, 0.1), best, 0.9 - best]))
    return lottery._replace(propensity=lottery.propensity[np.arange(rows), lottery.action + 1])


def few_guests(draw: np.random.Generator) -> Lottery:
    return even(draw, 120)


def by_store(draw: np.random.Generator, rows: int = GUESTS, stores: int = 60) -> Lottery:
    """Sixty stores, each with its own city and kind of guest, are drawn whole."""
    store = draw.integers(0, stores, rows)
    features = guests(draw, rows)
    features["visits"] = features["visits"] + draw.poisson(2, stores)[store]
    features["city"] = np.array(["Rome", "Oslo", "Lima"])[draw.integers(0, 3, stores)][store]
    lottery = drawn(draw, features, np.full((rows, 2), 0.5))
    action = draw.integers(-1, 1, stores)[store]
    outcome = lottery.outcome + EFFECT * ((action >= 0).astype(float) - (lottery.action >= 0))
    return lottery._replace(action=action, outcome=outcome, cluster=store)


def repeated_guests(draw: np.random.Generator, rows: int = GUESTS) -> Lottery:
    """Four draws for each guest, whose features hardly change."""
    guest = np.arange(rows) // 4
    features = {name: column[guest] for name, column in guests(draw, rows).items()}
    return drawn(draw, features, np.full((rows, 2), 0.5))._replace(cluster=guest)


CLEANS: dict[str, Callable[[np.random.Generator], Lottery]] = {
    maker.__name__: maker
    for maker in (even, rare_offer, five_offers, by_visits, one_chance_logged, few_guests, by_store, repeated_guests)
}


def whole_period(lottery: Lottery, draw: np.random.Generator) -> Any:
    return lottery.outcome + lottery.features["spent"] + draw.normal(0, 30, len(lottery.action))


def pages_seen(lottery: Lottery, draw: np.random.Generator) -> Any:
    return draw.poisson(2 + 0.7 * (lottery.action >= 0) + lottery.outcome.clip(0) / 300).astype(float)


def outcome_itself(lottery: Lottery, draw: np.random.Generator) -> Any:
    return lottery.outcome


def arm_code(lottery: Lottery, draw: np.random.Generator) -> Any:
    return np.where(lottery.action >= 0, "sent", "kept")


def known_for_one_arm(lottery: Lottery, draw: np.random.Generator) -> Any:
    return np.where(lottery.action >= 0, draw.normal(size=len(lottery.action)), np.nan)


def constant_in_one_arm(lottery: Lottery, draw: np.random.Generator) -> Any:
    return np.where(lottery.action >= 0, draw.normal(size=len(lottery.action)), 0.0)


LATES: dict[str, Callable[[Lottery, np.random.Generator], Any]] = {
    maker.__name__: maker
    for maker in (whole_period, pages_seen, outcome_itself, arm_code, known_for_one_arm, constant_in_one_arm)
}


def false_alarms(make: Callable[[np.random.Generator], Lottery], draws: int) -> float:
    """The share of clean draws in which a feature is left out, or the draw is not believed."""
    wrong = 0
    for seed in range(draws):
        lottery = make(np.random.default_rng([seed, 31]))
        trial = read_trial(
            *(lottery.features, lottery.action, lottery.outcome), cost=None, propensity=lottery.propensity, offers=None,
            cluster=lottery.cluster,
        )  # fmt: skip
        ground, _ = Ground.of(trial, is_dated=False).study(is_dated=False, seed=seed)
        wrong += bool(ground.left_out) or ground.basis != "randomised"
    return wrong / draws


def named(make: Callable[[np.random.Generator], Lottery], late: Callable[..., Any]) -> tuple[int, float]:
    """In how many of 20 draws the late feature is left out, and the farthest miss of the effect, in standard errors."""
    found, farthest = 0, 0.0
    for seed in range(LATE):
        draw = np.random.default_rng([seed, 47])
        lottery = make(draw)
        features = lottery.features | {"late": late(lottery, draw)}
        model = rg.effects.fit(
            *(features, lottery.action, lottery.outcome), propensity=lottery.propensity, cluster=lottery.cluster, seed=seed
        )  # fmt: skip
        found += "late" in model.left_out and "late" in " ".join(map(str, model.warnings))
        effect = model.averages[0]
        farthest = max(farthest, abs(effect.gain - EFFECT) / effect.gain_se)
    return found, farthest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the clean draws")
    draws = CLEAN // 10 if parser.parse_args().quick else CLEAN
    found: dict[str, Any] = {"draws": draws}
    is_good = True
    for name, late in LATES.items():
        for make in (even, five_offers):
            count, miss = found[f"{name}, {make.__name__}"] = named(make, late)
            is_good &= count == LATE and miss < FAR
            print(
                f"{name:20} {make.__name__:18} named {count:2} of {LATE}, farthest miss {miss:.1f} errors", flush=True
            )
    for name, make in CLEANS.items():
        share = found[f"false alarms, {name}"] = false_alarms(make, draws)
        is_good &= share <= SELDOM + 3 * np.sqrt(SELDOM / draws) * (draws < CLEAN)
        print(f"false alarms, {name:20} {share:.2%} of {draws:,} clean draws", flush=True)
    print(json.dumps(found))
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
