"""Whether probabilities can be taken at their word elsewhere, and what would mend them.

Source: Van Calster et al. 2019, "Calibration: the Achilles heel of predictive analytics".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

EDGE = 1e-6
"""Probabilities nearer to 0 or 1 than this count as this: their logits are finite."""
STEPS = 50
"""Of Newton's method; a fit of two numbers takes fewer than ten."""
FLATTEST = 1e-9
"""Curvature below which the labels are separated by the probabilities: no slope exists."""
STEEPEST = 50.0
"""A slope beyond this is on its way to infinity, which separated classes lead to."""


@dataclass(frozen=True)
class Line:
    """``logit(observed) = intercept + slope · logit(predicted)``; 0 and 1 are perfect.

    Args:
        intercept: (R,), one a weighting; NaN where it does not exist.
        slope: (R,); below 1: probabilities are too extreme.
    """

    intercept: NDArray[np.float64]
    slope: NDArray[np.float64]


def shift_in_the_large(
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> float:
    """What has to be added to every logit for the mean probability to be the observed share.

    Args:
        truth: (N,), whether the case has the class.
        probability: (N,) that it has.
        weights: (N,), how often each case counts; None: once.

    Returns:
        0 is perfect; above it, probabilities are too low. NaN if all cases, or none, have it.
    """
    counted = np.ones(len(truth)) if weights is None else weights
    share = float(np.average(truth, weights=counted))
    if share in (0.0, 1.0):
        return float("nan")
    said = logit(np.clip(probability, EDGE, 1 - EDGE))

    def excess(shift: float) -> float:
        return float(np.average(expit(said + shift), weights=counted)) - share

    return float(brentq(excess, -60.0, 60.0))


def calibration_line(
    truth: NDArray[np.bool_], probability: NDArray[np.float64], weights: NDArray[np.float64]
) -> Line:
    """Logistic regression of the class on the logit, for many weightings at once.

    Args:
        truth: (N,), whether the case has the class.
        probability: (N,) that it has.
        weights: (R, N), how often each case counts.
    """
    x = logit(np.clip(probability, EDGE, 1 - EDGE))
    found = np.tile([0.0, 1.0], (len(weights), 1))
    alive = np.ones(len(weights), bool)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(STEPS):
            mean = expit(found[:, :1] + found[:, 1:] * x)
            error = weights * (truth - mean)
            spread = weights * mean * (1 - mean)
            a, b, c = spread.sum(axis=1), spread @ x, spread @ x**2
            slope_of = np.stack([error.sum(axis=1), error @ x], axis=1)
            determinant = a * c - b**2
            alive &= (a > FLATTEST) & (determinant > FLATTEST * np.maximum(a * c, FLATTEST))
            step = np.stack(
                [c * slope_of[:, 0] - b * slope_of[:, 1], a * slope_of[:, 1] - b * slope_of[:, 0]],
                axis=1,
            )
            step = np.where(alive[:, None], step / determinant[:, None], 0.0)
            # Newton's whole step may overshoot where probabilities are extreme.
            found = (
                found
                + step * np.minimum(1.0, 4.0 / np.maximum(np.abs(step).max(axis=1), 4.0))[:, None]
            )
            if np.abs(step).max() < 1e-10:
                break
    alive &= np.abs(found).max(axis=1) < STEEPEST
    found = np.where(alive[:, None], found, np.nan)
    return Line(found[:, 0], found[:, 1])


def shifted(probability: NDArray[np.float64], shift: float) -> NDArray[np.float64]:
    """Probabilities with the shift added to their logits."""
    return np.asarray(expit(logit(np.clip(probability, EDGE, 1 - EDGE)) + shift), np.float64)
