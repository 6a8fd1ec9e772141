"""How well repeated measurements of the same cases agree: intraclass correlation, by feature.

Source: Shrout & Fleiss 1979, Psychological Bulletin 86(2); McGraw & Wong 1996, Psychological
Methods 1(1), whose intervals are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from rdfc_core.errors import DataError

Kind = Literal["1,1", "2,1", "3,1"]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Intraclass correlations of F features, each NaN where a feature is constant or missing.

    Args:
        icc: The estimates, (F,).
        low: Lower ends of the intervals, (F,).
        high: Upper ends, (F,).
    """

    icc: Values
    low: Values
    high: Values


def intraclass_correlation(
    measured: NDArray[Any], kind: Kind = "3,1", confidence: float = 0.95
) -> Reliability:
    """Intraclass correlation of single measurements, of all features at once.

    Args:
        measured: (N, K, F): N cases, each measured K times (a test and its retest, or the
            perturbations of its mask), in F features. A feature that any measurement lacks (NaN)
            has no correlation.
        kind: ``1,1``: measurements of a case have no order; ``2,1``: absolute agreement of the
            same K ways of measuring, drawn from more; ``3,1``: consistency of these K ways alone.
        confidence: Of the intervals.

    Raises:
        DataError: If there are fewer than two cases or two measurements.
    """
    values = np.asarray(measured, np.float64)
    if values.ndim != 3 or values.shape[0] < 2 or values.shape[1] < 2:
        raise DataError(
            f"The measurements have shape {values.shape}. Give (cases, repetitions, features), two "
            "cases and two repetitions at least."
        )
    if kind not in ("1,1", "2,1", "3,1"):
        raise DataError(f"There is no intraclass correlation {kind!r}. Choose 1,1, 2,1 or 3,1.")
    between = _mean_squares(values)
    tail = (1 + confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "1,1":
            found = _of_one_way(*between, values.shape[0], values.shape[1], tail)
        elif kind == "2,1":
            found = _of_agreement(*between, values.shape[0], values.shape[1], tail)
        else:
            found = _of_consistency(*between, values.shape[0], values.shape[1], tail)
    # Rounding alone makes the cases of a constant feature differ.
    scale = np.abs(values).max(axis=(0, 1))
    constant = np.ptp(values, axis=(0, 1)) <= 1e-12 * scale
    return Reliability(*(np.where(constant, np.nan, one) for one in found))


def _mean_squares(values: Values) -> tuple[Values, Values, Values, Values]:
    """Of cases, of ways of measuring, of what is left, and within cases, (F,) each."""
    n, k, _ = values.shape
    cases, ways = values.mean(axis=1), values.mean(axis=0)
    mean = cases.mean(axis=0)
    of_cases = k * ((cases - mean) ** 2).sum(axis=0)
    of_ways = n * ((ways - mean) ** 2).sum(axis=0)
    within = ((values - cases[:, None]) ** 2).sum(axis=(0, 1))
    left = ((values - cases[:, None] - ways[None] + mean) ** 2).sum(axis=(0, 1))
    return (
        of_cases / (n - 1),
        of_ways / (k - 1),
        left / ((n - 1) * (k - 1)),
        within / (n * (k - 1)),
    )


def _of_one_way(
    cases: Values, _ways: Values, _left: Values, within: Values, n: int, k: int, tail: float
) -> tuple[Values, Values, Values]:
    ratio = cases / within
    low = ratio / stats.f.ppf(tail, n - 1, n * (k - 1))
    high = ratio * stats.f.ppf(tail, n * (k - 1), n - 1)
    return _from_ratio(ratio, k), _from_ratio(low, k), _from_ratio(high, k)


def _of_consistency(
    cases: Values, _ways: Values, left: Values, _within: Values, n: int, k: int, tail: float
) -> tuple[Values, Values, Values]:
    ratio = cases / left
    low = ratio / stats.f.ppf(tail, n - 1, (n - 1) * (k - 1))
    high = ratio * stats.f.ppf(tail, (n - 1) * (k - 1), n - 1)
    return _from_ratio(ratio, k), _from_ratio(low, k), _from_ratio(high, k)


def _of_agreement(
    cases: Values, ways: Values, left: Values, _within: Values, n: int, k: int, tail: float
) -> tuple[Values, Values, Values]:
    icc = (cases - left) / (cases + (k - 1) * left + k * (ways - left) / n)
    # Satterthwaite's degrees of freedom of what the cases are compared with.
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    freedom = (a * ways + b * left) ** 2 / (
        (a * ways) ** 2 / (k - 1) + (b * left) ** 2 / ((n - 1) * (k - 1))
    )
    lower, upper = stats.f.ppf(tail, n - 1, freedom), stats.f.ppf(tail, freedom, n - 1)
    noise = k * ways + (k * n - k - n) * left
    low = n * (cases - lower * left) / (lower * noise + n * cases)
    high = n * (upper * cases - left) / (noise + n * upper * cases)
    perfect = (left == 0) & (ways == 0) & (cases > 0)
    return icc, np.where(perfect, 1.0, low), np.where(perfect, 1.0, high)


def _from_ratio(ratio: Values, k: int) -> Values:
    """The correlation of a ratio of mean squares; 1 where nothing varies within cases."""
    return np.where(np.isposinf(ratio), 1.0, (ratio - 1) / (ratio + k - 1))
