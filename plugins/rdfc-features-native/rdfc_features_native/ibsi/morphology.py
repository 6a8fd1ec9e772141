"""Shape of the morphological mask, and what intensities say of the place.

Source: IBSI reference manual, arXiv:1612.07003, section 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from rdfc_core.volume import Box, bounding_box, extents_of
from rdfc_features_native.features.axes import axis_variances
from rdfc_features_native.features.hulls import diameters, vertices_of
from rdfc_features_native.features.marching_cubes import surface_and_volume
from rdfc_features_native.ibsi.autocorrelation import autocorrelation
from rdfc_features_native.ibsi.enclosing import (
    box_body,
    ellipsoid_body,
    smallest_box,
    smallest_ellipsoid,
)

Mask = NDArray[np.bool_]


def morphology_features(
    image: NDArray[Any], intensity_mask: Mask, mask: Mask, spacing_mm: Sequence[float]
) -> dict[str, float]:
    """The family ``shape``, in mm, mm² and mm³.

    Args:
        image: (Z, Y, X).
        intensity_mask: The voxels whose intensities count; part of the mask.
        mask: The morphological mask, at least one voxel.
        spacing_mm: Along the array's axes.
    """
    box = bounding_box(mask)
    inside = mask[box]
    padded = np.pad(inside, 1)
    area, volume = surface_and_volume(padded, spacing_mm)
    vertices = vertices_of(padded)
    count = int(inside.sum())
    # An outline's axes are those of its voxels' centres, with variances over N − 1.
    variances = axis_variances(inside, spacing_mm) * (count / (count - 1) if count > 1 else 1)
    least, minor, major = (math.sqrt(variance) for variance in variances)
    sphere_area = (36 * math.pi * volume**2) ** (1 / 3)
    return {
        "MeshVolume": volume,
        "VoxelVolume": count * math.prod(spacing_mm),
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "Compactness1": volume / (math.sqrt(math.pi) * area**1.5),
        "Compactness2": 36 * math.pi * volume**2 / area**3,
        "SphericalDisproportion": area / sphere_area,
        "Sphericity": sphere_area / area,
        "Asphericity": area / sphere_area - 1,
        "Maximum3DDiameter": diameters(vertices, spacing_mm)[3],
        "MajorAxisLength": 4 * major,
        "MinorAxisLength": 4 * minor,
        "LeastAxisLength": 4 * least,
        "Elongation": minor / major if major > 0 else math.nan,
        "Flatness": least / major if major > 0 else math.nan,
        **_densities(area, volume, vertices, box, spacing_mm, (least, minor, major)),
        **_with_intensities(image, intensity_mask, mask, box, spacing_mm, volume),
    }


def _densities(
    area: float,
    volume: float,
    vertices: NDArray[np.int64],
    box: Box,
    spacing_mm: Sequence[float],
    deviations_mm: Sequence[float],
) -> dict[str, float]:
    """The mesh's volume and area as shares of those of bodies around it."""
    hull = ConvexHull(vertices * (np.asarray(spacing_mm) / 2))
    sides_mm = [n * mm for n, mm in zip(extents_of(box), spacing_mm, strict=True)]
    flat = min(deviations_mm) <= 0
    radii_mm = [2 * deviation for deviation in deviations_mm]
    bodies = {
        "AABB": box_body(sides_mm),
        "OMBB": smallest_box(hull),
        "AEE": (math.nan, math.nan) if flat else ellipsoid_body(radii_mm),
        "MVEE": smallest_ellipsoid(hull.points[hull.vertices]),
        "ConvexHull": (float(hull.volume), float(hull.area)),
    }
    found = {f"VolumeDensity{name}": volume / body[0] for name, body in bodies.items()}
    return found | {f"AreaDensity{name}": area / body[1] for name, body in bodies.items()}


def _with_intensities(
    image: NDArray[Any],
    intensity_mask: Mask,
    mask: Mask,
    box: Box,
    spacing_mm: Sequence[float],
    volume: float,
) -> dict[str, float]:
    inside = intensity_mask[box]
    values = image[box][inside].astype(np.float64)
    spacing = np.asarray(spacing_mm)
    places = np.argwhere(inside)
    total = values.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted = values @ places / total
    shift_mm = (np.argwhere(mask[box]).mean(axis=0) - weighted) * spacing
    return {
        "CentreOfMassShift": float(np.sqrt((shift_mm**2).sum())),
        "IntegratedIntensity": volume * float(values.mean()),
        **autocorrelation(values, inside, spacing_mm),
    }
