"""Features of the neighbouring grey tone difference matrix.

Source: Amadasun & King 1989; definitions and edge cases as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

NAMES = ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength")

COARSEST = 1e6
"""Coarseness of a region whose voxels all equal their neighbours' mean."""


@compiled
def ngtdm_features(
    counts: NDArray[Any], difference: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """All features in the order of `NAMES`, (5,).

    Args:
        counts: Voxels of each code, (C + 1,); code 0 is ignored.
        difference: Sum of |level − mean level of the neighbours| over each code's voxels, (C + 1,).
        levels: Grey level of each code, in any order, (C + 1,).
    """
    total = 0.0
    all_differences = 0.0
    occurring = 0
    weighted = 0.0
    for i in range(1, counts.size):
        total += counts[i]
    for i in range(1, counts.size):
        if counts[i] > 0:
            occurring += 1
            all_differences += difference[i]
            weighted += counts[i] / total * difference[i]
    contrast, product, complexity, strength = 0.0, 0.0, 0.0, 0.0
    for i in range(1, counts.size):
        if counts[i] == 0:
            continue
        p = counts[i] / total
        for j in range(i + 1, counts.size):
            if counts[j] == 0:
                continue
            q = counts[j] / total
            away = abs(levels[j] - levels[i])
            contrast += 2 * p * q * away * away
            product += 2 * abs(levels[i] * p - levels[j] * q)
            complexity += 2 * away * (p * difference[i] + q * difference[j]) / (p + q)
            strength += 2 * (p + q) * away * away
    features = np.zeros(5)
    features[0] = weighted / product if product != 0 else 0.0
    features[1] = 1 / weighted if weighted != 0 else COARSEST
    features[2] = complexity / total
    if occurring > 1:
        features[3] = contrast * all_differences / total / (occurring * (occurring - 1))
    features[4] = strength / all_differences if all_differences != 0 else 0.0
    return features
