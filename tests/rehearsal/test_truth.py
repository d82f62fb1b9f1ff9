"""The truth, against what happens when the same days are lived with much luck; and each force of the town by itself."""

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from regulars.measurement.statement import ANYWAY, MOVED, PULLED_FORWARD
from regulars.rehearsal import Town

SEEDS = range(100, 108)


def everybody(town: Town, offer: int) -> np.ndarray:
    return np.full(len(town), offer)


@pytest.mark.parametrize("offer", range(4))
def test_the_truth_is_what_happens_on_average(town: Town, offer: int) -> None:
    """Over eight lucks: gain within four standard errors, redemptions and subsidy within five per cent of the truth."""
    off, used, spent = [], [], []
    for seed in SEEDS:
        run = replace(town, seed=seed).run(everybody(town, offer))
        off.append((run.margin_minor - run.nothing.margin_minor).mean() - run.truth.gain[:, offer].mean())
        used.append([(run.visits.offer >= 0).sum(), run.truth.redemption[:, offer].sum()])
        spent.append([run.subsidy_minor.sum(), run.truth.cost[:, offer].sum()])
    assert abs(np.mean(off)) < 4 * np.std(off, ddof=1) / np.sqrt(len(SEEDS))
    for happened, true in (np.sum(used, axis=0), np.sum(spent, axis=0)):
        assert happened == pytest.approx(true, rel=0.05)


def test_the_baseline_is_what_guests_bring_without_offers(town: Town) -> None:
    off = []
    for seed in SEEDS:
        run = replace(town, seed=seed).run(everybody(town, -1))
        off.append(run.margin_minor.mean() / run.truth.baseline.mean() - 1)
        assert run.true_gain_minor == 0
        assert run.subsidy_minor.sum() == 0
    assert abs(np.mean(off)) < 0.03


def test_luck_is_the_same_whatever_is_given(town: Town) -> None:
    """One guest's offer changes nothing in any other guest."""
    nothing, one = (town.run(everybody(town, -1)) for _ in range(2))
    assert nothing.orders.equals(one.orders)
    changed = everybody(town, -1)
    changed[7] = 0
    run = town.run(changed)
    others = np.arange(len(town)) != 7
    assert (run.margin_minor == nothing.margin_minor)[others].all()


def test_a_voucher_is_used_once_and_only_where_and_when_it_holds(town: Town) -> None:
    run = town.run(everybody(town, 3))
    used = run.visits.only(run.visits.offer >= 0)
    assert len(used) > 30
    assert len(np.unique(used.guest)) == len(used)
    assert set(used.store.tolist()) == {0}
    assert used.day.max() < town.today.toordinal() + 14
    assert (used.hour < 5).all()
    quiet = town.run(everybody(town, 2)).visits
    assert {int(day) for day in (quiet.day[quiet.offer >= 0] - 1) % 7} == {0, 1, 2, 3}


def test_an_offer_of_one_store_takes_from_its_sisters(town: Town) -> None:
    only = replace(town, offers=town.offers[3:])
    given, without = only.run(everybody(town, 0)), only.run(everybody(town, -1))
    assert given.sister_minor.sum() < without.sister_minor.sum()
    assert given.sales_minor.sum() > without.sales_minor.sum()


def with_traits(town: Town, **traits: float) -> Town:
    """The same town, with traits that are the same in all its guests."""
    same = {name: np.full(len(town), value) for name, value in traits.items()}
    return replace(town, traits=replace(town.traits, **same))


def test_the_truth_is_what_happens_where_every_force_is_strong(town: Town) -> None:
    """Within four standard errors over eight lucks, where a used voucher and a mere message each take away much."""
    wild = with_traits(town, hoard=0.8, irritation=0.7, notice=0.5)
    off = []
    for seed in SEEDS:
        run = replace(wild, seed=seed).run(everybody(town, 0))
        off.append((run.margin_minor - run.nothing.margin_minor).mean() - run.truth.gain[:, 0].mean())
    assert abs(np.mean(off)) < 4 * np.std(off, ddof=1) / np.sqrt(len(SEEDS))


