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
    rest = np.empty(places.size, np.int32)
    count = _link(grid, places, steps[hub] if hub >= 0 else 0, parents, rest)
    alike = np.empty(count, np.int32)
    for way in range(steps.size):
        if way != hub:
            _join(grid, rest[:count], steps[way], parents, alike)
    sizes = np.zeros(grid.size, np.int32)
    roots = np.empty(places.size, np.int32)
    zones = 0
    for t in range(places.size):
        place = places[t]
        root = parents[parents[place]]
        parents[place] = root
        sizes[root] += 1
        roots[zones] = place
        zones += root == place
    codes = np.empty(zones, np.int64)
    voxels = np.empty(zones, np.int64)
    for zone in range(zones):
        codes[zone] = grid[roots[zone]]
        voxels[zone] = sizes[roots[zone]]
    return codes, voxels


@compiled
def zone_distances(
    grid: NDArray[Any], places: Places, steps: Places, hub: int, distances: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Code of each zone and the least distance among its voxels, (Z,) and (Z,).

    Args:
        grid: As of `find_zones`, and so are the other arguments.
        places: Of the region's voxels, ascending, (N,).
        steps: To half of the neighbours, all positive, (D,).
        hub: Index of the step to the neighbour that touches all the other ones.
        distances: Of the voxels, in the order of the places, (N,).
    """
    parents = np.empty(grid.size, np.int32)
    rest = np.empty(places.size, np.int32)
    count = _link(grid, places, steps[hub] if hub >= 0 else 0, parents, rest)
    alike = np.empty(count, np.int32)
    for way in range(steps.size):
        if way != hub:
            _join(grid, rest[:count], steps[way], parents, alike)
    zone_of = np.empty(grid.size, np.int32)
    codes = np.empty(places.size, np.int64)
    nearest = np.empty(places.size, np.int64)
    zones = 0
    for t in range(places.size):
        root = _root(parents, places[t])
        if root == places[t]:  # a zone's first voxel
            zone_of[root] = zones
            codes[zones] = grid[root]
            nearest[zones] = distances[t]
            zones += 1
        zone = zone_of[root]
        nearest[zone] = min(nearest[zone], distances[t])
    return codes[:zones].copy(), nearest[:zones].copy()


@compiled
def _link(
    grid: NDArray[Any],
    places: Places,
    step: int,
    parents: NDArray[np.int32],
    rest: NDArray[np.int32],
) -> int:
    """Make the neighbour a step back the parent where codes are equal; list the other voxels."""
    count = np.uint64(0)
    back = np.uint64(step)
    for t in range(places.size):
        place = np.uint64(places[t])
        alike = (grid[place] == grid[place - back]) & (step > 0)
        parents[place] = place - back * np.uint64(alike)
        rest[count] = place
        count += np.uint64(not alike)
    return int(count)


@compiled
def _join(
    grid: NDArray[Any],
    rest: NDArray[np.int32],
    step: int,
    parents: NDArray[np.int32],
    alike: NDArray[np.int32],
) -> None:
    """Put the zones together of voxels and their equal neighbours a step back."""
    count = np.uint64(0)
    back = np.uint64(step)
    for t in range(rest.size):
        place = np.uint64(rest[t])
        alike[count] = place
        count += np.uint64(grid[place] == grid[place - back])
    for t in range(count):
        mine, other = _root(parents, alike[t]), _root(parents, alike[t] - step)
        # The first voxel of a zone is its root: its size is counted with parents before it.
        parents[max(mine, other)] = min(mine, other)


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
