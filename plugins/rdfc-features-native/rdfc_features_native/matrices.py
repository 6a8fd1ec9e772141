"""Texture matrices, counted on a region's voxels.

The region's codes lie on a flat padded grid (`region.Lattice`) with 0 outside, so that no
neighbour has to be checked for existence: a neighbour is a fixed number of places away. What is
the same for many voxels is done for a block at once, free of branches, which the compiler turns
into vector instructions; voxels that need more are listed first, free of branches too.

Sources: Haralick et al. 1973 (co-occurrence), Galloway 1975 (run lengths), Sun & Wee 1983
(dependence), Amadasun & King 1989 (tone difference), each as PyRadiomics defines it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

Codes = NDArray[Any]
Counts = NDArray[np.int32]
Places = NDArray[np.int64]

BLOCK = 4096
"""Places at once: what belongs to a block stays in the processor's first cache."""
MAX_TOTAL = 65535
"""Sums of codes over a voxel's neighbours are kept in 16 bits."""


@compiled
def count_pairs(grid: Codes, places: Places, steps: Places, count: int) -> Counts:
    """How often a voxel of one code has a neighbour of another.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the region's voxels, (N,).
        steps: To the neighbours, (D,).
        count: The highest code C.

    Returns:
        (D, C + 1, C + 1); row and column 0 are of no meaning.
    """
    # Unsigned, here and below: Numba need not look out for indices that count from the end.
    width = np.uint64(count + 1)
    unsigned = steps.astype(np.uint64)
    pairs = np.zeros(steps.size * (count + 1) * (count + 1), np.int32)
    for t in range(places.size):
        place = np.uint64(places[t])
        row = np.uint64(grid[place]) * width
        for way in range(unsigned.size):
            pairs[row + np.uint64(grid[place + unsigned[way]])] += np.int32(1)
            row += width * width
    return pairs.reshape(steps.size, count + 1, count + 1)


@compiled
def count_runs(
    grid: Codes, places: Places, steps: Places, voxels: NDArray[np.int64], longest: int
) -> Counts:
    """How many runs a code has of each length.

    Only runs of two and more voxels are followed, from where they begin; every voxel is in one run
    of each direction, so that the others are single.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the region's voxels, ascending, (N,).
        steps: Along the runs, all positive, (D,).
        voxels: Of each code, (C + 1,).
        longest: Voxels of the longest possible run.

    Returns:
        (D, C + 1, longest + 1); length 0 and code 0 are of no meaning.
    """
    runs = np.zeros((steps.size, voxels.size, longest + 1), np.int32)
    begins = np.empty(BLOCK, np.uint8)
    found = np.empty(BLOCK, np.int64)
    last = places[-1] + 1
    for block in range(places[0], last, BLOCK):
        here = grid[block : min(block + BLOCK, last)]
        size = here.size
        for way in range(steps.size):
            step = steps[way]
            after = grid[block + step : block + step + size]
            before = grid[block - step : block - step + size]
            for k in range(size):
                begins[k] = (
                    np.uint8(here[k] == after[k])
                    & np.uint8(here[k] != before[k])
                    & np.uint8(here[k] != 0)
                )
            count = np.uint64(0)
            for k in range(size):
                found[count] = block + step + k
                count += np.uint64(begins[k])
            _follow(grid, found[:count], step, runs[way])
    for way in range(steps.size):
        for code in range(1, voxels.size):
            longer = 0
            for many in range(2, longest + 1):
                longer += many * runs[way, code, many]
            runs[way, code, 1] = voxels[code] - longer
    return runs


