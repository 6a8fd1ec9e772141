"""What run lengths, zones and dependence have in common: a matrix by grey level and by size.

Sources: Galloway 1975, Chu et al. 1990, Dasarathy & Holder 1991, as PyRadiomics documents them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import (
    EPSILON_BITS,
    N_LOG_N,
    entropy_of_sums,
    n_log_n,
)

MEASURES = (
    *("small", "large", "level_non_uniformity", "level_non_uniformity_normalized"),
    *("size_non_uniformity", "size_non_uniformity_normalized", "percentage", "level_variance"),
    *("size_variance", "entropy", "low", "high", "small_low", "small_high", "large_low"),
    "large_high",
)
"""The columns of `size_measures`; each class has its own names for them."""


def size_measures(
    matrices: NDArray[Any], levels: NDArray[np.float64], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """All measures, a row for each matrix, (D, 16); NaN where a matrix is empty.

    Args:
        matrices: Counts, (D, C + 1, S); row 0 (outside the region) is ignored.
        levels: Grey level of each code, (C + 1,).
        sizes: Of each column, (S,); a size of 0 is ignored.
    """
    return _measures(matrices, levels, sizes, N_LOG_N)


@compiled
def _measures(
    matrices: NDArray[Any],
    levels: NDArray[np.float64],
    sizes: NDArray[np.float64],
    table: NDArray[np.float64],
) -> NDArray[np.float64]:
    ways, codes, columns = matrices.shape
    rows = np.full((ways, 16), np.nan)
    of_size = np.empty(columns)
    of_level = np.empty(codes)
    for way in range(ways):
        row = rows[way]
        of_size[:] = 0
        of_level[:] = 0
        logs = 0.0
        filled = 0
        small_low, small_high, large_low, large_high = 0.0, 0.0, 0.0, 0.0
        for i in range(1, codes):
            small = 0.0
            large = 0.0
            for j in range(columns):
                count = float(matrices[way, i, j])
                if count != 0 and sizes[j] > 0:
                    squared = sizes[j] * sizes[j]
                    small += count / squared
                    large += count * squared
                    of_level[i] += count
                    of_size[j] += count
                    logs += n_log_n(count, table)
                    filled += 1
            level_squared = levels[i] * levels[i]
            small_low += small / level_squared
            small_high += small * level_squared
            large_low += large / level_squared
            large_high += large * level_squared
        total = of_level.sum()
        if total == 0:
            continue
        row[9] = entropy_of_sums(logs, total, filled) - filled * EPSILON_BITS
        row[12], row[13] = small_low / total, small_high / total
        row[14], row[15] = large_low / total, large_high / total
        _of_levels(row, of_level, levels, total)
        _of_sizes(row, of_size, sizes, total)
    return rows


@compiled
def _of_levels(
    row: NDArray[np.float64],
    of_level: NDArray[np.float64],
    levels: NDArray[np.float64],
    total: float,
) -> None:
    mean, squares, low, high = 0.0, 0.0, 0.0, 0.0
    for i in range(1, levels.size):
        squared = levels[i] * levels[i]
        mean += of_level[i] / total * levels[i]
        squares += of_level[i] * of_level[i]
        low += of_level[i] / squared
        high += of_level[i] * squared
    variance = 0.0
    for i in range(1, levels.size):
        variance += of_level[i] / total * (levels[i] - mean) ** 2
    row[2], row[3] = squares / total, squares / total**2
    row[7] = variance
    row[10], row[11] = low / total, high / total


@compiled
def _of_sizes(
    row: NDArray[np.float64],
    of_size: NDArray[np.float64],
    sizes: NDArray[np.float64],
    total: float,
) -> None:
    mean, squares, small, large, voxels = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(sizes.size):
        if of_size[j] != 0:
            squared = sizes[j] * sizes[j]
            mean += of_size[j] / total * sizes[j]
            squares += of_size[j] * of_size[j]
            small += of_size[j] / squared
            large += of_size[j] * squared
            voxels += of_size[j] * sizes[j]
    variance = 0.0
    for j in range(sizes.size):
        variance += of_size[j] / total * (sizes[j] - mean) ** 2
    row[0], row[1] = small / total, large / total
    row[4], row[5] = squares / total, squares / total**2
    row[6] = total / voxels
    row[8] = variance
