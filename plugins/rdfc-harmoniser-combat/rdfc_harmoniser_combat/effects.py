"""Location and scale of a batch, by empirical Bayes.

Source: Johnson, Li and Rabinovic 2007, Biostatistics 8(1), section 3; of images,
Fortin et al. 2017.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-8
"""Relative change of all locations and scales at which the iteration ends."""

MOST_STEPS = 1000


@dataclass(frozen=True)
class BatchEffect:
    """What a batch adds to standardised features.

    Args:
        location: (F,) gamma, in standard deviations.
        scale: (F,) the square root of delta squared.
    """

    location: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def none(cls, features: int) -> BatchEffect:
        """Of a batch that adds nothing."""
        return cls(np.zeros(features), np.ones(features))


def effect_of(
    standard: NDArray[np.float64],
    usable: NDArray[np.bool_],
    empirical_bayes: bool,
    mean_only: bool,
) -> BatchEffect:
    """Location and scale of the cases of one batch.

    Features of which the batch has no value have no effect; those of one value have a scale of 1.

    Args:
        standard: (n, F) features of the batch's cases, standardised by all cases; NaN is missing.
        usable: (F,) features that vary at all.
        empirical_bayes: Draw each feature's towards those of the others.
        mean_only: Leave the scale at 1.

    Raises:
        ArithmeticError: If the iteration does not come to rest.
    """
    count = (~np.isnan(standard)).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a feature that the batch lacks
        mean = np.nan_to_num(np.nanmean(standard, axis=0))
        variance = np.nanvar(standard, axis=0, ddof=1)
    there = usable & (count > 0)
    spread = np.zeros_like(there) if mean_only else there & (count > 1)
    location, squared = np.where(there, mean, 0.0), np.where(spread, variance, 1.0)
    if empirical_bayes and mean_only:
        prior, width = _prior_of_location(location[there])
        location[there] = _location(mean[there], prior, np.ones(there.sum()), np.ones(1), width)
    elif empirical_bayes:
        location[spread], squared[spread] = _shrunk(
            standard[:, spread], mean[spread], variance[spread]
        )
    return BatchEffect(location, np.sqrt(np.where(squared > 0, squared, 1.0)))


def _prior_of_location(mean: NDArray[np.float64]) -> tuple[float, float]:
    return float(mean.mean()), float(mean.var(ddof=1))


def _location(
    mean: NDArray[np.float64],
    prior: float,
    count: NDArray[np.float64],
    squared: NDArray[np.float64],
    width: float,
) -> NDArray[np.float64]:
    """The expected location, given the scale."""
    return (width * count * mean + squared * prior) / (width * count + squared)


def _shrunk(
    standard: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Location and squared scale that are each the expected one given the other."""
    count = (~np.isnan(standard)).sum(axis=0).astype(float)
    prior, width = _prior_of_location(mean)
    middle, spread = float(variance.mean()), float(variance.var(ddof=1))
    if spread <= 1e-24 * middle**2:  # features that all vary alike: nothing to weigh
        squared = np.full_like(variance, middle)
        return _location(mean, prior, count, squared, width), squared
    shape = (2 * spread + middle**2) / spread
    rate = (middle * spread + middle**3) / spread
    location, squared = mean, variance
    for _ in range(MOST_STEPS):
        new = _location(mean, prior, count, squared, width)
        distance = np.nansum((standard - new) ** 2, axis=0)
        scale = (0.5 * distance + rate) / (count / 2 + shape - 1)
        change = max(_relative(new, location), _relative(scale, squared))
        location, squared = new, scale
        if change < TOLERANCE:
            return location, squared
    raise ArithmeticError(f"{MOST_STEPS} steps")


def _relative(new: NDArray[np.float64], old: NDArray[np.float64]) -> float:
    return float((np.abs(new - old) / np.maximum(np.abs(old), 1e-3)).max())
