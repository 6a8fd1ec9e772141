"""Spatial autocorrelation, over all pairs of voxels at once by Fourier transforms.

Sources: Moran 1950, Geary 1954; IBSI reference manual, arXiv:1612.07003, section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft


def autocorrelation(
    values: NDArray[Any], mask: NDArray[np.bool_], spacing_mm: Sequence[float]
) -> dict[str, float]:
    """Moran's I and Geary's C, with the inverse distance of two voxels as the weight of a pair.

    Args:
        values: Of the mask's voxels, (N,).
        mask: (Z, Y, X).
        spacing_mm: Along the array's axes.
    """
    away = values.astype(np.float64) - values.mean()
    squares = float((away**2).sum())
    count = len(away)
    if count < 2 or squares == 0:
        return {"MoransI": np.nan, "GearysC": np.nan}
    size = [fft.next_fast_len(2 * n - 1, real=True) for n in mask.shape]
    weights = fft.rfftn(_inverse_distances(size, spacing_mm))
    of_voxels = _weighted(mask.astype(np.float64), weights, size)[mask]
    field = np.zeros(mask.shape)
    field[mask] = away
    total = float(of_voxels.sum())
    product = float((_weighted(field, weights, size)[mask] * away).sum())
    differences = 2 * float((of_voxels * away**2).sum()) - 2 * product
    return {
        "MoransI": count / total * product / squares,
        "GearysC": (count - 1) / (2 * total) * differences / squares,
    }


def _inverse_distances(size: Sequence[int], spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """From the first voxel of a periodic grid to each; 0 to itself."""
    axes = [
        np.minimum(np.arange(n), n - np.arange(n)) * mm
        for n, mm in zip(size, spacing_mm, strict=True)
    ]
    squares = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij", sparse=True))
    squares = np.asarray(squares)
    squares[(0,) * squares.ndim] = np.inf
    return np.asarray(1 / np.sqrt(squares))


def _weighted(
    field: NDArray[np.float64], weights: NDArray[np.complex128], size: Sequence[int]
) -> NDArray[np.float64]:
    """Of each voxel: the sum of the field over all others by their inverse distance."""
    found = fft.irfftn(fft.rfftn(field, size) * weights, size)
    return np.asarray(found[tuple(slice(0, n) for n in field.shape)])
