"""Shape in two dimensions, of the mask alone.

Source: PyRadiomics 3.0.1's documentation of the class; the outline is that of the marching
squares (Lorensen & Cline 1987 in two dimensions), crossing between pixels at the middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.axes import axis_variances
from rdfc_features_native.features.hulls import diameter_2d, vertices_of

MIDDLES = np.array([[0, 0.5], [0.5, 1], [1, 0.5], [0.5, 0]])
"""Of the edges of a square: between its corners 0 (0, 0), 1 (0, 1), 2 (1, 1) and 3 (1, 0)."""

LINES = np.array(
    [
        *([-1, -1, -1, -1], [3, 0, -1, -1], [0, 1, -1, -1], [3, 1, -1, -1], [1, 2, -1, -1]),
        *([1, 2, 3, 0], [0, 2, -1, -1], [3, 2, -1, -1], [2, 3, -1, -1], [2, 0, -1, -1]),
        *([0, 1, 2, 3], [2, 1, -1, -1], [1, 3, -1, -1], [1, 0, -1, -1], [0, 3, -1, -1]),
        [-1, -1, -1, -1],
    ]
)
"""Of each case (sum of 2^corner over the corners inside), up to two lines: from edge, to edge."""


def shape2d_features(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> dict[str, float]:
    """All features by name, in mm and mm².

    Args:
        mask: (Y, X), at least one pixel inside.
        spacing_mm: Along the array's axes.
    """
    padded = np.pad(mask, 1)
    perimeter, surface = _outline(padded, np.asarray(spacing_mm, np.float64), LINES, MIDDLES)
    minor, major = axis_variances(mask, spacing_mm)
    sphericity = 2 * math.sqrt(math.pi * surface) / perimeter
    return {
        "Elongation": math.sqrt(minor / major) if major > 0 else math.nan,
        "MajorAxisLength": 4 * math.sqrt(major),
        "MaximumDiameter": diameter_2d(vertices_of(padded), spacing_mm),
        "MeshSurface": surface,
        "MinorAxisLength": 4 * math.sqrt(minor),
        "Perimeter": perimeter,
        "PerimeterSurfaceRatio": perimeter / surface,
        "PixelSurface": float(mask.sum() * math.prod(spacing_mm)),
        "Sphericity": sphericity,
        "SphericalDisproportion": 1 / sphericity,
    }


@compiled
def _outline(
    mask: NDArray[np.bool_],
    spacing_mm: NDArray[np.float64],
    table: NDArray[np.int64],
    middles: NDArray[np.float64],
) -> tuple[float, float]:
    """Length (mm) of the outline and the area within (mm²)."""
    perimeter, doubled = 0.0, 0.0
    for y in range(mask.shape[0] - 1):
        for x in range(mask.shape[1] - 1):
            case = np.int64(mask[y, x]) + 2 * mask[y, x + 1]
            case += 4 * mask[y + 1, x + 1] + 8 * mask[y + 1, x]
            lines = table[case]
            for k in range(0, 4, 2):
                if lines[k] >= 0:
                    start, end = middles[lines[k]], middles[lines[k + 1]]
                    ay, ax = (y + start[0]) * spacing_mm[0], (x + start[1]) * spacing_mm[1]
                    by, bx = (y + end[0]) * spacing_mm[0], (x + end[1]) * spacing_mm[1]
                    perimeter += np.hypot(ay - by, ax - bx)
                    doubled += ay * bx - by * ax
    return perimeter, doubled / 2
