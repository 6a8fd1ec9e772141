"""Scores of class probabilities and of numbers, computed for many weightings of the cases at once.

A bootstrap resample is a weighting: a patient drawn twice counts twice. Computing all resamples as
one product is what makes a thousand of them affordable.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.number_metrics import NUMBER_SCORES
from rdfc_core.results.vocabulary import ACCURACY, AUROC, BALANCED_ACCURACY, BRIER, ECE, F1_WEIGHTED

ECE_BINS = 10


def scores(
    truth: NDArray[np.int64] | NDArray[np.float64],
    said: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Every metric of what was predicted, for every weighting.

    Args:
        truth: (N,) class indices, or numbers.
        said: (N, C) probabilities, rows sum to 1; or (N,) numbers.
        weights: (R, N), one weighting a row; None weighs all cases alike (R = 1).

    Returns:
        Metric → (R,): those of `rdfc_core.evaluation.number_metrics` for numbers, and of classes
        those of `rdfc_core.results.vocabulary.METRICS`.
    """
    if weights is None:
        weights = np.ones((1, len(truth)))
    if said.ndim == 1:
        return {name: one.values(truth, said, weights) for name, one in NUMBER_SCORES.items()}
    return _class_scores(truth.astype(np.int64, copy=False), said, weights)


def _class_scores(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Every metric of classes.

    Args:
        truth: (N,) class indices.
        probabilities: (N, C).
        weights: (R, N).

    Returns:
        Metric → (R,), between 0 and 1; NaN where a weighting leaves it undefined, as AUROC without
        cases of one class. Several classes: AUROC is the mean of one-versus-rest. ``brier`` is
        half the summed squared error of the probabilities (for two classes the squared error of
        the second), 0 is perfect. ``ece`` is the expected calibration error: the difference of
        the predicted class' probability and how often it is right, over ten bins of equal width; 0
        is perfect, and on few cases even perfect probabilities stay above it. Of all others 1 is
        perfect.

    Source of ``ece``: Guo et al. 2017, Eq. 3.
    """
    cases, classes = probabilities.shape
    predicted = probabilities.argmax(axis=1)
    cells = np.zeros((cases, classes * classes))
    cells[np.arange(cases), truth * classes + predicted] = 1
    confusion = (weights @ cells).reshape(-1, classes, classes)
    hits = np.einsum("rcc->rc", confusion)
    support, claimed = confusion.sum(axis=2), confusion.sum(axis=1)
    total = support.sum(axis=1)
    squares = ((probabilities - np.eye(classes)[truth]) ** 2).sum(axis=1) / 2
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        # A weighting without a class: its recall is undefined and left out of the mean.
        warnings.simplefilter("ignore", RuntimeWarning)
        f1 = np.where(support + claimed > 0, 2 * hits / (support + claimed), 0.0)
        return {
            F1_WEIGHTED: (f1 * support).sum(axis=1) / total,
            ACCURACY: hits.sum(axis=1) / total,
            BALANCED_ACCURACY: np.nanmean(hits / support, axis=1),
            AUROC: _auroc(truth, probabilities, weights),
            BRIER: weights @ squares / total,
            ECE: _calibration_error(predicted == truth, probabilities.max(axis=1), weights),
        }


def _calibration_error(
    right: NDArray[np.bool_], confidence: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    bins = np.clip(np.ceil(confidence * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    gaps = np.zeros((len(right), ECE_BINS))
    gaps[np.arange(len(right)), bins] = confidence - right
    return np.asarray(np.abs(weights @ gaps).sum(axis=1) / weights.sum(axis=1))


def _auroc(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    classes = probabilities.shape[1]
    if classes == 2:
        return auroc(truth == 1, probabilities[:, 1], weights)
    one_vs_rest = [auroc(truth == c, probabilities[:, c], weights) for c in range(classes)]
    return np.asarray(np.mean(one_vs_rest, axis=0))


def auroc(
    positive: NDArray[np.bool_], score: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted chance that a positive case scores above a negative one; ties count half."""
    # Sums over equal scores. A matrix of cases by scores would do, at 128 MB for 4,000 cases.
    order = np.argsort(score, kind="stable")
    firsts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    positive, weights = positive[order], weights[:, order]
    up = np.add.reduceat(weights * positive, firsts, axis=1)
    down = np.add.reduceat(weights * ~positive, firsts, axis=1)
    below = np.cumsum(down, axis=1) - down
    pairs = up.sum(axis=1) * down.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((up * (below + down / 2)).sum(axis=1) / pairs)
