"""Effects: what each offer changes in each guest, how sure that is, and what it costs."""

from regulars.effects.averages import AverageEffect
from regulars.effects.balance import Balance
from regulars.effects.fitting import fit
from regulars.effects.heterogeneity import Heterogeneity
from regulars.effects.model import EffectModel, Effects
from regulars.effects.race import Contender
from regulars.effects.reasons import Reason
from regulars.effects.scoring import score
from regulars.effects.validation import Validation, validate

__all__ = [
    "AverageEffect",
    "Balance",
    "Contender",
    "EffectModel",
    "Effects",
    "Heterogeneity",
    "Reason",
    "Validation",
    "fit",
    "score",
    "validate",
]
