"""The Laplacian of Gaussian, as ITK's recursive filter gives it.

Of pictures and small volumes by that recursion itself, of large volumes by matrix products.

ITK's recursive Gaussian is linear along each axis and takes the outermost value as repeated
without end. So it is a convolution, whose taps are its answer to a single bright voxel; values
beyond the border add to the taps of the outermost voxel. Its tails are longer than a Gaussian's.

Source: ITK's LaplacianRecursiveGaussianImageFilter, normalised across scales, whose output is
float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import Box, extents_of
from rdfc_features_native.compiling import compiled
from rdfc_features_native.filters.deriche import TAIL_SIGMAS, gaussian_taps
from rdfc_features_native.filters.recursion import recursive_laplacian

NEGLIGIBLE = 1e-8
"""Taps are left out where together they are less than this part of all."""
RECURSIVE = 2**20
"""Up to so many samples that matter ITK's recursion is run itself; above, products take less."""

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
    sigmas = [sigma_mm / distance_mm for distance_mm in spacing_mm]
    reach = [math.ceil(TAIL_SIGMAS * sigma) for sigma in sigmas]
    window = tuple(
        slice(max(0, along.start - beyond), min(length, along.stop + beyond))
        for along, beyond, length in zip(box, reach, image.shape, strict=True)
    )
    if math.prod(extents_of(window)) <= RECURSIVE:
        inner = tuple(
            slice(along.start - part.start, along.stop - part.start)
            for along, part in zip(box, window, strict=True)
        )
        return recursive_laplacian(image[window], inner, spacing_mm, sigma_mm)
    return _by_products(image, box, sigmas)


def _by_products(
    image: NDArray[np.generic], box: Box, sigmas: Sequence[float]
) -> NDArray[np.float32]:
    """The filtered box, in single precision throughout; ``sigmas`` in samples, one an axis."""
    smooth: list[Matrix] = []
    curve: list[Matrix] = []
    window: list[slice] = []
    for along, length, sigma in zip(box, image.shape, sigmas, strict=True):
        taps = gaussian_taps(sigma, NEGLIGIBLE)
        blur, bend, needed = _matrices(along.start, along.stop, length, *taps)
        smooth.append(blur.astype(np.float32))
        curve.append(bend.astype(np.float32))
        window.append(needed)
    part = image[tuple(window)].astype(np.float32, order="C")
    return np.asarray(_laplacian(part, smooth, curve))


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
