"""The maximal correlation coefficient of a grey level co-occurrence matrix.

Source: Haralick et al. 1973; definition and edge cases as PyRadiomics 3.0.1 documents them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import EPSILON


def maximal_correlation(counts: NDArray[Any], symmetrical: bool) -> NDArray[np.float64]:
    """The maximal correlation coefficient of each direction, (D,).

    The second largest singular value of p(i, j) / √(p(i) p(j)).
    """
    scaled, totals = _scaled(counts, symmetrical)
    if scaled.shape[1] < 2:
        return np.where(totals > 0, 0.0, np.nan)
    if symmetrical:  # singular values are the sizes of the eigenvalues
        values = np.linalg.eigvalsh(scaled)  # ascending
        second = np.maximum(np.abs(values[:, 0]), np.abs(values[:, -2]))
    else:
        second = np.linalg.svd(scaled, compute_uv=False)[:, 1]
    return np.where(totals > 0, np.minimum(second, 1.0), np.nan)


@compiled
def _scaled(
    counts: NDArray[Any], symmetrical: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """p(i, j) / √(p(i) p(j)) of the levels that occur, (D, M, M), and all counts, (D,)."""
    ways, size, _ = counts.shape
    occurs = np.zeros(size, np.bool_)
    for way in range(ways):
        for i in range(size):
            for j in range(size):
                if counts[way, i, j] != 0:
                    occurs[i] = occurs[j] = True
    levels = np.flatnonzero(occurs)
    scaled = np.zeros((ways, levels.size, levels.size))
    totals = np.zeros(ways)
    first = np.empty(levels.size)
    second = np.empty(levels.size)
    for way in range(ways):
        first[:] = 0
        second[:] = 0
        cells = scaled[way]
        for a in range(levels.size):
            for b in range(levels.size):
                count = float(counts[way, levels[a], levels[b]])
                if symmetrical:
                    count += counts[way, levels[b], levels[a]]
                cells[a, b] = count
                first[a] += count
                second[b] += count
        total = first.sum()
        totals[way] = total
        for a in range(levels.size):
            for b in range(levels.size):
                if cells[a, b] != 0:
                    product = first[a] / total * (second[b] / total)
                    cells[a, b] = cells[a, b] / total / np.sqrt(product + EPSILON)
    return scaled, totals
