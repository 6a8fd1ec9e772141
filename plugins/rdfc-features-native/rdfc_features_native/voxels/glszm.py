"""Size zone features of the window around each voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.voxels.sizes import MEASURES, measure, sizes_up_to, squares
from rdfc_features_native.voxels.window import look

Values = NDArray[np.float64]
Ints = NDArray[np.int32]


@compiled
def glszm_maps(
    grid: NDArray[np.uint16],
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    level_of: Values,
    pairs: Ints,
    table: Values,
) -> Values:
    """All features in the order of `features.sizes.MEASURES`, (16, N).

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the N voxels on it.
        offsets: To the window's places.
        level_of: The grey level of each code.
        pairs: Places that are neighbours, each pair once, (P, 2).
        table: Of n log2 n.
    """
    size = offsets.size
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    parents, voxels = np.empty(size, np.int32), np.empty(size, np.int32)
    width = size + 1
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
            parents[k] = k
            voxels[k] = 0
        for p in range(pairs.shape[0]):
            one, other = int(pairs[p, 0]), int(pairs[p, 1])
            if ranks[one] == ranks[other] and ranks[one] >= 0:
                a, b = _root(parents, one), _root(parents, other)
                parents[max(a, b)] = min(a, b)
        for k in range(size):
            if ranks[k] >= 0:
                voxels[_root(parents, k)] += 1
        listed = 0
        for k in range(size):
            if voxels[k] > 0:
                cell = np.uint32(ranks[k] * width + voxels[k])
                if counts[cell] == 0:
                    rows[listed], columns[listed] = ranks[k], voxels[k]
                    listed += 1
                counts[cell] += 1
        row[:] = 0
        measure(counts, rows, columns, listed, levels, sizes, by_level, by_size, table, row)
        out[:, v] = row
    return out


@compiled
def _root(parents: Ints, place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
