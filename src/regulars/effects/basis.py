"""The basis: may the logged draw be believed, and were the features known before it?"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, Self

from regulars.effects.balance import ratio_doubts, unlike_all
from regulars.effects.late import biasing_features, late_features, unmasked_features
from regulars.effects.leakage import repeats_outcome
from regulars.effects.study import Study
from regulars.effects.trial import Trial
from regulars.wording import Sentence

Basis = Literal["randomised", "adjusted"]

SEVERAL = 2
"""So many features, and half of all, must differ far beyond what the draw lets happen before it is doubted, and not they."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A trial with what it rests on.

    doubts: why logged propensities are not believed; then they are dropped.
    repeats, late, unmasked: features that were left out, because they hold the outcome, differ between the arms of a lottery by
        themselves, or do so given each other, so that one of them is late.
    """

    trial: Trial
    basis: Basis
    doubts: tuple[Sentence, ...] = ()
    repeats: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    unmasked: tuple[str, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        return self.repeats + self.late + self.unmasked

    @classmethod
    def of(cls, trial: Trial, *, is_dated: bool) -> Self:
        """Believe logged propensities if they agree with the rows, and features if they agree with the propensities.

        is_dated: features are known to be from before the exposure; where they differ it is the draw that is not as logged.
        """
        held = set() if is_dated else repeats_outcome(trial)
        repeats, trial = trial.names(held), trial.without(held)
        if trial.propensity is None:
            return cls(trial=trial, basis="adjusted", repeats=repeats)
        ground = cls(trial=trial, basis="randomised", repeats=repeats)
        believed = ground if is_dated else ground._without_late()
        if doubts := _draw_doubts(trial, is_dated=is_dated, differ=len(believed.late)):
            return replace(ground, trial=replace(trial, propensity=None), basis="adjusted", doubts=doubts)
        return believed

    def study(self, *, is_dated: bool, seed: int) -> tuple[Self, Study]:
        """The study of what is left, less features that move the adjusted effect of a lottery away from that of its draw."""
        ground, study, most = self, Study.of(self.trial, seed=seed), 1
        if is_dated or self.basis != "randomised":
            return ground, study
        while late := biasing_features(study.trial, study.nuisance, most):
            ground, most = ground._without(unmasked=late), 2 * most
            study = Study.of(ground.trial, seed=seed)
        return ground, study

    def _without_late(self) -> Self:
        ground = self
        while late := late_features(ground.trial):
            ground = ground._without(late=late)
        while unmasked := unmasked_features(ground.trial):
            ground = ground._without(unmasked=unmasked)
        return ground

    def _without(self, *, late: Collection[int] = (), unmasked: Collection[int] = ()) -> Self:
        names = self.trial.names
        return replace(
            self,
            trial=self.trial.without({*late, *unmasked}),
            late=self.late + names(late),
            unmasked=self.unmasked + names(unmasked),
        )


def _draw_doubts(trial: Trial, *, is_dated: bool, differ: int) -> tuple[Sentence, ...]:
    """Why the logged propensities are not believed: arms of a wrong size, or features that differ, if it is not they that are late.

    differ: how many features were found late.
    """
    if ratios := ratio_doubts(trial):
        return tuple(ratios.values())
    if not is_dated and not _are_most(differ, trial):
        return ()
    unlike = unlike_all(trial)
    if not is_dated and not _are_most(len({found.column for found in unlike}), trial):
        return ()
    worst = {found.arm: found for found in sorted(unlike, key=lambda found: found.beyond)}
    return tuple(found.sentence for found in worst.values())


def _are_most(features: int, trial: Trial) -> bool:
    return features >= SEVERAL and 2 * features >= len(trial.columns.names)