def test_visits_are_pulled_forward_from_the_following_weeks_and_nothing_else_takes_them(town: Town) -> None:
    calm = with_traits(town, irritation=0.0, dropout=0.0)
    run, free = calm.run(everybody(town, 0)), with_traits(calm, hoard=0.0).run(everybody(town, 0))
    assert run.later_minor.sum() < run.nothing.later_minor.sum()
    assert (free.later_minor == free.nothing.later_minor).all()


def test_a_message_that_nobody_reads_only_costs_visits(town: Town) -> None:
    deaf = with_traits(town, notice=0.0, irritation=0.5)
    run = deaf.run(everybody(town, 0))
    assert run.subsidy_minor.sum() == 0
    assert (run.truth.gain[~town.is_lost] < 0).all()
    assert len(run.visits) < 0.8 * len(run.nothing.visits)


def test_some_redeem_who_would_have_come_anyway(town: Town) -> None:
    run = town.run(everybody(town, 0))
    redeemed = run.subsidy_minor > 0
    assert 0.3 < (run.nothing.orders_in_window[redeemed] > 0).mean() < 0.95


def test_lost_guests_come_only_for_a_voucher(town: Town) -> None:
    nothing, run = town.run(everybody(town, -1)), town.run(everybody(town, 0))
    assert nothing.orders_in_window[town.is_lost].sum() == 0
    assert run.orders_in_window[town.is_lost].sum() > 0


def test_messages_tire(town: Town) -> None:
    tired = replace(town, messages=np.full(len(town), 5.0))
    assert (tired.truth.redemption <= town.truth.redemption + 1e-12).all()
    assert tired.truth.baseline.sum() < town.truth.baseline.sum()
    after = town.run(everybody(town, 0)).after
    assert (after.messages == 1).all()
    assert (after.run(everybody(town, -1)).after.messages == 0.5).all()


def test_no_offer_is_good_for_everybody_and_some_is_good_for_somebody(town: Town) -> None:
    share = (town.truth.gain > 0).mean(axis=0)
    assert (share > 0.05).all()
    assert (share < 0.95).all()


def test_a_town_lives_on(town: Town) -> None:
    run = town.run(everybody(town, 1), 21, later_days=7)
    after = run.after
    assert (after.today - town.today).days == 28
    assert len(after.orders) == len(town.orders) + len(run.orders)
    assert len(pc.unique(after.orders["order_id"])) == len(after.orders)
    assert (after.is_lost >= town.is_lost).all()


def test_the_books_agree_with_one_another(town: Town) -> None:
    run = town.run(np.arange(len(town)) % 5 - 1)
    redemptions, outcomes = run.redemptions("c"), run.outcomes("c")
    assert (
        pc.sum(redemptions["cost_minor"]).as_py()
        == run.subsidy_minor.sum()
        == pc.sum(outcomes["subsidy_minor"]).as_py()
    )
    assert pc.all(pc.is_in(redemptions["order_id"], value_set=run.orders["order_id"])).as_py()
    exposures = run.exposures("c", np.full(len(town), 0.2))
    assert pc.sum(pc.is_valid(exposures["offer_id"])).as_py() == (run.assignment >= 0).sum()


def test_the_true_split_adds_up_to_what_was_spent_with_vouchers(town: Town) -> None:
    run = replace(town, offers=town.offers[3:]).run(everybody(town, 0))
    split = run.true_split
    assert sum(split.values()) == run.redeemed_minor.sum()
    assert split[MOVED] > 0
    everywhere = town.run(everybody(town, 0)).true_split
    assert everywhere[MOVED] == 0
    assert everywhere[ANYWAY] > 0


def test_the_referee_states_a_run_and_the_parts_add_up(town: Town) -> None:
    run = town.run(np.arange(len(town)) % 2 - 1)
    statement = run.measured()
    assert sum(part.amount_minor for part in statement.parts) == statement.spend_minor
    assert statement.part(ANYWAY).amount_minor >= 0
    assert statement.part(PULLED_FORWARD).amount_minor >= 0
    true = run.true_gain_minor
    low, high = statement.gain_interval_minor
    assert low - (high - low) < true < high + (high - low)
