"""Shape in two dimensions, of the mask alone.

Source: PyRadiomics 3.0.1's documentation of the class; the outline is that of the marching
squares (Lorensen & Cline 1987 in two dimensions), crossing between pixels at the middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.features.axes import axis_variances
from rdfc_features_native.features.hulls import diameter_2d, vertices_of

CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))
MIDDLES = np.array([[0, 0.5], [0.5, 1], [1, 0.5], [0.5, 0]])
"""Of the edges between corners 0-1, 1-2, 2-3 and 3-0."""

LINES: dict[int, tuple[tuple[int, int], ...]] = {
    **{1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((1, 2), (3, 0))},
    **{6: ((0, 2),), 7: ((3, 2),), 8: ((2, 3),), 9: ((2, 0),), 10: ((0, 1), (2, 3))},
    **{11: ((2, 1),), 12: ((1, 3),), 13: ((1, 0),), 14: ((0, 3),)},
}
"""Case (sum of 2^corner over the corners inside) → lines between edges, the inside on the right."""


def shape2d_features(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> dict[str, float]:
    """All features by name, in mm and mm².

    Args:
        mask: (Y, X), at least one pixel inside.
        spacing_mm: Along the array's axes.
    """
    padded = np.pad(mask, 1)
    perimeter, surface = _outline(padded, spacing_mm)
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


def _outline(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> tuple[float, float]:
    """Length (mm) of the outline and the area within (mm²)."""
    height, width = mask.shape
    cases = np.zeros((height - 1, width - 1), np.int64)
    for corner, (y, x) in enumerate(CORNERS):
        cases += mask[y : height - 1 + y, x : width - 1 + x] * (1 << corner)
    spacing = np.asarray(spacing_mm, np.float64)
    perimeter, doubled = 0.0, 0.0
    for case, lines in LINES.items():
        origins = np.argwhere(cases == case) * spacing
        for start, end in lines:
            a, b = origins + MIDDLES[start] * spacing, origins + MIDDLES[end] * spacing
            perimeter += len(origins) * float(np.hypot(*((MIDDLES[end] - MIDDLES[start]) * spacing)))
            doubled += float((a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]).sum())
    return perimeter, doubled / 2
