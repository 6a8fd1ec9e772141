"""Dependence and tone difference features of the window around each voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.ngtdm import ngtdm_features
from rdfc_features_native.voxels.sizes import MEASURES, add, measure
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
        pairs: Place and neighbour, each pair both ways, (P, 2).
        most: Neighbours of one place.
        alpha: The largest difference of grey levels that are dependent.
        table: Of n log2 n.
    """
    size = offsets.size
    width = most + 2
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    dependent = np.empty(size, np.int32)
    levels = np.empty(size)
    cells = np.zeros(size * width)
    used = np.empty(size, np.int32)
    by_level, by_size = np.zeros(size), np.zeros(width)
    row = np.empty(MEASURES)
    out = np.empty((MEASURES, places.size))
    for v in range(places.size):
        count = look(grid, places[v], offsets, rank_of, ranks, codes)
        for rank in range(count):
            levels[rank] = level_of[codes[rank]]
        dependent[:] = 1
        for p in range(pairs.shape[0]):
            mine, other = ranks[pairs[p, 0]], ranks[pairs[p, 1]]
            if mine >= 0 and other >= 0 and abs(levels[mine] - levels[other]) <= alpha:
                dependent[pairs[p, 0]] += 1
        listed = 0
        for k in range(size):
            if ranks[k] >= 0:
                listed = add(cells, used, listed, ranks[k] * width + dependent[k], 1.0)
        row[:] = 0
        measure(cells, used, listed, width, levels, by_level, by_size, table, row)
        out[:, v] = row
    return out


@compiled
def ngtdm_maps(
    grid: NDArray[np.uint16],
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    level_of: Values,
    pairs: Ints,
) -> Values:
    """All features in the order of `features.ngtdm.NAMES`, (5, N); arguments as of `gldm_maps`."""
    size = offsets.size
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    totals, others = np.empty(size), np.empty(size)
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
        for p in range(pairs.shape[0]):
            other = ranks[pairs[p, 1]]
            if other >= 0:
                totals[pairs[p, 0]] += levels[other + 1]
                others[pairs[p, 0]] += 1
        for k in range(size):
            rank = ranks[k] + 1
            if rank > 0:
                counts[rank] += 1
                if others[k] > 0:
                    difference[rank] += abs(levels[rank] - totals[k] / others[k])
        found = ngtdm_features(counts[: count + 1], difference[: count + 1], levels[: count + 1])
        out[:, v] = found
    return out
