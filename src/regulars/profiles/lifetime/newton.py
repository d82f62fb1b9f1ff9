"""Maximum likelihood in few positive parameters: Newton's method on their logarithms, and what the data cannot tell."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regulars.errors import FitError

FloatArray = NDArray[np.float64]

_STEPS, _HALVINGS, _LONGEST_STEP = 100, 30, 2.0
_FARTHEST = np.log(1e7)
_FLATTEST = 1e-7
_CONVERGED = 1e-14


class Derivatives(NamedTuple):
    """A log-likelihood with its gradient, shape (k,), and Hessian, shape (k, k), in the parameters themselves."""

    value: float
    gradient: FloatArray
    hessian: FloatArray


class Optimum(NamedTuple):
    """Estimates, shape (k,), their covariance from the observed information, shape (k, k), and the log-likelihood."""

    parameters: FloatArray
    covariance: FloatArray
    log_likelihood: float


def maximise(
    derivatives: Callable[[FloatArray], Derivatives], start: Sequence[float], names: Sequence[str], weight: float
) -> Optimum:
    """The maximum of a log-likelihood over positive parameters.

    Directions of wrong curvature are turned around (a saddle-free step), so that a start far away is no trouble.
    start: first values, of the right order of magnitude. weight: the number of observations.
    Raises FitError with the parameters that the data do not identify, where the likelihood goes on rising or is flat.
    """
    logs = np.log(np.asarray(start, dtype=np.float64))
    origin = logs.copy()
    here = _in_logs(derivatives, logs)
    for _ in range(_STEPS):
        step = _step(here)
        if step @ here.gradient < _CONVERGED * weight:
            break
        logs, here = _climb(derivatives, logs, here, step)
        if np.any(np.abs(logs - origin) > _FARTHEST):
            raise _unidentified(names, np.abs(logs - origin) > _FARTHEST, "the likelihood goes on rising with")
    curvature, axes = np.linalg.eigh(-here.hessian)
    if curvature[0] < _FLATTEST * weight:
        raise _unidentified(names, np.abs(axes[:, 0]) > 0.3, "the likelihood is flat in")
    values = np.exp(logs)
    covariance = np.linalg.inv(-here.hessian) * np.outer(values, values)
    return Optimum(values, covariance, float(here.value))


def _in_logs(derivatives: Callable[[FloatArray], Derivatives], logs: FloatArray) -> Derivatives:
    """The chain rule from a parameter to its logarithm."""
    values = np.exp(logs)
    value, gradient, hessian = derivatives(values)
    scaled = gradient * values
    return Derivatives(value, scaled, hessian * np.outer(values, values) + np.diag(scaled))


def _step(here: Derivatives) -> FloatArray:
    curvature, axes = np.linalg.eigh(here.hessian)
    steep = np.maximum(np.abs(curvature), 1e-10 * np.abs(curvature).max() + 1e-300)
    step = np.asarray(axes @ ((axes.T @ here.gradient) / steep))
    return step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-300))


def _climb(
    derivatives: Callable[[FloatArray], Derivatives], logs: FloatArray, here: Derivatives, step: FloatArray
) -> tuple[FloatArray, Derivatives]:
    """The step, halved until it climbs; the same place if rounding leaves nothing to climb."""
    for _ in range(_HALVINGS):
        there = _in_logs(derivatives, logs + step)
        if there.value >= here.value:
            return logs + step, there
        step = step / 2
    return logs, here._replace(gradient=np.zeros_like(here.gradient))


def _unidentified(names: Sequence[str], which: NDArray[np.bool_], wrong: str) -> FitError:
    guilty = ", ".join(name for name, is_guilty in zip(names, which, strict=True) if is_guilty)
    return FitError(f"these data do not identify {guilty}: {wrong} it; fit on more guests or a longer period")
