"""The referee: design before a campaign, judgement after it.

    assignment    who is treated and who is kept without
    power         what arms of a size can find out
    ratio_check   do the arms have the sizes they were given
    compare       what each offer changed, with its interval
    lift          the answer and its sentence

Below them: moments (all that is ever read of the rows), metrics (what is compared), adjustment (what the past explains),
contrasts (two arms) and levels (several offers, daily looks). Nothing here knows a model or a budget.
"""

from regulars.measurement.assignment import Assignment, assign, global_holdout
from regulars.measurement.compare import compare, compare_moments, measure, winsor_cap
from regulars.measurement.lift import Lift
from regulars.measurement.metrics import Average, Metric
from regulars.measurement.moments import Moments, Needs, moments_by_arm, read_moments
from regulars.measurement.power import Design, Noise, minimum_detectable_effect, needed_size, power_of
from regulars.measurement.ratio_check import SampleRatio, sample_ratio_check

__all__ = [
    "Assignment",
    "Average",
    "Design",
    "Lift",
    "Metric",
    "Moments",
    "Needs",
    "Noise",
    "SampleRatio",
    "assign",
    "compare",
    "compare_moments",
    "global_holdout",
    "measure",
    "minimum_detectable_effect",
    "moments_by_arm",
    "needed_size",
    "power_of",
    "read_moments",
    "sample_ratio_check",
    "winsor_cap",
]
