"""Power: what a campaign of this size could find out, before it is launched."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from numpy.typing import ArrayLike
from scipy import optimize, stats

from regulars.errors import DesignError
from regulars.measurement.adjustment import adjust
from regulars.measurement.columns import GUESTS, as_columns, cluster_sums
from regulars.measurement.guests import as_amounts, as_labels
from regulars.measurement.levels import Promise
from regulars.measurement.moments import Moments
from regulars.wording import Sentence, Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How much an outcome varies from one unit to the next when nothing is done, read from the past.

    mean: of the outcome per guest (per unit of the denominator for a ratio).
    variance: of one unit's contribution, after what covariates explain; the squared error of a mean of n units is variance / n.
    guests_per_unit: 1, or the mean size of a cluster.
    """

    mean: float
    variance: float
    guests_per_unit: float = 1.0

    @classmethod
    def of(
        cls,
        outcome: ArrayLike,
        *,
        covariate: ArrayLike | None = None,
        denominator: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
    ) -> Noise:
        """From the outcomes of earlier guests over a window as long as the campaign's; arguments as in `compare`.

        Raises DesignError below two units.

        >>> Noise.of([0, 0, 30, 10]).variance
        200.0
        """
        columns, metric = as_columns(as_amounts(outcome, "outcome"), covariate, denominator)
        guests = len(columns["outcome"])
        if cluster is not None:
            columns = cluster_sums(columns, as_labels(cluster, "cluster", guests))
            metric = metric.over(GUESTS)
        moments = Moments.of(columns)
        if moments.n < 2:
            raise DesignError(f"the past has {moments.n} unit; its variation needs at least 2")
        arm = adjust({"past": moments}, metric).arms["past"]
        return cls(mean=arm.value, variance=arm.variance, guests_per_unit=guests / moments.n)

    @classmethod
    def of_share(cls, share: float) -> Noise:
        """Of an outcome that is 1 for a share of the guests and 0 for the others.

        >>> Noise.of_share(0.1).variance
        0.09000000000000001
        """
        if not 0 < share < 1:
            raise ValueError(f"a share that varies lies between 0 and 1, got {share}")
        return cls(mean=share, variance=share * (1 - share))


class Design(NamedTuple):
    """What arms of a given size can find out.

    effect: the smallest true change per guest that is found with the chance `power`; relative: the same as part of the mean.
    treated, control: units in each arm (guests, or clusters); guests: all guests together.
    """

    effect: float
    relative: float
    treated: int
    control: int
    guests: int
    power: float
    alpha: float

    @property
    def sentence(self) -> Sentence:
        return Sentence(
            "design_can_see", control=self.control, treated=self.treated, effect=self.effect, power_share=self.power
        )

    def words(self, voice: Voice | None = None) -> str:
        """The same in words; a voice with a currency reads the amount as money."""
        return (voice or Voice()).say(self.sentence)


def power_of(
    effect: float,
    noise: Noise | float,
    *,
    treated: float,
    control: float,
    alpha: float = 0.05,
    offers: int = 1,
    anytime: bool | float = False,
) -> float:
    """The chance that arms of these sizes find a true change, two-sided, by the noncentral t distribution.

    noise: of one unit, or its variance. treated: units that get this offer. offers: arms held against the same control.

    >>> round(power_of(0.5, 1.0, treated=64, control=64), 3)
    0.801
    """
    variance = noise.variance if isinstance(noise, Noise) else float(noise)
    if min(treated, control) < 2:
        raise DesignError(f"arms of {treated} and {control} cannot find out anything; give each at least 2")
    error = math.sqrt(variance / treated + variance / control)
    freedom = treated + control - 2
    shared = (variance / control) / (variance / treated + variance / control)
    level = Promise(alpha=alpha, control_shares=(shared,) * offers, anytime=anytime).level(treated + control)
    beyond = stats.t.isf(level / 2, freedom)
    shift = abs(effect) / error
    return 1.0 if shift > 30 else float(stats.nct.sf(beyond, freedom, shift) + stats.nct.cdf(-beyond, freedom, shift))


