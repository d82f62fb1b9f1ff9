"""The referee: design before a campaign, judgement after it.

    assignment    who is treated and who is kept without
    power         what arms of a size can find out
    ratio_check   do the arms have the sizes they were given
    balance       were the arms alike before
    compare       what each offer changed, with its interval
    lift          the answer and its sentence
    quantiles     the same for the middle or the top of the bills
    exposures     was the campaign run as it was drawn, and is it over
    off_policy    what another plan would have brought
    decomposition how the spend splits, and what to do next
    statement     that answer, and its words

Below them: moments (all that is ever read of the rows), metrics (what is compared), adjustment (what the past explains),
contrasts (two arms), levels (several offers, daily looks), multiplicity (contrasts at their level), whales (one guest who
decides). Nothing here knows a model or a budget.
"""

from regulars.measurement.assignment import Assignment, assign, global_holdout
from regulars.measurement.balance import Balance, balance_check
from regulars.measurement.compare import compare, compare_moments, measure, winsor_cap
from regulars.measurement.decomposition import statement_of, statement_of_moments
from regulars.measurement.exposures import check_shares_steady, check_windows_over
from regulars.measurement.lift import Lift
from regulars.measurement.metrics import Average, Metric
from regulars.measurement.moments import Moments, Needs, moments_by_arm, read_moments
from regulars.measurement.off_policy import PolicyDifference, PolicyValue, policy_difference, policy_value
from regulars.measurement.power import Design, Noise, minimum_detectable_effect, needed_size, power_of
from regulars.measurement.quantiles import compare_quantile
from regulars.measurement.ratio_check import SampleRatio, sample_ratio_check
from regulars.measurement.statement import Part, Return, Statement

__all__ = [
    "Assignment",
    "Average",
    "Balance",
    "Design",
    "Lift",
    "Metric",
    "Moments",
    "Needs",
    "Noise",
    "Part",
    "PolicyDifference",
    "PolicyValue",
    "Return",
    "SampleRatio",
    "Statement",
    "assign",
    "balance_check",
    "check_shares_steady",
    "check_windows_over",
    "compare",
    "compare_moments",
    "compare_quantile",
    "global_holdout",
    "measure",
    "minimum_detectable_effect",
    "moments_by_arm",
    "needed_size",
    "policy_difference",
    "policy_value",
    "power_of",
    "read_moments",
    "sample_ratio_check",
    "statement_of",
    "statement_of_moments",
    "winsor_cap",
]
