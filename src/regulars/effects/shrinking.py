"""Shrinking: noisy figures of the same kind, drawn towards each other as far as the data ask."""

import numpy as np

from regulars.effects.arrays import FloatArray


def shrink(estimate: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and variance of effects that vary normally around a common one, as far as the data say.

    estimate, error: (groups,) with standard errors, infinite where a group has no say; at least one is finite.
    Gelman et al. (2013), section 5.4: flat priors on the common effect and on the spread, summed over a grid of spreads.
    """
    precise = np.isfinite(error)
    error = np.maximum(error, np.finfo(np.float64).eps * max(np.abs(estimate).max(), 1.0))
    widest = 2 * np.ptp(estimate[precise]) + 4 * error[precise].min()
    spread = np.linspace(0, widest, 101)[:, None]
    weight = np.where(precise, 1 / (error**2 + spread**2), 0.0)
    common_variance = 1 / weight.sum(axis=1, keepdims=True)
    common = common_variance * (weight * estimate).sum(axis=1, keepdims=True)
    log_weight = np.log(weight, out=np.zeros_like(weight), where=precise)
    log_posterior = 0.5 * (np.log(common_variance[:, 0]) + (log_weight - weight * (estimate - common) ** 2).sum(axis=1))
    posterior = np.exp(log_posterior - log_posterior.max())[:, None]
    posterior /= posterior.sum()
    trust = np.where(precise, spread**2 / (error**2 + spread**2), 0.0)
    mean = common + trust * (estimate - common)
    within = (1 - trust) * spread**2 + (1 - trust) ** 2 * common_variance
    overall = (posterior * mean).sum(axis=0)
    return overall, (posterior * (within + (mean - overall) ** 2)).sum(axis=0)