def minimum_detectable_effect(
    noise: Noise | float,
    *,
    treated: int,
    control: int,
    power: float = 0.8,
    alpha: float = 0.05,
    offers: int = 1,
    anytime: bool | float = False,
) -> Design:
    """The smallest true change that arms of these sizes find with the chance `power`.

    noise: of one unit, or its variance. treated, control: units in the offer's arm and in the control.

    Raises DesignError for arms below two units, ValueError unless alpha < power < 1.

    >>> print(minimum_detectable_effect(Noise(mean=20.0, variance=900.0), treated=2_217, control=247).words())
    A holdout of 247 against 2,217 can see a change of 5.64 per guest (80% of the time); smaller ones will look like noise.
    """
    known = _checked(noise, power, alpha)
    if min(treated, control) < 2:
        raise DesignError(f"arms of {treated:,} and {control:,} cannot find out anything; give each at least 2")

    def short(effect: float) -> float:
        return (
            power_of(effect, known, treated=treated, control=control, alpha=alpha, offers=offers, anytime=anytime)
            - power
        )

    error = math.sqrt(known.variance / treated + known.variance / control)
    farthest = _grow_until(lambda effect: short(effect) > 0, 4 * error)
    effect = float(optimize.brentq(short, 0.0, farthest, xtol=1e-12 * error, rtol=1e-13))
    return _design(effect, known, treated, control, power, alpha)


def needed_size(
    effect: float,
    noise: Noise | float,
    *,
    control_share: float = 0.5,
    power: float = 0.8,
    alpha: float = 0.05,
    offers: int = 1,
    anytime: bool | float = False,
) -> Design:
    """How many units have to be assigned so that a true change of `effect` is found with the chance `power`.

    noise: of one unit, or its variance. control_share: the control's part of control and one offer together.
    The answer's arms are rounded up; `treated` is the arm of one offer.

    Raises ValueError unless effect is not 0, 0 < control_share < 1 and alpha < power < 1.

    >>> needed_size(0.5, 1.0).treated
    64
    """
    known = _checked(noise, power, alpha)
    if effect == 0 or not 0 < control_share < 1:
        raise ValueError(f"effect must not be 0 and control_share between 0 and 1, got {effect} and {control_share}")

    def short(units: float) -> float:
        arms = {"treated": units * (1 - control_share), "control": units * control_share}
        return power_of(effect, known, **arms, alpha=alpha, offers=offers, anytime=anytime) - power

    least = 2 / min(control_share, 1 - control_share)
    if short(least) >= 0:
        units = least
    else:
        units = float(optimize.brentq(short, least, _grow_until(lambda size: short(size) > 0, 2 * least), rtol=1e-12))
    treated, control = (math.ceil(units * part - 1e-9) for part in (1 - control_share, control_share))
    return _design(abs(effect), known, treated, control, power, alpha)


def _checked(noise: Noise | float, power: float, alpha: float) -> Noise:
    if not 0 < alpha < power < 1:
        raise ValueError(f"power must lie between alpha ({alpha}) and 1, got {power}")
    known = noise if isinstance(noise, Noise) else Noise(mean=math.nan, variance=float(noise))
    if not known.variance > 0:
        raise DesignError("the past outcome is the same for every guest; take an earlier window in which somebody came")
    return known


def _design(effect: float, noise: Noise, treated: int, control: int, power: float, alpha: float) -> Design:
    return Design(
        effect=effect,
        relative=effect / noise.mean if noise.mean > 0 else math.nan,
        treated=treated,
        control=control,
        guests=round((treated + control) * noise.guests_per_unit),
        power=power,
        alpha=alpha,
    )


def _grow_until(is_enough: Callable[[float], bool], start: float) -> float:
    """The first doubling of start that is enough."""
    while not is_enough(start):
        start *= 2
    return start
