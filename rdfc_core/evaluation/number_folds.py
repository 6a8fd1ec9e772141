"""Folds inside the training part where labels are numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.calibration import Fold

FEWEST = 4
"""Patients; of fewer, one training case would speak of another."""
STRATA = 3


def number_folds(
    truth: NDArray[np.float64], patients: Sequence[str], folds: int, seed: int
) -> list[Fold]:
    """Folds by patient, stratified by quantiles as far as patients allow; none of a few patients.

    Folds whose training part does not vary are left out.

    Args:
        truth: (N,) numbers.
        patients: Their patients.
        folds: Number of folds, if there are patients enough.
        seed: Decides the folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    names, owner = np.unique(list(patients), return_inverse=True)
    if len(names) < FEWEST:
        return []
    count = min(folds, len(names))
    means = np.bincount(owner, truth) / np.bincount(owner)
    strata = max(1, min(STRATA, len(names) // count))
    stratum = np.empty(len(names), np.int64)
    for number, part in enumerate(np.array_split(np.argsort(means, kind="stable"), strata)):
        stratum[part] = number
    cut = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    found = cut.split(truth, stratum[owner], owner)
    return [(a, b) for a, b in found if len(b) and len(np.unique(truth[a])) > 1]
