"""Dependence and tone difference features of the window around each voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.ngtdm import ngtdm_features
from rdfc_features_native.voxels.sizes import MEASURES, measure, sizes_up_to, squares
from rdfc_features_native.voxels.window import look

Values = NDArray[np.float64]
Ints = NDArray[np.int32]


@compiled
def gldm_maps(
    grid: NDArray[np.uint16],
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    level_of: Values,
    pairs: Ints,
    both_ways: bool,
    most: int,
    alpha: float,
    table: Values,
) -> Values:
    """All features in the order of `features.sizes.MEASURES`, (16, N).

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the N voxels on it.
        offsets: To the window's places.
        level_of: The grey level of each code.
        pairs: Place and neighbour, (P, 2).
        both_ways: Each is the other's neighbour; else only the second the first one's.
        most: Neighbours of one place.
        alpha: The largest difference of grey levels that are dependent.
        table: Of n log2 n.
    """
    size = offsets.size
    back = np.int32(both_ways)
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    dependent = np.empty(size, np.int32)
    level_at = np.empty(size)
    width = most + 2
    counts = np.zeros(size * width)
    rows, columns = np.empty(size, np.uint32), np.empty(size, np.uint32)
    held, levels, sizes = np.empty(size), np.empty((3, size)), sizes_up_to(width - 1)
    by_level, by_size = np.zeros(size), np.zeros(width)
    row = np.empty(MEASURES)
    out = np.empty((MEASURES, places.size))
    for v in range(places.size):
        count = look(grid, places[v], offsets, rank_of, ranks, codes)
        for rank in range(count):
            held[rank] = level_of[codes[rank]]
        squares(held, count, levels)
        for k in range(size):
            # Outside, where nothing is read of it, a level that no other one is near to.
            level_at[k] = levels[0, ranks[k]] if ranks[k] >= 0 else np.inf
        dependent[:] = 1
        for p in range(pairs.shape[0]):
            one, other = pairs[p, 0], pairs[p, 1]
            alike = np.int32(abs(level_at[one] - level_at[other]) <= alpha)
            dependent[one] += alike
            dependent[other] += alike * back
        listed = 0
        for k in range(size):
            if ranks[k] >= 0:
                cell = np.uint32(ranks[k] * width + dependent[k])
                if counts[cell] == 0:
                    rows[listed], columns[listed] = ranks[k], dependent[k]
                    listed += 1
                counts[cell] += 1
        row[:] = 0
        measure(counts, rows, columns, listed, levels, sizes, by_level, by_size, table, row)
        out[:, v] = row
    return out


@compiled
def ngtdm_maps(
    grid: NDArray[np.uint16],
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    level_of: Values,
    pairs: Ints,
    both_ways: bool,
) -> Values:
    """All features in the order of `features.ngtdm.NAMES`, (5, N); arguments as of `gldm_maps`."""
    size = offsets.size
    back = np.int32(both_ways)
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    totals, others = np.empty(size), np.empty(size)
    level_at, inside = np.empty(size), np.empty(size)
    levels, counts, difference = np.empty(size + 1), np.empty(size + 1), np.empty(size + 1)
    out = np.empty((5, places.size))
    for v in range(places.size):
        count = look(grid, places[v], offsets, rank_of, ranks, codes)
        for rank in range(count):
            levels[rank + 1] = level_of[codes[rank]]
        counts[: count + 1] = 0
        difference[: count + 1] = 0
        totals[:] = 0
        others[:] = 0
        for k in range(size):
            inside[k] = ranks[k] >= 0
            level_at[k] = levels[ranks[k] + 1] if ranks[k] >= 0 else 0.0
        for p in range(pairs.shape[0]):
            one, other = pairs[p, 0], pairs[p, 1]
            totals[one] += level_at[other]
            others[one] += inside[other]
            totals[other] += level_at[one] * back
            others[other] += inside[one] * back
        for k in range(size):
            rank = ranks[k] + 1
            if rank > 0:
                counts[rank] += 1
                if others[k] > 0:
                    difference[rank] += abs(levels[rank] - totals[k] / others[k])
        found = ngtdm_features(counts[: count + 1], difference[: count + 1], levels[: count + 1])
        out[:, v] = found
    return out
