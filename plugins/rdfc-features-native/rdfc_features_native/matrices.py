"""Texture matrices, counted in one pass over a region's voxels.

The region's codes lie on a padded grid (`region.Lattice`) with 0 outside, so that no neighbour
has to be checked for existence.

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


@compiled
def count_all(
    grid: Codes, places: Places, steps: Places, count: int, longest: int
) -> tuple[Counts, Counts, Counts, NDArray[np.float64]]:
    """Pairs, runs, dependence and tone differences of adjacent voxels, together.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the region's voxels, ascending, (N,).
        steps: To half of the neighbours, (D,); the other half lies opposite.
        count: The highest code C.
        longest: Voxels of the longest possible run.

    Returns:
        pairs: (D, C + 1, C + 1); row or column 0 is of no meaning.
        runs: (D, C + 1, longest + 1), by code and length.
        dependence: Voxels with so many neighbours of their own code, (C + 1, 2 D + 1).
        difference: Sum over the voxels of a code of |code − mean code of the neighbours|, (C + 1,).
    """
    ways = steps.size
    pairs = np.zeros((ways, count + 1, count + 1), np.int32)
    runs = np.zeros((ways, count + 1, longest + 1), np.int32)
    dependence = np.zeros((count + 1, 2 * ways + 1), np.int32)
    difference = np.zeros(count + 1, np.float64)
    for t in range(places.size):
        place = places[t]
        code = grid[place]
        total = 0
        others = 0
        equal = 0
        for way in range(ways):
            step = steps[way]
            after = grid[place + step]
            before = grid[place - step]
            total += np.int64(after) + np.int64(before)
            others += np.int64(after != 0) + np.int64(before != 0)
            equal += np.int64(after == code) + np.int64(before == code)
            pairs[way, code, after] += 1
            if after == code and before != code:
                end = place + 2 * step
                while grid[end] == code:
                    end += step
                runs[way, code, (end - place) // step] += 1
        dependence[code, equal] += 1
        if others > 0:
            difference[code] += abs(code - total / others)
    _count_single(runs, dependence)
    return pairs, runs, dependence, difference


@compiled
def count_pairs(grid: Codes, places: Places, steps: Places, count: int) -> Counts:
    """How often a voxel of one code has a neighbour of another, (D, C + 1, C + 1)."""
    pairs = np.zeros((steps.size, count + 1, count + 1), np.int32)
    for t in range(places.size):
        place = places[t]
        code = grid[place]
        for way in range(steps.size):
            pairs[way, code, grid[place + steps[way]]] += 1
    return pairs


@compiled
def count_runs(grid: Codes, places: Places, steps: Places, count: int, longest: int) -> Counts:
    """How many runs a code has of each length, (D, C + 1, longest + 1)."""
    runs = np.zeros((steps.size, count + 1, longest + 1), np.int32)
    for t in range(places.size):
        place = places[t]
        code = grid[place]
        for way in range(steps.size):
            step = steps[way]
            if grid[place - step] != code:
                end = place + step
                while grid[end] == code:
                    end += step
                runs[way, code, (end - place) // step] += 1
    return runs


@compiled
def count_around(
    grid: Codes,
    places: Places,
    around: Places,
    levels: NDArray[np.float64],
    alpha: float,
) -> tuple[Counts, NDArray[np.float64]]:
    """Dependence and tone differences for any neighbourhood, by grey levels in place of codes.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the region's voxels, (N,).
        around: Steps to all neighbours, (K,).
        levels: The grey level of each code, (C + 1,).
        alpha: The largest difference of grey levels that are dependent.

    Returns:
        dependence: (C + 1, K + 1).
        difference: (C + 1,); see `count_all`.
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


@compiled
def _count_single(runs: Counts, dependence: Counts) -> None:
    """Runs of one voxel: each voxel is in one run a direction, and the longer ones are counted."""
    for way in range(runs.shape[0]):
        for code in range(1, runs.shape[1]):
            voxels = 0
            for alike in range(dependence.shape[1]):
                voxels += dependence[code, alike]
            for length in range(2, runs.shape[2]):
                voxels -= length * runs[way, code, length]
            runs[way, code, 1] = voxels
