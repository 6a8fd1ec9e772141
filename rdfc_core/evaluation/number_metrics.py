"""Metrics of predicted numbers, for many weightings of the cases at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rdfc_core.interfaces.metric import Metric
from rdfc_core.plugin.component import NoOptions
from rdfc_core.results.vocabulary import MAE, R2, RMSE, SPEARMAN

Numbers = NDArray[np.int64] | NDArray[np.float64]
Values = NDArray[np.float64]

ALIKE = 1e-12
"""Share of the mean square below which numbers do not vary: what is left is rounding."""


class _OfNumbers(Metric):
    """A metric of numbers, without options."""

    task = "regression"

    def __init__(self, config: NoOptions | None = None) -> None:
        pass


class MeanAbsoluteError(_OfNumbers):
    """Mean distance between predicted and true number, in the units of the label."""

    title = "MAE"
    higher_is_better = False
    bounds = (0.0, math.inf)

    def values(self, truth: Numbers, predictions: Values, weights: Values) -> Values:
        """(R,), NaN without cases."""
        return _mean(np.abs(predictions - truth), weights)


class RootMeanSquaredError(_OfNumbers):
    """Root of the mean squared distance, in the units of the label."""

    title = "RMSE"
    higher_is_better = False
    bounds = (0.0, math.inf)

    def values(self, truth: Numbers, predictions: Values, weights: Values) -> Values:
        """(R,), NaN without cases."""
        return np.sqrt(_mean(np.square(predictions - truth), weights))


class CoefficientOfDetermination(_OfNumbers):
    """R²: 1 less the squared error over that of the mean of the cases; 1 is perfect.

    0 says no more than the mean of the held-back cases, and below 0 are predictions worse than it.
    """

    title = "R²"
    bounds = (-math.inf, 1.0)

    def values(self, truth: Numbers, predictions: Values, weights: Values) -> Values:
        """(R,), NaN where the true numbers do not vary."""
        centred = truth - np.mean(truth)  # sums of squares of large numbers would lose digits
        spread = _mean(centred**2, weights) - _mean(centred, weights) ** 2
        varies = spread > ALIKE * _mean(np.square(np.asarray(truth, np.float64)), weights)
        error = _mean(np.square(predictions - truth), weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(varies, 1 - error / spread, np.nan)


class RankCorrelation(_OfNumbers):
    """Spearman's ρ: the correlation of the ranks, equal numbers at their mean rank."""

    title = "Spearman's ρ"
    bounds = (-1.0, 1.0)

    def values(self, truth: Numbers, predictions: Values, weights: Values) -> Values:
        """(R,), NaN where either side does not vary."""
        a, b = _ranks(np.asarray(truth, np.float64), weights), _ranks(predictions, weights)
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            # Of n rows, repeated ones counted, ranks have the mean (n + 1)/2.
            a, b = a - (total + 1) / 2, b - (total + 1) / 2
            covariance = (weights * a * b).sum(axis=1)
            spread = np.sqrt((weights * a**2).sum(axis=1) * (weights * b**2).sum(axis=1))
            found = np.where(spread > 0, covariance / spread, np.nan)
        return np.clip(found, -1, 1)


NUMBER_SCORES: dict[str, Metric] = {
    R2: CoefficientOfDetermination(),
    MAE: MeanAbsoluteError(),
    RMSE: RootMeanSquaredError(),
    SPEARMAN: RankCorrelation(),
}
"""What every regression is judged by, in the order of the results."""


def _mean(values: Values, weights: Values) -> Values:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weights @ values / weights.sum(axis=1))


def _ranks(values: Values, weights: Values) -> Values:
    """Mean ranks of each case among rows that repeat as the weights say, (R, N)."""
    distinct, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    firsts = np.searchsorted(place[order], np.arange(len(distinct)))
    alike = np.add.reduceat(weights[:, order], firsts, axis=1)  # rows of each distinct value
    below = np.cumsum(alike, axis=1) - alike
    return np.asarray((below + (alike + 1) / 2)[:, place])
