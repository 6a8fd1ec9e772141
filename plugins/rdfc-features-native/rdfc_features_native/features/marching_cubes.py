"""The triangles of the marching cubes, and the mesh of a mask as sums over its cubes.

A cube has a mask voxel's centre at each of its 8 corners; the surface crosses an edge at its
middle. Corners: 0 (0,0,0), 1 (0,0,1), 2 (0,1,1), 3 (0,1,0), 4 to 7 the same with z = 1. A cube's
case is the sum of 2^corner over the corners inside; cases with corner 7 inside are the opposite
ones seen from within.

Sources: Lorensen & Cline 1987; the numbering of corners and edges is that of P. Bourke,
"Polygonising a scalar field", 1994, whose table is in the public domain.
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
EDGES = (
    *((0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6)),
    *((6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)),
)
"""The two corners of each of the 12 edges."""

_TRIANGLES = """
- 083 019 183198 12a 08312a 0292a9 2832a88a9 23b 08b0b2 01923b 19b1b28b9 13a3ba 08a0a18ba
0393b99ba 8a98ba 478 043347 019478 147173194 12a478 04312a347 0292a9478 2732972a9479 23b478
04224b47b 01923b478 19229b47b4b9 13a3ba478 04114b1ba47b 0393b94789ba 47b4b99ba 495 083495
015054 153358485 12a495 08312a495 0242542a5 2532a5348354 23b495 08b0b2495 01505423b
15225828b485 13a3ba495 08a0a14958ba 03b0540b55ba 48558a8ba 579789 093357395 017078157 157173
12a579789 09312a357395 0282582a5578 2532a5357 23b579789 09227b297579 01815717823b 15717b1b2
13a3ba579789 05707b0950a10ba 03b0570780a50ba 57b5ba 5a6 0835a6 0195a6 1831985a6 126165
083126165 026069596 258265283598 23b5a6 08b0b25a6 01923b5a6 19b1b25a68b9 1353653b6
05108b0b55b6 0360590653b6 59669b8b9 4785a6 0433475a6 0194785a6 1471731945a6 126165478
043126165347 026069478596 269293397479596 23b4785a6 04224b47b5a6 01923b4785a6
19229b47b4b95a6 1353653b6478 04b0b11b547b5b6 0360590653b6478 47959669b7b9 49a4a6 08349a4a6
01a0640a6 1681831a6486 124149264 083124149264 024264 248264283 23b49a4a6 08b0b249a4a6
01a0640a623b 14816418b1a61b2 1393693b6496 08114916418b1b6 0360643b6 48668b 67a78a89a
07309a0a767a 0181781a767a 1731a767a 126168189678 093129269397679 026067078 267273
23b67a78a89a 07209727b67a79a 0181781a723b67a 16717b1a61b2 1361693b6678689 09167b
03b0670780b6 67b
"""


def triangles_of(case: int) -> list[tuple[int, ...]]:
    """The triangles of a cube, each by the edges that its corners lie on, facing outwards."""
    inverted = case >= 128
    text = _TRIANGLES.split()[case ^ 255 if inverted else case].strip("-")
    found = [tuple(int(edge, 16) for edge in text[k : k + 3]) for k in range(0, len(text), 3)]
    return [edges[::-1] for edges in found] if inverted else found


@cache
def _all_triangles() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The case of each triangle, (T,), and its corners in voxels, (T, 3, 3)."""
    listed = [(case, edges) for case in range(256) for edges in triangles_of(case)]
    middles = np.array([CORNERS[list(edge)].mean(axis=0) for edge in EDGES])
    return np.array([case for case, _ in listed]), middles[np.array([e for _, e in listed])]


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
