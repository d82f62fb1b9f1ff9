"""The response: what vouchers change is found where exposures are few, and nothing is promised that the data do not hold."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from regulars.guests.facts import feature_names
from regulars.planning.baseline import FACTS, Baseline, Habits, can_fit
from regulars.planning.history import History
from regulars.planning.response import Response
from regulars.profiles import build
from regulars.rehearsal import Town


def profiles_of(place: Town) -> pa.Table:
    return build(place.orders, as_of=place.today.replace(day=place.today.day - 1)).sort_by("guest_id")


def lived(place: Town, share: float, seed: int) -> tuple[History, np.ndarray]:
    """One campaign in which a share of the guests got any offer by lot, as history; and what each guest brought."""
    draw = np.random.default_rng(seed)
    action = np.where(draw.random(len(place)) < share, draw.integers(0, 3, len(place)), -1)
    run, profiles = place.run(action), profiles_of(place)
    history = History(
        offers=place.offer_ids[:3],
        features=profiles.select(feature_names(profiles)),
        campaign=np.full(len(place), "first", dtype=object),
        guest=place.guest_ids,
        action=action,
        orders=run.visits.sums(np.ones(len(run.visits)), len(place)),
        amount=run.sales_minor,
        margin=run.margin_minor + run.subsidy_minor,
        cost=run.subsidy_minor,
        redeemed=run.subsidy_minor > 0,
        propensity=np.where(action >= 0, share / 3, 1 - share),
    )
    return history, history.margin


@pytest.fixture(scope="module")
def place() -> Town:
    return rg.rehearsal.town(guests=4_000, stores=4, seed=2, pace=4)


@pytest.fixture(scope="module")
def adds(place: Town) -> np.ndarray:
    return np.array([0.0, 0.65 * place.menu.price_of("desserts-1"), 0.0])


@pytest.fixture(scope="module")
def responses(place: Town, adds: np.ndarray) -> list[Response]:
    """What five lotteries teach, each by itself."""
    return [Response.fit(*lived(place, 0.5, seed), adds=adds) for seed in range(1, 6)]


@pytest.fixture(scope="module")
def response(responses: list[Response]) -> Response:
    return responses[0]


def test_it_ranks_guests_as_the_truth_does(place: Town, responses: list[Response]) -> None:
    """Who would come anyway stands last, whatever the offer; and a scarce budget brings more than
    the best offer to anybody would."""
    truth, profiles = place.truth, profiles_of(place)
    best_fifth, worst_fifth, per_cost = [], [], []
    for response in responses:
        gain, _, cost, _ = response.predict(profiles)
        order = np.argsort(gain, axis=0)
        fifth = len(order) // 5
        best_fifth.append(np.take_along_axis(truth.gain, order[-fifth:], axis=0).mean(axis=0))
        worst_fifth.append(np.take_along_axis(truth.gain, order[:fifth], axis=0).mean(axis=0))
        best = rg.allocation.solve(gain, cost, [rg.allocation.Limit.total(60_000)], seed=0).choice.astype(int)
        paid = truth.cost[np.arange(len(best)), best][best >= 0].sum()
        per_cost.append(truth.gain_of(best).sum() / paid)
    assert (np.mean(best_fifth, axis=0) > np.mean(worst_fifth, axis=0)).all()
    assert np.median(per_cost) > 1.3 * max(truth.gain.mean(axis=0) / truth.cost.mean(axis=0))


def test_what_it_promises_is_near_the_truth(place: Town, responses: list[Response]) -> None:
    """Of a scarce budget; one campaign at random taught it. Less its luck, the promise was several times the truth."""
    promised = []
    for response in responses:
        gain, _, cost, _ = response.predict(profiles_of(place))
        best = rg.allocation.solve(gain, cost, [rg.allocation.Limit.total(60_000)], seed=0)
        promised.append(best.gain / place.truth.gain_of(best.choice.astype(int)).sum())
    assert 0.6 < np.median(promised) < 1.6, promised


def test_who_redeemed_before_is_likelier_to_redeem_again(place: Town) -> None:
    history, margin = lived(place, 0.5, 1)
    kept = history.features.to_pydict()
    kept["discount_minor"] = np.where(history.redeemed, 500, 0)
    again = dataclasses.replace(history, features=pa.table(kept))
    anyway = Baseline.fit(Habits.of(again.features), again, margin)
    never, before = (
        anyway.expect(Habits.of(pa.table(kept | {"discount_minor": np.full(len(history), told)}))).redeems.mean()
        for told in (0, 500)
    )
    assert before > 1.5 * never


def test_costs_and_redemptions_are_those_of_the_town(place: Town, response: Response) -> None:
    _, _, cost, redemption = response.predict(profiles_of(place))
    assert cost.mean(axis=0) == pytest.approx(place.truth.cost.mean(axis=0), rel=0.4)
    assert redemption.mean(axis=0) == pytest.approx(place.truth.redemption.mean(axis=0), rel=0.4)


def test_fewer_exposures_leave_more_doubt(place: Town, adds: np.ndarray, response: Response) -> None:
    history, margin = lived(place, 0.04, 1)
    few = Response.fit(history, margin, adds=adds).predict(profiles_of(place))[1]
    assert few.mean() > response.predict(profiles_of(place))[1].mean()


def test_repeated_rows_teach_nothing_new(place: Town, adds: np.ndarray) -> None:
    """The same guests twice: errors may not fall by root 2, for rows of a guest are one cluster."""
    history, margin = lived(place, 0.3, 3)
    twice = History(
        offers=history.offers,
        features=pa.concat_tables([history.features] * 2),
        **{
            field.name: np.concatenate([getattr(history, field.name)] * 2)
            for field in dataclasses.fields(History)
            if field.name not in ("offers", "features")
        },
    )
    once = Response.fit(history, margin, adds=adds).predict(profiles_of(place))[1]
    again = Response.fit(twice, np.tile(margin, 2), adds=adds).predict(profiles_of(place))[1]
    assert again.mean() > 0.85 * once.mean()


def test_it_is_not_asked_where_nobody_redeemed_or_facts_are_missing(place: Town) -> None:
    history, margin = lived(place, 0.5, 1)
    assert can_fit(history, margin, fewest=20)
    assert not can_fit(dataclasses.replace(history, redeemed=np.zeros(len(history), bool)), margin, fewest=20)
    assert not can_fit(
        dataclasses.replace(history, features=history.features.drop_columns([FACTS[0]])), margin, fewest=20
    )
