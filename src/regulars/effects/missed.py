"""Missed: how far predicted effects are from the true ones, which nobody ever sees."""

import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray, IntArray, as_codes, cluster_totals
from regulars.effects.boosting import Pace
from regulars.effects.pooling import find_groups
from regulars.effects.study import Study

NEIGHBOURHOODS = 16
"""Guests are compared within so many groups to see what a model missed."""
USUAL = 0.05
"""Before any data: effects differ between guests by a twentieth of what one guest brings strays by chance."""
DOUBT = 0.9
"""Taken is what is missed at most, with this probability: whoever looks in groups does not see all of it."""


def missed_share(study: Study, held_out: FloatArray, dispersion: FloatArray, offer: int) -> float:
    """The standard deviation of what held-out predictions (n, k) miss of an effect, as a share of each guest's dispersion (n,).

    What the data say of its square (`_squared_share`) is weighed against a half-normal prior of scale USUAL: a few thousand
    rows cannot tell small differences from none, and then the prior speaks.
    """
    found, error = _squared_share(study, held_out, dispersion, offer)
    most = max(5 * USUAL, 3 * np.sqrt(max(found, 0.0) + 3 * error))
    share = np.linspace(0, most, 401)
    misfit = (share**2 - found) / error if error > 0 else np.zeros_like(share)
    log_posterior = -0.5 * (misfit**2 + (share / USUAL) ** 2)
    below = np.cumsum(np.exp(log_posterior - log_posterior.max()))
    return float(share[np.searchsorted(below, DOUBT * below[-1])])


def _squared_share(study: Study, held_out: FloatArray, dispersion: FloatArray, offer: int) -> tuple[float, float]:
    """Mean squared error of predictions in squared dispersions, unbiased, and the error of that figure.

    Two different guests who are alike have scores with independent noise, so the product of their residuals is the
    squared error they share. Who is alike is said by a tree drawn on the residuals of one half of the guests, and the
    products are taken in the other half.
    """
    residual = (study.scores.value[:, offer] - held_out[:, offer]) / dispersion
    usable = study.scores.has_overlap[:, offer]
    guests = int(study.trial.cluster.max()) + 1
    half = np.random.default_rng([study.seed, offer]).permutation(guests)[study.trial.cluster] < guests // 2
    found = [_shared_error(study, residual, usable & divides, usable & ~divides) for divides in (half, ~half)]
    return float(np.mean([error for error, _ in found])), float(np.sqrt(sum(variance for _, variance in found)) / 2)


def _shared_error(study: Study, residual: FloatArray, divides: BoolArray, says: BoolArray) -> tuple[float, float]:
    """Squared error shared by guests who are alike, and the variance of that figure."""
    fewest = max(20, int(divides.sum()) // (4 * NEIGHBOURHOODS))
    tree = study.bins.fit(divides, residual, Pace.one_tree(leaves=NEIGHBOURHOODS, leaf_rows=fewest))
    leaf = find_groups(tree, study.trial.matrix[says])
    cluster, error, variance = study.trial.cluster[says], 0.0, 0.0
    for group in range(NEIGHBOURHOODS):
        rows = leaf == group
        if not rows.any():
            continue
        share = rows.mean()
        product, doubt = _product_between_guests(residual[says][rows], cluster[rows])
        error += share * product
        variance += share**2 * doubt
    return error, variance


def _product_between_guests(residual: FloatArray, cluster: IntArray) -> tuple[float, float]:
    """Mean product of residuals of two different guests, and its variance if the residuals are but noise."""
    totals = cluster_totals(np.column_stack([residual, np.ones(len(residual))]), as_codes(cluster))
    squares = (totals**2).sum(axis=0)
    products, pairs = totals.sum(axis=0) ** 2 - squares
    return (float(products / pairs), float(2 * (squares[0] / pairs) ** 2)) if pairs else (0.0, 0.0)
