"""The mesh of a mask by marching cubes, as sums over its cubes.

A cube has a mask voxel's centre at each of its 8 corners; the surface crosses an edge between a
corner inside and one outside at its middle. On each face the corners inside are cut off from those
outside; the cuts close to loops, and a loop is filled with triangles. A cube's case is the sum of
2^corner over the corners inside. Cases with corner 7 inside are the opposite ones seen from within,
as in PyRadiomics: where such a cube meets one of the others at a face whose corners are inside
crosswise, the mesh is open, and its volume depends a little on where in its box the mask lies.

Where a loop is not flat, area and volume depend on its triangles. `_filled` makes those of the
table that PyRadiomics uses, too: C. Bloyd's, in the public domain, published by P. Bourke,
"Polygonising a scalar field", 1994. They follow one rule but in the four cases of `FAN_FROM`,
which were looked up in that table.

Sources: Lorensen & Cline 1987; the corners are numbered as Bourke numbers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled

CORNERS = np.array(
    [[0, 0, 0], [0, 0, 1], [0, 1, 1], [0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1], [1, 1, 0]]
)
"""Of a cube, (z, y, x)."""

FACES = ((0, 1, 2, 3), (4, 7, 6, 5), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (3, 7, 4, 0))
"""The corners of each face, turning to the same side as seen from outside."""

Crossing = tuple[int, int]
"""The middle of an edge, by its corners: the lower number first."""

FAN_FROM: dict[int, Crossing] = {58: (1, 2), 95: (1, 5), 123: (1, 2), 126: (0, 1)}
"""Case → where the triangles of its largest loop meet, in place of what the rule says."""

SHORT_SQUARED = 0.5
"""A side that cuts off a corner has a squared length of 0.5; one across a face, of 1."""


def cuts(face: Sequence[int], case: int) -> list[tuple[Crossing, Crossing]]:
    """The lines that cut off the corners inside, each from one crossing to another.

    Args:
        face: Its corners in turn.
        case: Sum of 2^corner over the corners inside.
    """
    inside = [bool(case >> corner & 1) for corner in face]
    size = len(face)
    found = []
    for first in range(size):
        if inside[first] and not inside[first - 1]:
            last = first
            while inside[(last + 1) % size]:
                last += 1
            ends = ((face[first - 1], face[first]), (face[last % size], face[(last + 1) % size]))
            found.append((_crossing(*ends[0]), _crossing(*ends[1])))
    return found


def triangles_of(case: int) -> list[tuple[Crossing, ...]]:
    """The triangles of a cube, each by the crossings at its corners, facing outwards."""
    if case >= 128:
        return [corners[::-1] for corners in triangles_of(case ^ 255)]
    following = dict(cut for face in FACES for cut in cuts(face, case))
    found = []
    while following:
        start, end = following.popitem()
        loop = [start]
        while end != start:
            loop.append(end)
            end = following.pop(end)
        found += _filled(loop, case)
    return found


def _crossing(one: int, other: int) -> Crossing:
    return min(one, other), max(one, other)


def _filled(loop: list[Crossing], case: int) -> list[tuple[Crossing, ...]]:
    """The loop's triangles, which meet at one of its crossings; those of six, see `_six`.

    In a loop of five that is the one after the crossing between the two long sides, or the one
    before it where most corners are inside: the same as seen from within. In a loop of seven it
    lies opposite of the short side between two long ones.
    """
    size = len(loop)
    middles = np.array([_middle(crossing) for crossing in loop])
    long = ((middles - np.roll(middles, -1, axis=0)) ** 2).sum(axis=1) > SHORT_SQUARED
    apex = 0
    if size > 4 and case in FAN_FROM:
        apex = loop.index(FAN_FROM[case])
    elif size == 5:
        between = next(k for k in range(size) if long[k - 1] and long[k])
        apex = between + (1 if case.bit_count() < 5 else -1)
    elif size == 6:
        return _six(loop, middles)
    elif size == 7:
        short = next(k for k in range(size) if long[k - 1] and long[(k + 1) % size])
        apex = short - 3
    turned = [loop[(apex + k) % size] for k in range(size)]
    return [(turned[0], turned[k], turned[k + 1]) for k in range(1, size - 1)]


def _six(loop: list[Crossing], middles: NDArray[np.float64]) -> list[tuple[Crossing, ...]]:
    """Four triangles: one of every second crossing, with the shorter sides, and three around it."""
    lengths = [
        sum(((middles[k] - middles[(k + 2) % 6]) ** 2).sum() for k in range(odd, 6, 2))
        for odd in (0, 1)
    ]
    odd = int(np.argmin(lengths))
    a, b, c, d, e, f = (*loop[odd:], *loop[:odd])
    return [(a, c, e), (a, b, c), (c, d, e), (e, f, a)]


def _middle(crossing: Crossing) -> NDArray[np.float64]:
    """In voxels from the cube's corner 0."""
    return np.asarray(CORNERS[list(crossing)].mean(axis=0))


@cache
def _all_triangles() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The case of each triangle, (T,), and its corners in voxels, (T, 3, 3)."""
    listed = [(case, corners) for case in range(256) for corners in triangles_of(case)]
    places = [[_middle(crossing) for crossing in corners] for _, corners in listed]
    return np.array([case for case, _ in listed]), np.array(places)


def surface_and_volume(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> tuple[float, float]:
    """Area (mm²) and volume (mm³) of the mesh around a mask.

    A triangle is the same in all cubes of a case, so the mask only tells how many cubes of each
    case there are, and where: in a cube at o, a triangle adds (d + o · g) / 6 to the volume, d
    being the determinant of its corners and g twice its area vector.

    Args:
        mask: (Z, Y, X), without voxels at its borders.
        spacing_mm: Along the array's axes.
    """
    spacing = np.asarray(spacing_mm, np.float64)
    counts, places = _cases(mask.astype(np.uint8))
    cases, corners = _all_triangles()
    a, b, c = np.moveaxis(corners * spacing, 1, 0)
    g = np.cross(b - a, c - a)
    d = (np.cross(a, b) * c).sum(axis=1)
    area = counts[cases] @ np.sqrt((g**2).sum(axis=1)) / 2
    volume = counts[cases] @ d + (places[cases] * spacing * g).sum()
    return float(area), float(volume / 6)


@compiled
def _cases(mask: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How many cubes of each case, (256,), and the sums of their indices, (256, 3)."""
    counts = np.zeros(256, np.int64)
    places = np.zeros((256, 3))
    for z in range(mask.shape[0] - 1):
        for y in range(mask.shape[1] - 1):
            left = mask[z, y, 0] + mask[z, y + 1, 0] * 8
            left += mask[z + 1, y, 0] * 16 + mask[z + 1, y + 1, 0] * 128
            for x in range(mask.shape[2] - 1):
                a, b = mask[z, y, x + 1], mask[z, y + 1, x + 1]
                c, d = mask[z + 1, y, x + 1], mask[z + 1, y + 1, x + 1]
                case = left + a * 2 + b * 4 + c * 32 + d * 64
                counts[case] += 1
                places[case, 0] += z
                places[case, 1] += y
                places[case, 2] += x
                left = a + b * 8 + c * 16 + d * 128
    return counts, places
