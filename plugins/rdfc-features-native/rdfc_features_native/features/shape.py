"""Shape in three dimensions, of the mask alone.

Source: PyRadiomics 3.0.1's documentation of the class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.features.axes import axis_variances
from rdfc_features_native.features.hulls import diameters, vertices_of
from rdfc_features_native.features.marching_cubes import surface_and_volume


def shape_features(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> dict[str, float]:
    """All features by name, in mm, mm² and mm³.

    Args:
        mask: (Z, Y, X), at least one voxel inside.
        spacing_mm: Along the array's axes.
    """
    padded = np.pad(mask, 1)
    area, volume = surface_and_volume(padded, spacing_mm)
    across_slices, across_columns, across_rows, in_space = diameters(
        vertices_of(padded), spacing_mm
    )
    least, minor, major = axis_variances(mask, spacing_mm)
    sphere_area = (36 * math.pi * volume**2) ** (1 / 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        elongation, flatness = np.sqrt(minor / major), np.sqrt(least / major)
    return {
        "Elongation": float(elongation),
        "Flatness": float(flatness),
        "LeastAxisLength": 4 * math.sqrt(least),
        "MajorAxisLength": 4 * math.sqrt(major),
        "Maximum2DDiameterColumn": across_columns,
        "Maximum2DDiameterRow": across_rows,
        "Maximum2DDiameterSlice": across_slices,
        "Maximum3DDiameter": in_space,
        "MeshVolume": volume,
        "MinorAxisLength": 4 * math.sqrt(minor),
        "Sphericity": sphere_area / area,
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "VoxelVolume": float(mask.sum() * math.prod(spacing_mm)),
        "Compactness1": volume / (area**1.5 * math.sqrt(math.pi)),
        "Compactness2": 36 * math.pi * volume**2 / area**3,
        "SphericalDisproportion": area / sphere_area,
    }
