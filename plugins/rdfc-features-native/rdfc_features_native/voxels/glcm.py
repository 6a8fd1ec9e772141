"""Co-occurrence features of the window around each voxel; definitions as in `features.glcm`.

A window has few pairs: each of its matrices is a list of cells, and every sum runs over the list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.voxels.glcm_row import add_features, difference_weights
from rdfc_features_native.voxels.mcc import second_correlation
from rdfc_features_native.voxels.window import look

Values = NDArray[np.float64]
Ints = NDArray[np.int32]
Ranks = NDArray[np.uint32]

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

    What is not named here is as of `around.gldm_maps`: ``pairs`` are places one step apart, (P, 2),
    those of each direction from its ``starts`` on, (D + 1,); ``top`` is the highest grey level of
    the region; ``symmetrical`` counts each pair both ways; ``weights`` of the directions, (D,),
    join them in one matrix, and without any their features are averaged; the maximal correlation
    coefficient is NaN unless ``with_mcc``.
    """
    size = offsets.size
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    levels, row = np.empty(size), np.empty(FEATURES)
    counts = np.zeros(size * size)
    rows, columns = np.empty(size * size, np.uint32), np.empty(size * size, np.uint32)
    margins, histograms = np.zeros((2, size)), np.zeros((2, 2 * top + 1))
    of_difference = difference_weights(top)
    numbers, parents = np.empty(2 * size, np.int32), np.empty(2 * size, np.int32)
    roots = np.empty((2, size))
    scaled, squared = np.empty((size, size)), np.empty((size, size))
    diagonal, beside = np.empty(size), np.empty(size)
    out = np.empty((FEATURES, places.size))
    for v in range(places.size):
        count = look(grid, places[v], offsets, rank_of, ranks, codes)
        for rank in range(count):
            levels[rank] = level_of[codes[rank]]
        row[:] = 0
        row[MCC] = 0.0 if with_mcc else np.nan
        ways, listed = 0, 0
        for way in range(starts.size - 1):
            weight = weights[way] if weights.size else 1.0
            part = pairs[starts[way] : starts[way + 1]]
            listed = _count(
                part, ranks, symmetrical, weight, counts, rows, columns, margins, listed
            )
            if listed == 0 or (weights.size > 0 and way < starts.size - 2):
                continue
            ways += 1
            if with_mcc:
                row[MCC] += second_correlation(
                    counts, rows, columns, listed, count, margins, symmetrical,
                    numbers, parents, roots, scaled, squared, diagonal, beside,
                )  # fmt: skip
            add_features(
                counts, rows, columns, listed, margins, count, levels, histograms,
                of_difference, symmetrical, weights.size > 0, table, row,
            )  # fmt: skip
            listed = 0
        out[:, v] = row / (ways if ways else np.nan)
    return out


@compiled
def _count(
    pairs: Ints,
    ranks: Ints,
    symmetrical: bool,
    weight: float,
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    margins: Values,
    listed: int,
) -> int:
    """Add the pairs of one direction to the matrix; how many of its cells are listed then."""
    if weight == 0:
        return listed
    size = ranks.size
    for p in range(pairs.shape[0]):
        one, other = ranks[np.uint32(pairs[p, 0])], ranks[np.uint32(pairs[p, 1])]
        if one < 0 or other < 0:
            continue
        margins[0, np.uint32(one)] += weight
        margins[0 if symmetrical else 1, np.uint32(other)] += weight
        if symmetrical and other < one:
            one, other = other, one
        cell = np.uint32(one * size + other)
        if counts[cell] == 0:
            rows[listed], columns[listed] = one, other
            listed += 1
        counts[cell] += weight
    return listed
