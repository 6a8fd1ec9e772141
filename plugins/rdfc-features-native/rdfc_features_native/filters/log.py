"""The Laplacian of Gaussian, as ITK's recursive filter gives it, by matrix products.

ITK's recursive Gaussian is linear along each axis and takes the outermost value as repeated
without end. So it is a convolution, whose taps are its answer to a single bright voxel; values
beyond the border add to the taps of the outermost voxel. Its tails are longer than a Gaussian's.

Source: ITK's LaplacianRecursiveGaussianImageFilter, normalised across scales, whose output is
float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.filters.deriche import gaussian_taps
from rdfc_features_native.region import Box

NEGLIGIBLE = 1e-8
"""Of volumes, taps are left out where together they are less than this part of all. Of pictures
none is: where ultrasound is black over many sigma, the last of the tail decides between two bins.
"""
MOST_PRECISE = 2**20
"""Up to so many samples products are taken in double precision; above in single, as ITK does."""

Matrix = NDArray[Any]


def laplacian_of_gaussian(
    image: NDArray[np.generic], box: Box, spacing_mm: Sequence[float], sigma_mm: float
) -> NDArray[np.float32]:
    """The filtered box.

    Args:
        image: The whole image.
        box: The part that is needed.
        spacing_mm: Along the array's axes.
        sigma_mm: Width of the Gaussian.
    """
    smooth: list[Matrix] = []
    curve: list[Matrix] = []
    window: list[slice] = []
    for along, length, distance_mm in zip(box, image.shape, spacing_mm, strict=True):
        taps = gaussian_taps(sigma_mm / distance_mm, 0.0 if image.ndim == 2 else NEGLIGIBLE)
        blur, bend, needed = _matrices(along.start, along.stop, length, *taps)
        smooth.append(blur)
        curve.append(bend)
        window.append(needed)
    part = image[tuple(window)]
    precise = part.size <= MOST_PRECISE
    dtype = np.float64 if precise else np.float32
    return _laplacian(
        part.astype(dtype, order="C"),
        [matrix.astype(dtype, copy=False) for matrix in smooth],
        [matrix.astype(dtype, copy=False) for matrix in curve],
    ).astype(np.float32, copy=False)


def _laplacian(part: Matrix, smooth: Sequence[Matrix], curve: Sequence[Matrix]) -> Matrix:
    """Sum over the axes of the second derivative along it, smoothed along the others.

    The axis along which the least is wanted goes first: it leaves less for the next.
    """
    smoothed, curved = part, part[:0]
    order = sorted(range(part.ndim), key=lambda axis: len(smooth[axis]))
    for axis in order:
        bent = _along(smoothed, curve[axis], axis)
        if curved.size:
            bent += _along(curved, smooth[axis], axis)
        curved = bent
        if axis != order[-1]:
            smoothed = _along(smoothed, smooth[axis], axis)
    return curved


def _along(part: Matrix, matrix: Matrix, axis: int) -> Matrix:
    """The matrix applied along one axis."""
    if axis == part.ndim - 1:
        return part @ matrix.T
    if axis == 0:
        return (matrix @ part.reshape(len(part), -1)).reshape(-1, *part.shape[1:])
    return np.asarray(np.matmul(matrix, part))


def _matrices(
    start: int, stop: int, length: int, *taps: NDArray[np.float64]
) -> tuple[Matrix, Matrix, slice]:
    """Smoothing and curvature of the samples wanted, from those of the line that matter.

    Args:
        start: The first sample wanted.
        stop: The one after the last.
        length: Of the line.
        taps: Of smoothing and of curvature.
    """
    reach = len(taps[0]) // 2
    window = slice(max(0, start - reach), min(length, stop + reach))
    smooth, curve = (
        _matrix(answer, start, stop, window.start, window.stop, length) for answer in taps
    )
    return smooth, curve, window


@compiled
def _matrix(
    taps: NDArray[np.float64], start: int, stop: int, first: int, last: int, length: int
) -> Matrix:
    """What samples ``first`` to ``last`` add to samples ``start`` to ``stop``."""
    reach = taps.size // 2
    matrix = np.zeros((stop - start, last - first))
    before = np.zeros(taps.size + 1)
    for k in range(taps.size):
        before[k + 1] = before[k] + taps[k]
    for n in range(start, stop):
        row = matrix[n - start]
        for k in range(max(0, first - n + reach), min(taps.size, last - n + reach)):
            row[n - reach + k - first] = taps[k]
        if n < reach:  # the taps before the line: its first sample is repeated there
            row[0] = before[reach - n + 1]
        if n + reach >= length:
            row[-1] = before[taps.size] - before[reach + length - 1 - n]
        if n < reach and n + reach >= length and length == 1:
            row[0] = before[taps.size]
    return matrix
