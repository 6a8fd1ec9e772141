"""Zones: voxels of one grey level that hang together by faces, edges or corners.

Source: Thibault et al. 2009, as PyRadiomics defines the size zone matrix.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

Places = NDArray[np.int64]


@compiled
def _root(parents: NDArray[np.int32], voxel: int) -> int:
    while parents[voxel] != voxel:
        parents[voxel] = parents[parents[voxel]]
        voxel = parents[voxel]
    return voxel


@compiled
def find_zones(
    grid: NDArray[Any], places: Places, steps: Places, hub: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code and number of voxels of each zone, (Z,) and (Z,), by union and find.

    Args:
        grid: Codes on the flat padded grid, 0 outside.
        places: Of the region's voxels, ascending, (N,).
        steps: To half of the neighbours, all positive, (D,).
        hub: Index of the step to the neighbour that touches all the other ones: where it has the
            voxel's code, the others of this code are in its zone already. -1 if there is none.
    """
    parents = np.empty(grid.size, np.int32)
    for t in range(places.size):
        place = places[t]
        code = grid[place]
        parents[place] = place
        if hub >= 0 and grid[place - steps[hub]] == code:
            parents[place] = _root(parents, place - steps[hub])
            continue
        mine = place
        for way in range(steps.size):
            neighbour = place - steps[way]
            if grid[neighbour] == code:
                other = _root(parents, neighbour)
                # The first voxel of a zone is its root: the pass below needs parents before it.
                if other < mine:
                    parents[mine] = other
                    mine = other
                elif other > mine:
                    parents[other] = mine
    sizes = np.zeros(grid.size, np.int32)
    zones = 0
    for t in range(places.size):
        place = places[t]
        parents[place] = parents[parents[place]]
        sizes[parents[place]] += 1
        if parents[place] == place:
            zones += 1
    codes = np.empty(zones, np.int64)
    voxels = np.empty(zones, np.int64)
    zone = 0
    for t in range(places.size):
        place = places[t]
        if parents[place] == place:
            codes[zone] = grid[place]
            voxels[zone] = sizes[place]
            zone += 1
    return codes, voxels


@compiled
def zone_matrix(
    codes: NDArray[np.int64], voxels: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Zones by code and size, (1, C + 1, S), with the S sizes that occur, (S,)."""
    column = np.full(voxels.max() + 1, -1, np.int64)
    for size in voxels:
        column[size] = 0
    columns = 0
    for size in range(column.size):
        if column[size] == 0:
            column[size] = columns
            columns += 1
    sizes = np.empty(columns)
    matrix = np.zeros((1, count + 1, columns), np.int32)
    for zone in range(codes.size):
        place = column[voxels[zone]]
        sizes[place] = voxels[zone]
        matrix[0, codes[zone], place] += 1
    return matrix, sizes
