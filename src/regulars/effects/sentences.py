"""Sentences: what the numbers of a model say, for operators to read."""

from collections.abc import Iterator

from regulars.effects.averages import AverageEffect
from regulars.effects.balance import Balance
from regulars.effects.basis import Basis, Ground
from regulars.wording import Sentence

SOURCES = {"other offers": "other_offers", "curve": "curve"}


def of_basis(basis: str) -> Sentence:
    """What numbers rest on, as every page shows it."""
    return Sentence(f"basis_{basis}")


def of_average(effect: AverageEffect, basis: Basis) -> Sentence:
    """What an offer changed, how sure that is, and what a naive reading would have said."""
    low, high = effect.interval
    known = {"offer": effect.offer, "gain": effect.gain, "low": low, "high": high}
    if effect.is_borrowed:
        return Sentence("effect_borrowed", guests=effect.guests, source=SOURCES[effect.rests_on], **known)
    if basis == "randomised":
        return Sentence("effect_drawn", basis=basis, naive=effect.naive, **known)
    return Sentence("effect_adjusted", basis=basis, naive=_of_naive(effect), robustness=_of_robustness(effect), **known)


def _of_naive(effect: AverageEffect) -> Sentence:
    if effect.naive_interval[0] <= effect.gain <= effect.naive_interval[1]:
        return Sentence("naive_alike", naive=effect.naive)
    excess = effect.naive - effect.gain
    return Sentence("naive_flatters" if excess > 0 else "naive_belittles", naive=effect.naive, excess=abs(excess))


def _of_robustness(effect: AverageEffect) -> Sentence:
    if not effect.is_clear:
        return Sentence("effect_unclear")
    return Sentence("effect_robust", cause=effect.robustness_of_interval)


def of_doubts(ground: Ground) -> Iterator[Sentence]:
    """Why the logged propensities were not believed."""
    if ground.doubts:
        yield Sentence("draw_disbelieved", doubts=ground.doubts)


def of_late_features(ground: Ground) -> Iterator[Sentence]:
    """Which features were left out, and why."""
    for name in ground.late:
        yield Sentence("feature_is_late", feature=name)
    if ground.unmasked:
        yield Sentence("one_feature_is_late", features=ground.unmasked)
    if ground.repeats:
        yield Sentence("features_hold_outcome", features=ground.repeats)


def of_design(effect: AverageEffect, balance: Balance | None, basis: Basis) -> Iterator[Sentence]:
    """What an operator must know before trusting an average effect."""
    if effect.is_borrowed or balance is None:
        yield Sentence("few_given", offer=effect.offer, guests=effect.guests)
        return
    if effect.overlap < 0.5:
        yield Sentence("little_choice", offer=effect.offer, overlap_share=effect.overlap)
    if basis == "adjusted" and not balance.is_balanced:
        feature, distance = balance.worst_after
        yield Sentence("still_differs", offer=effect.offer, feature=feature, distance=abs(distance))
