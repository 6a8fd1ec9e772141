"""Diameters of a mask's mesh, from the convex hulls of its planes.

The mesh's vertices are the middles between a voxel inside and its neighbour outside. They lie on
the lattice of half voxels, so coordinates are doubled here and kept as integers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

Points = NDArray[np.int64]


def vertices_of(mask: NDArray[np.bool_]) -> Points:
    """The mesh's vertices in half voxels, (M, d), of a mask without voxels at its borders."""
    found = []
    for axis in range(mask.ndim):
        ahead = mask.swapaxes(0, axis)
        crossing = np.argwhere(ahead[1:] != ahead[:-1])
        crossing[:, [0, axis]] = crossing[:, [axis, 0]]
        doubled = 2 * crossing
        doubled[:, axis] += 1
        found.append(doubled)
    return np.concatenate(found).astype(np.int64)


def diameters(vertices: Points, spacing_mm: Sequence[float]) -> tuple[float, float, float, float]:
    """The largest distance (mm) within a plane across each of the axes, and in space.

    Args:
        vertices: In half voxels, (M, 3).
        spacing_mm: Along the array's axes.
    """
    spacing = np.asarray(spacing_mm, np.float64) / 2
    across = []
    hull = vertices
    for axis in range(3):
        points, planes = _plane_hulls(vertices, axis)
        across.append(_farthest_in_planes(points * spacing, planes))
        if axis == 0:
            hull = points  # the hull of all has its vertices among those of the planes
    return (across[0], across[1], across[2], _farthest(hull * spacing))


def diameter_2d(vertices: Points, spacing_mm: Sequence[float]) -> float:
    """The largest distance (mm) between vertices in half pixels, (M, 2)."""
    flat = np.column_stack([np.zeros(len(vertices), np.int64), vertices])
    points, _ = _plane_hulls(flat, 0)
    return _farthest(points[:, 1:] * (np.asarray(spacing_mm, np.float64) / 2))


def _plane_hulls(vertices: Points, axis: int) -> tuple[Points, Points]:
    """The vertices of each plane's convex hull, (H, 3), and where each plane's begin, (P + 1,)."""
    row, column = (other for other in range(3) if other != axis)
    extents = vertices.max(axis=0) + 1
    ends = _ends(vertices[:, [axis, row, column]], int(extents[axis]), int(extents[row]))
    points, starts = _chains(ends)
    ordered = np.empty_like(points)
    ordered[:, [axis, row, column]] = points
    return ordered, starts


@compiled
def _ends(points: Points, planes: int, rows: int) -> Points:
    """The least and largest third coordinate in each plane and row, (P, R, 2).

    The largest is -1 where there is none.
    """
    ends = np.empty((planes, rows, 2), np.int64)
    ends[:, :, 0] = np.iinfo(np.int64).max
    ends[:, :, 1] = -1
    for k in range(points.shape[0]):
        plane, row, column = points[k]
        ends[plane, row, 0] = min(ends[plane, row, 0], column)
        ends[plane, row, 1] = max(ends[plane, row, 1], column)
    return ends


@compiled
def _chains(ends: Points) -> tuple[Points, Points]:
    """Both chains of each plane's convex hull (Andrew 1979), planes after one another."""
    planes, rows, _ = ends.shape
    points = np.empty((planes * rows * 2, 3), np.int64)
    starts = np.zeros(planes + 1, np.int64)
    count = 0
    for plane in range(planes):
        for side in range(2):
            bottom = count
            turn = 1 - 2 * side
            for row in range(rows):
                if ends[plane, row, 1] < 0:
                    continue
                column = ends[plane, row, side]
                while count - bottom >= 2:
                    dr = points[count - 1, 1] - points[count - 2, 1]
                    dc = points[count - 1, 2] - points[count - 2, 2]
                    er = row - points[count - 2, 1]
                    ec = column - points[count - 2, 2]
                    if (dr * ec - dc * er) * turn > 0:
                        break
                    count -= 1
                points[count, 0], points[count, 1], points[count, 2] = plane, row, column
                count += 1
        starts[plane + 1] = count
    return points[:count].copy(), starts


@compiled
def _farthest_in_planes(points: NDArray[np.float64], starts: Points) -> float:
    farthest = 0.0
    for plane in range(starts.size - 1):
        for i in range(starts[plane], starts[plane + 1]):
            for j in range(i + 1, starts[plane + 1]):
                squared = 0.0
                for axis in range(points.shape[1]):
                    squared += (points[i, axis] - points[j, axis]) ** 2
                farthest = max(farthest, squared)
    return float(np.sqrt(farthest))


@compiled
def _farthest(points: NDArray[np.float64]) -> float:
    """The largest distance between any two points, the outermost points first.

    Two points are no farther apart than their distances from the middle add up to.
    """
    middle = np.empty(points.shape[1])
    for axis in range(points.shape[1]):
        middle[axis] = (points[:, axis].min() + points[:, axis].max()) / 2
    radii = np.zeros(points.shape[0])
    for k in range(points.shape[0]):
        for axis in range(points.shape[1]):
            radii[k] += (points[k, axis] - middle[axis]) ** 2
    radii = np.sqrt(radii)
    order = np.argsort(-radii)
    farthest = 0.0
    for i in range(order.size):
        if radii[order[0]] + radii[order[i]] < farthest:
            break
        for j in range(i):
            if radii[order[i]] + radii[order[j]] < farthest:
                break
            squared = 0.0
            for axis in range(points.shape[1]):
                squared += (points[order[i], axis] - points[order[j], axis]) ** 2
            if squared > farthest * farthest:
                farthest = np.sqrt(squared)
    return float(farthest)