@compiled
def _follow(grid: Codes, ends: Places, step: int, table: Counts) -> None:
    """Count runs by their length, all of them at once one voxel further, until none goes on.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        ends: The second voxel of each run, (R,); overwritten.
        step: Along the runs.
        table: To add to, (C + 1, longest + 1).
    """
    count = np.uint64(ends.size)
    stride = np.uint64(step)
    length = np.uint64(2)
    while count > 0:
        longer = np.uint64(0)
        for j in range(count):
            end = np.uint64(ends[j])
            code = grid[end]
            ends[longer] = end + stride
            goes_on = np.uint64(grid[end + stride] == code)
            longer += goes_on
            table[np.uint64(code), length] += np.int32(1) - np.int32(goes_on)
        count = longer
        length += np.uint64(1)


@compiled
def holds_long(runs: Counts) -> NDArray[np.bool_]:
    """Whether a direction has runs of more than one voxel, (D,); see `count_runs`."""
    found = np.zeros(runs.shape[0], np.bool_)
    for way in range(runs.shape[0]):
        for code in range(1, runs.shape[1]):
            for length in range(2, runs.shape[2]):
                found[way] |= runs[way, code, length] > 0
    return found


@compiled
def sum_around(
    grid: Codes, places: Places, around: Places
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Of each voxel: how many neighbours have its code, and the sum of all neighbours' codes.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the region's voxels, ascending, (N,).
        around: Steps to all neighbours, (K,); K · C at most `MAX_TOTAL`.
    """
    equal = np.zeros(grid.size, np.uint16)
    total = np.zeros(grid.size, np.uint16)
    last = places[-1] + 1
    for block in range(places[0], last, BLOCK):
        here = grid[block : min(block + BLOCK, last)]
        alike = equal[block : block + here.size]
        summed = total[block : block + here.size]
        for step in around:
            there = grid[block + step : block + step + here.size]
            for k in range(here.size):
                alike[k] += np.uint16(there[k] == here[k])
                summed[k] += np.uint16(there[k])
    return equal[places], total[places]


@compiled
def count_around(
    codes: Codes,
    equal: NDArray[np.uint16],
    total: NDArray[np.uint16],
    others: NDArray[np.uint16],
    count: int,
    neighbours: int,
) -> tuple[Counts, NDArray[np.float64]]:
    """Dependence and tone differences from the sums around each voxel.

    Args:
        codes: Of the voxels, which are grey levels, (N,).
        equal: Neighbours with the same code, (N,).
        total: Sum of the neighbours' codes, (N,).
        others: How many neighbours there are, (N,).
        count: The highest code C.
        neighbours: How many there are at most, K.

    Returns:
        dependence: Voxels of a code with so many equal neighbours, (C + 1, K + 1).
        difference: Sum over the voxels of a code of |code − mean code of the neighbours|, (C + 1,).
    """
    dependence = np.zeros((count + 1, neighbours + 1), np.int32)
    difference = np.zeros(count + 1, np.float64)
    for t in range(codes.size):
        code = np.uint64(codes[t])
        dependence[code, np.uint64(equal[t])] += np.int32(1)
        if others[t] > 0:
            difference[code] += abs(np.float64(code) - np.float64(total[t]) / others[t])
    return dependence, difference


@compiled
def count_around_by_level(
    grid: Codes, places: Places, around: Places, levels: NDArray[np.float64], alpha: float
) -> tuple[Counts, NDArray[np.float64]]:
    """The same where codes are not grey levels, or levels may differ and still be dependent.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the region's voxels, (N,).
        around: Steps to all neighbours, (K,).
        levels: The grey level of each code, (C + 1,).
        alpha: The largest difference of grey levels that are dependent.
    """
    dependence = np.zeros((levels.size, around.size + 1), np.int32)
    difference = np.zeros(levels.size, np.float64)
    for t in range(places.size):
        place = places[t]
        code = grid[place]
        level = levels[code]
        total = 0.0
        others = 0
        alike = 0
        for step in around:
            other = grid[place + step]
            if other != 0:
                others += 1
                total += levels[other]
                if abs(levels[other] - level) <= alpha:
                    alike += 1
        dependence[code, alike] += 1
        if others > 0:
            difference[code] += abs(level - total / others)
    return dependence, difference
