"""Shape in two dimensions, of the mask alone.

Source: PyRadiomics 3.0.1's documentation of the class; the outline is that of the marching
squares (Lorensen & Cline 1987 in two dimensions), crossing between pixels at the middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.features.axes import axis_variances
from rdfc_features_native.features.hulls import diameter_2d, vertices_of
from rdfc_features_native.features.marching_cubes import cuts

SQUARE = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
"""The corners of a square, (y, x), in turn."""


@cache
def _lines() -> NDArray[np.float64]:
    """Start and end of the up to two lines of each case, (16, 2, 2, 2); NaN where there is none.

    A case is the sum of 2^corner over the corners inside, which the lines cut off from the others.
    """
    lines = np.full((16, 2, 2, 2), np.nan)
    for case in range(16):
        for k, cut in enumerate(cuts(range(4), case)):
            lines[case, k] = [SQUARE[list(crossing)].mean(axis=0) for crossing in cut]
    return lines


def shape2d_features(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> dict[str, float]:
    """All features by name, in mm and mm².

    Args:
        mask: (Y, X), at least one pixel inside.
        spacing_mm: Along the array's axes.
    """
    padded = np.pad(mask, 1)
    perimeter, surface = _outline(padded, np.asarray(spacing_mm, np.float64), _lines())
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
    lines: NDArray[np.float64],
) -> tuple[float, float]:
    """Length (mm) of the outline and the area within (mm²); ``lines`` as `_lines` gives them."""
    perimeter, doubled = 0.0, 0.0
    for y in range(mask.shape[0] - 1):
        for x in range(mask.shape[1] - 1):
            case = np.int64(mask[y, x]) + 2 * mask[y, x + 1]
            case += 4 * mask[y + 1, x + 1] + 8 * mask[y + 1, x]
            if case in (0, 15):  # most squares
                continue
            for line in lines[case]:
                if not np.isnan(line[0, 0]):
                    ay, ax = (y + line[0, 0]) * spacing_mm[0], (x + line[0, 1]) * spacing_mm[1]
                    by, bx = (y + line[1, 0]) * spacing_mm[0], (x + line[1, 1]) * spacing_mm[1]
                    perimeter += np.hypot(ay - by, ax - bx)
                    doubled += ay * bx - by * ax
    return perimeter, doubled / 2
