"""Co-occurrence features of the window around each voxel; definitions as in `features.glcm`.

A window has few pairs: each of its matrices is a list of cells, and every sum runs over the list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.voxels.glcm_row import Scratch, add_features
from rdfc_features_native.voxels.mcc import second_correlation
from rdfc_features_native.voxels.sizes import add
from rdfc_features_native.voxels.window import look

Values = NDArray[np.float64]
Ints = NDArray[np.int32]

FEATURES = 24
MCC = 19
"""Where the maximal correlation coefficient stands among the names."""


@compiled
def glcm_maps(
    grid: NDArray[np.uint16],
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    level_of: Values,
    pairs: Ints,
    starts: Ints,
    top: int,
    symmetrical: bool,
    weights: Values,
    with_mcc: bool,
    table: Values,
) -> Values:
    """All features in the order of `features.glcm.NAMES`, (24, N); NaN where there are no pairs.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the N voxels on it.
        offsets: To the window's places.
        level_of: The grey level of each code.
        pairs: Places one step apart, (P, 2).
        starts: Where the pairs of each direction begin, (D + 1,).
        top: The highest grey level of the region.
        symmetrical: Count each pair both ways.
        weights: Of each direction in one common matrix, (D,); empty: the mean of all directions.
        with_mcc: The maximal correlation coefficient; NaN unless asked for.
        table: Of n log2 n.
    """
    size = offsets.size
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    levels = np.empty(size)
    cells = np.zeros(size * size)
    used = np.empty(size * size, np.int32)
    first, second = np.zeros(size), np.zeros(size)
    sums, differences = np.zeros(2 * top + 1), np.zeros(top + 1)
    scratch = Scratch(cells, used, first, second, sums, differences)
    parents = np.empty(2 * size, np.int32)
    scaled, squared = np.empty((size, size)), np.empty((size, size))
    diagonal, beside = np.empty(size), np.empty(size)
    row = np.empty(FEATURES)
    out = np.empty((FEATURES, places.size))
    for v in range(places.size):
        count = look(grid, places[v], offsets, rank_of, ranks, codes)
        for rank in range(count):
            levels[rank] = level_of[codes[rank]]
        row[:] = 0
        ways, listed = 0, 0
        for way in range(starts.size - 1):
            part = pairs[starts[way] : starts[way + 1]]
            weight = weights[way] if weights.size else 1.0
            listed = _count(part, ranks, count, symmetrical, weight, scratch, listed)
            last = way == starts.size - 2
            if listed == 0 or (weights.size > 0 and not last):
                continue
            ways += 1
            if with_mcc:
                row[MCC] += second_correlation(
                    cells,
                    used,
                    listed,
                    count,
                    first,
                    first if symmetrical else second,
                    symmetrical,
                    parents,
                    scaled,
                    squared,
                    diagonal,
                    beside,
                )
            exact = weights.size > 0
            add_features(scratch, listed, count, levels, top, symmetrical, exact, table, row)
            listed = 0
        for k in range(FEATURES):
            out[k, v] = row[k] / ways if ways else np.nan
        if not with_mcc:
            out[MCC, v] = np.nan
    return out


@compiled
def _count(
    pairs: Ints,
    ranks: Ints,
    count: int,
    symmetrical: bool,
    weight: float,
    scratch: Scratch,
    listed: int,
) -> int:
    """Add the pairs of one direction to the matrix; how many of its cells are listed then."""
    for p in range(pairs.shape[0]):
        one, other = ranks[pairs[p, 0]], ranks[pairs[p, 1]]
        if one < 0 or other < 0:
            continue
        if symmetrical:
            scratch.first[one] += weight
            scratch.first[other] += weight
            one, other = min(one, other), max(one, other)
        else:
            scratch.first[one] += weight
            scratch.second[other] += weight
        listed = add(scratch.cells, scratch.used, listed, one * count + other, weight)
    return listed
