"""Words: what the numbers of a model say, in sentences an operator can read."""

import math

from regulars.effects.averages import AverageEffect
from regulars.effects.balance import Balance
from regulars.effects.basis import Ground

BASIS_WORDS = {"randomised": "randomised", "adjusted": "observational (adjusted)"}

SOURCES = {"other offers": "taken from the other offers", "curve": "read from the curve of other face values"}


def figure(value: float) -> str:
    """A signed number with three telling digits: +12.3, -0.0452, +43,210."""
    if not math.isfinite(value):
        return "not known" if math.isnan(value) else f"{value:+}"
    decimals = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:+,.{max(decimals, 0)}f}"


def average_words(effect: AverageEffect, basis: str) -> str:
    """What an offer changed, how sure that is, and what a naive reading would have said."""
    low, high = map(figure, effect.interval)
    if effect.is_borrowed:
        return (
            f"{effect.offer}: given to {effect.guests} guests, too few to tell; {SOURCES[effect.rests_on]}, "
            f"{figure(effect.gain)} a guest ({low} to {high})."
        )
    found = f"{effect.offer}: changed {figure(effect.gain)} a guest ({low} to {high}, {BASIS_WORDS[basis]})"
    if basis == "randomised":
        return f"{found}; the plain difference of means is {figure(effect.naive)}."
    return f"{found}. {_naive_words(effect)} {_robustness_words(effect)}"


def _naive_words(effect: AverageEffect) -> str:
    excess = effect.naive - effect.gain
    naive = f"The plain difference between guests who got it and guests who did not is {figure(effect.naive)}"
    if effect.naive_interval[0] <= effect.gain <= effect.naive_interval[1]:
        return f"{naive}, much the same."
    kind = "flatters" if excess > 0 else "belittles"
    return f"{naive}: it {kind} the offer by {figure(abs(excess))[1:]}, because those who got it were other guests to begin with."


def _robustness_words(effect: AverageEffect) -> str:
    if not effect.is_clear:
        return "The interval holds 0: the data do not show that it changed anything."
    return (
        f"A hidden cause that explained {effect.robustness_of_interval:.1%} of what is left unexplained, both of the outcome "
        "and of who was chosen, would be enough to bring the interval to 0."
    )


LATE = (
    "may have been counted after the exposure; left out, and what the draw shows is kept. Take values from before, or give "
    "known_at and exposed_at"
)


def doubt_warnings(ground: Ground) -> list[str]:
    """Why the logged propensities were not believed."""
    reason = (
        "the logged propensities do not agree with the rows, so they were estimated and the basis is not randomised: "
    )
    return [reason + "; ".join(ground.doubts)] if ground.doubts else []


def late_warnings(ground: Ground) -> list[str]:
    """Which features were left out, and why."""
    found = [
        f"{name} differs between those given an offer and those given nothing by more than the draw lets happen: it {LATE}"
        for name in ground.late
    ]
    if ground.unmasked:
        names = ", ".join(ground.unmasked)
        found.append(
            f"{names}: given the other features, arms differ by more than the draw lets happen: one of these {LATE}"
        )
    if ground.repeats:
        found.append(f"left out, because the outcome is in it: {', '.join(ground.repeats)}")
    return found


def design_warnings(effect: AverageEffect, balance: Balance | None, basis: str) -> list[str]:
    """What an operator must know before trusting an average effect."""
    if effect.is_borrowed or balance is None:
        return [
            f"{effect.offer} was given to {effect.guests} guests: too few, its effect is taken from the other offers"
        ]
    found = []
    if effect.overlap < 0.5:
        found.append(
            f"{effect.offer}: only {effect.overlap:.0%} of rows could have gone either way; "
            "the effect is of these, and for other guests it is a guess"
        )
    if basis == "adjusted" and not balance.is_balanced:
        feature, distance = balance.worst_after
        found.append(
            f"{effect.offer}: after weighting, {feature} still differs by {abs(distance):.2f} standard deviations "
            "between those given it and those given nothing"
        )
    return found
