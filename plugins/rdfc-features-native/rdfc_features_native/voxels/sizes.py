"""What run lengths, zones and dependence of a window have in common; see `features.sizes`.

A window's matrix has few cells that are not 0: these are listed, each with its grey level and size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import n_log_n

Values = NDArray[np.float64]

MEASURES = 16


@compiled
def add(cells: Values, used: NDArray[np.int32], count: int, cell: int, weight: float) -> int:
    """Add to a cell, list it if it was 0, and give the number of cells that are listed.

    Args:
        cells: All of them, 0 but for those listed.
        used: The cells listed.
        count: How many are.
        cell: To add to.
        weight: To add, above 0.
    """
    if cells[cell] == 0:
        used[count] = cell
        count += 1
    cells[cell] += weight
    return count


@compiled
def measure(
    cells: Values,
    used: NDArray[np.int32],
    count: int,
    width: int,
    levels: Values,
    by_level: Values,
    by_size: Values,
    table: Values,
    row: Values,
) -> None:
    """Add all measures of one matrix to a row, and empty the matrix.

    Args:
        cells: Counts of (rank of grey level, size), flat with ``width`` sizes a rank; at least one.
        used: The cells that are not 0.
        count: How many these are.
        width: Sizes of a rank, from 0.
        levels: The grey level of each rank.
        by_level: Zeros, a place for each rank; so again afterwards.
        by_size: Zeros, a place for each size; so again afterwards.
        table: Of n log2 n.
        row: Of the measures in the order of `features.sizes.MEASURES`, (16,).
    """
    total, voxels, logs = 0.0, 0.0, 0.0
    small, large, low, high = 0.0, 0.0, 0.0, 0.0
    small_low, small_high, large_low, large_high = 0.0, 0.0, 0.0, 0.0
    mean_level = 0.0
    for t in range(count):
        n = cells[used[t]]
        rank, size = used[t] // width, used[t] % width
        level_squared = levels[rank] * levels[rank]
        size_squared = float(size * size)
        part_low, part_high = n / level_squared, n * level_squared
        total += n
        voxels += n * size
        mean_level += n * levels[rank]
        logs += n_log_n(n, table)
        small += n / size_squared
        large += n * size_squared
        low += part_low
        high += part_high
        small_low += part_low / size_squared
        small_high += part_high / size_squared
        large_low += part_low * size_squared
        large_high += part_high * size_squared
        by_level[rank] += n
        by_size[size] += n
    mean_level /= total
    mean_size = voxels / total
    levels_squared, sizes_squared, level_variance, size_variance = 0.0, 0.0, 0.0, 0.0
    for t in range(count):
        n = cells[used[t]]
        cells[used[t]] = 0
        rank, size = used[t] // width, used[t] % width
        level_variance += n * (levels[rank] - mean_level) ** 2
        size_variance += n * (size - mean_size) ** 2
        levels_squared += by_level[rank] * by_level[rank]
        by_level[rank] = 0  # counted once
        sizes_squared += by_size[size] * by_size[size]
        by_size[size] = 0
    row[0] += small / total
    row[1] += large / total
    row[2] += levels_squared / total
    row[3] += levels_squared / total**2
    row[4] += sizes_squared / total
    row[5] += sizes_squared / total**2
    row[6] += total / voxels
    row[7] += level_variance / total
    row[8] += size_variance / total
    row[9] += np.log2(total) - logs / total if count > 1 else 0.0
    row[10] += low / total
    row[11] += high / total
    row[12] += small_low / total
    row[13] += small_high / total
    row[14] += large_low / total
    row[15] += large_high / total
