"""Folds inside the training part: they choose options and calibrate, and see no test case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Places of the cases that train, and of those that are held back."""

STEEPEST = 10.0
"""Natural logarithm's worth of temperature to either side of 1 that is searched."""


def inner_folds(
    truth: NDArray[np.int64], patients: Sequence[str], folds: int, seed: int
) -> list[Fold]:
    """Stratified folds by patient; fewer where a class has fewer patients, none where it has one.

    Folds whose training part lacks a class that there is are left out.

    Args:
        truth: (N,) class indices.
        patients: Their patients.
        folds: Number of folds, if there are patients enough.
        seed: Decides the folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    present = np.unique(truth)
    of_class = [{p for p, one in zip(patients, truth, strict=True) if one == c} for c in present]
    count = min(folds, *map(len, of_class))
    if count < 2 or len(present) < 2:
        return []
    cut = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    found = cut.split(truth, truth, list(patients))
    return [(a, b) for a, b in found if len(np.unique(truth[a])) == len(present)]


def out_of_fold(
    learn: Callable[[NDArray[np.int64]], Callable[[NDArray[np.int64]], NDArray[np.float64]]],
    folds: Sequence[Fold],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What is said of each held-back case by what was trained without it.

    Args:
        learn: Trains on the places it is given; gives a function from places to numbers (n, C).
        folds: At least one.

    Returns:
        Places (M,), and what was said of them (M, C).
    """
    pieces = [(held, learn(train)(held)) for train, held in folds]
    return np.concatenate([p[0] for p in pieces]), np.concatenate([p[1] for p in pieces])


def temperature_of(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The temperature above 0 by which logits, divided, are most likely.

    A case's own class is expected with (n + 1)/(n + 2), for n cases of it, and not with certainty:
    a few cases that happen to be told apart without a mistake would ask for a temperature of 0.

    Args:
        logits: (N, C); log-probabilities are logits, too.
        truth: (N,) class indices; other classes than those that occur are left aside.

    Source: Guo et al. 2017, Sect. 4.2; expectations as in Platt 1999, Sect. 2.2.
    """
    present, place = np.unique(truth, return_inverse=True)
    if len(present) < 2:
        return 1.0
    counts = np.bincount(place)[place]
    own = (counts + 1) / (counts + 2)
    expected = np.repeat((1 - own)[:, None] / (len(present) - 1), len(present), axis=1)
    expected[np.arange(len(truth)), place] = own

    def surprise(log_temperature: float) -> float:
        said = log_softmax(logits[:, present] / np.exp(log_temperature), axis=1)
        return float(-(expected * said).sum(axis=1).mean())

    found = minimize_scalar(surprise, bounds=(-STEEPEST, STEEPEST), method="bounded")
    return float(np.exp(found.x))
