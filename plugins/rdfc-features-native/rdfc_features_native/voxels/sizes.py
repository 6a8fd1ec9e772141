"""What run lengths, zones and dependence of a window have in common; see `features.sizes`.

A window's matrix has few cells that are not 0: these are listed, each with its grey level and size.
Arrays are passed one by one, since Numba counts references to those of a tuple at every call.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.logarithms import n_log_n

Values = NDArray[np.float64]
Ranks = NDArray[np.uint32]

MEASURES = 16


@compiled
def squares(numbers: Values, count: int, table: Values) -> None:
    """Fill a table, (3, N), with the first numbers, their squares, and one over these."""
    for k in range(count):
        table[0, k] = numbers[k]
        table[1, k] = numbers[k] * numbers[k]
        table[2, k] = 1 / table[1, k]


@compiled
def sizes_up_to(largest: int) -> Values:
    """The table of `squares` of all sizes, (3, largest + 1)."""
    table = np.empty((3, largest + 1))
    squares(np.arange(largest + 1.0), largest + 1, table)
    return table


@compiled
def measure(
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    listed: int,
    levels: Values,
    sizes: Values,
    by_level: Values,
    by_size: Values,
    table: Values,
    row: Values,
) -> None:
    """Add all measures of one matrix to a row, and empty the matrix.

    Args:
        counts: The matrix, (rank of grey level, size), flat; 0 but for the cells listed.
        rows: Rank of each cell listed.
        columns: Size of each cell listed.
        listed: How many there are, 1 at least.
        levels: Of ranks, as `squares` gives them, (3, ranks).
        sizes: As `sizes_up_to` gives them, (3, S).
        by_level: Zeros, a place for each rank; so again afterwards.
        by_size: Zeros, a place for each size; so again afterwards.
        table: Of n log2 n.
        row: Of the measures in the order of `features.sizes.MEASURES`, (16,).
    """
    width = np.uint32(sizes.shape[1])
    total, voxels, logs, mean_level = 0.0, 0.0, 0.0, 0.0
    small, large, low, high = 0.0, 0.0, 0.0, 0.0
    small_low, small_high, large_low, large_high = 0.0, 0.0, 0.0, 0.0
    for t in range(listed):
        rank, size = rows[t], columns[t]
        n = counts[rank * width + size]
        squared, inverse = sizes[1, size], sizes[2, size]
        part_low, part_high = n * levels[2, rank], n * levels[1, rank]
        total += n
        voxels += n * sizes[0, size]
        mean_level += n * levels[0, rank]
        logs += n_log_n(n, table)
        small += n * inverse
        large += n * squared
        low += part_low
        high += part_high
        small_low += part_low * inverse
        small_high += part_high * inverse
        large_low += part_low * squared
        large_high += part_high * squared
        by_level[rank] += n
        by_size[size] += n
    share = 1 / total
    mean_level *= share
    mean_size = voxels * share
    levels_squared, sizes_squared, level_variance, size_variance = 0.0, 0.0, 0.0, 0.0
    for t in range(listed):
        rank, size = rows[t], columns[t]
        n = counts[rank * width + size]
        counts[rank * width + size] = 0
        level_variance += n * (levels[0, rank] - mean_level) ** 2
        size_variance += n * (sizes[0, size] - mean_size) ** 2
        levels_squared += by_level[rank] * by_level[rank]
        by_level[rank] = 0  # counted once
        sizes_squared += by_size[size] * by_size[size]
        by_size[size] = 0
    row[0] += small * share
    row[1] += large * share
    row[2] += levels_squared * share
    row[3] += levels_squared * share * share
    row[4] += sizes_squared * share
    row[5] += sizes_squared * share * share
    row[6] += total / voxels
    row[7] += level_variance * share
    row[8] += size_variance * share
    row[9] += np.log2(total) - logs * share if listed > 1 else 0.0
    row[10] += low * share
    row[11] += high * share
    row[12] += small_low * share
    row[13] += small_high * share
    row[14] += large_low * share
    row[15] += large_high * share
