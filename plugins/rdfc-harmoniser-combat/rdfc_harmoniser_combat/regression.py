"""The linear model of ComBat: a level of each batch, and the effect of covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LinearFit:
    """Of each feature, by least squares.

    Args:
        level: (B, F) of each batch, NaN where no case of it has the feature.
        effects: (C, F) of the covariates.
        variance: (F,) of what is left.
    """

    level: NDArray[np.float64]
    effects: NDArray[np.float64]
    variance: NDArray[np.float64]


def fit_linear(
    values: NDArray[np.float64],
    batch: NDArray[np.int64],
    covariates: NDArray[np.float64],
    batches: int,
    reference: int | None,
) -> LinearFit:
    """Fit features that lack values on the cases that have them.

    Args:
        values: (N, F), NaN is missing.
        batch: (N,) number of each case's batch.
        covariates: (N, C).
        batches: B.
        reference: The batch whose cases alone the variance is of, or None: all.
    """
    width = values.shape[1]
    level = np.full((batches, width), np.nan)
    effects = np.zeros((covariates.shape[1], width))
    variance = np.zeros(width)
    members = batch[:, None] == np.arange(batches)
    for rows, features in _patterns(~np.isnan(values)):
        there = np.flatnonzero(members[rows].any(axis=0))
        if not len(there):
            continue
        design = np.hstack([members[rows][:, there].astype(float), covariates[rows]])
        known = values[np.ix_(rows, features)]
        # Features of 1e9 beside those of 1e-9 are each fitted on a scale of their own.
        found = np.linalg.lstsq(design, known, rcond=None)[0]
        level[np.ix_(there, features)] = found[: len(there)]
        effects[:, features] = found[len(there) :]
        left = known - design @ found
        of = np.ones(len(left), bool) if reference is None else batch[rows] == reference
        variance[features] = (left[of] ** 2).mean(axis=0) if of.any() else 0.0
    return LinearFit(level, effects, variance)


def confounded(batch: NDArray[np.int64], covariates: NDArray[np.float64], batches: int) -> bool:
    """Whether batches and covariates say partly the same, so that they cannot be told apart."""
    design = np.hstack([(batch[:, None] == np.arange(batches)).astype(float), covariates])
    spread = np.sqrt((design**2).sum(axis=0))
    scaled = design / np.where(spread > 0, spread, 1.0)
    return bool(np.linalg.matrix_rank(scaled) < design.shape[1])


def _patterns(
    there: NDArray[np.bool_],
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Cases and features of each pattern of missing values."""
    patterns, which = np.unique(there, axis=1, return_inverse=True)
    return [
        (np.flatnonzero(patterns[:, place]), np.flatnonzero(which.ravel() == place))
        for place in range(patterns.shape[1])
    ]
