"""Run length features of the window around each voxel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.voxels.sizes import MEASURES, measure, sizes_up_to, squares
from rdfc_features_native.voxels.window import look

Values = NDArray[np.float64]
Ints = NDArray[np.int32]
Ranks = NDArray[np.uint32]


@compiled
def glrlm_maps(
    grid: NDArray[np.uint16],
    places: NDArray[np.int64],
    offsets: NDArray[np.int64],
    level_of: Values,
    lines: Ints,
    starts: Ints,
    longest: int,
    weights: Values,
    table: Values,
) -> Values:
    """All features in the order of `features.sizes.MEASURES`, (16, N); NaN without directions.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the N voxels on it.
        offsets: To the window's places.
        level_of: The grey level of each code.
        lines: As `Window.lines` gives them.
        starts: Where the lines of each direction begin, (D + 1,).
        longest: Places of the longest line.
        weights: Of each direction in one common matrix, (D,); empty: the mean of all directions.
        table: Of n log2 n.
    """
    size = offsets.size
    rank_of = np.full(level_of.size, -1, np.int32)
    ranks, codes = np.empty(size, np.int32), np.empty(size, np.int32)
    width = longest + 1
    counts = np.zeros(size * width)
    rows, columns = np.empty(size * width, np.uint32), np.empty(size * width, np.uint32)
    held, levels, sizes = np.empty(size), np.empty((3, size)), sizes_up_to(width - 1)
    by_level, by_size = np.zeros(size), np.zeros(width)
    row = np.empty(MEASURES)
    out = np.empty((MEASURES, places.size))
    for v in range(places.size):
        count = look(grid, places[v], offsets, rank_of, ranks, codes)
        for rank in range(count):
            held[rank] = level_of[codes[rank]]
        squares(held, count, levels)
        row[:] = 0
        ways, listed = 0, 0
        for way in range(starts.size - 1):
            part = lines[starts[way] : starts[way + 1]]
            weight = weights[way] if weights.size else 1.0
            if not _has_neighbours(part, ranks) or weight == 0:
                continue
            listed = _count(part, ranks, weight, width, counts, rows, columns, listed)
            if weights.size == 0:
                measure(counts, rows, columns, listed, levels, sizes, by_level, by_size, table, row)
                listed = 0
                ways += 1
        if listed > 0:
            measure(counts, rows, columns, listed, levels, sizes, by_level, by_size, table, row)
            ways = 1
        for k in range(MEASURES):
            out[k, v] = row[k] / ways if ways else np.nan
    return out


@compiled
def _has_neighbours(lines: Ints, ranks: Ints) -> bool:
    """Whether two places of a line are in the region, neighbours or not."""
    inside = 0
    for place in lines:
        if place < 0:
            inside = 0
        elif ranks[place] >= 0:
            inside += 1
            if inside > 1:
                return True
    return False


@compiled
def _count(
    lines: Ints,
    ranks: Ints,
    weight: float,
    width: int,
    counts: Values,
    rows: Ranks,
    columns: Ranks,
    listed: int,
) -> int:
    """Add the runs of one direction to the matrix; how many of its cells are listed then."""
    current, length = np.int32(-1), 0
    for place in lines:
        rank = ranks[place] if place >= 0 else np.int32(-1)
        if rank == current:
            length += 1
            continue
        if current >= 0:
            cell = np.uint32(current * width + length)
            if counts[cell] == 0:
                rows[listed], columns[listed] = current, length
                listed += 1
            counts[cell] += weight
        current, length = rank, 1
    return listed
