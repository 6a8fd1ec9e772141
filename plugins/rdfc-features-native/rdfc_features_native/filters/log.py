"""The Laplacian of Gaussian, as ITK's recursive filter gives it, by matrix products.

ITK's recursive Gaussian is linear along each axis and takes the outermost value as repeated
without end. So it is a convolution, whose taps are its answer to a single bright voxel; values
beyond the border add to the taps of the outermost voxel. Its tails are longer than a Gaussian's.

Source: ITK's LaplacianRecursiveGaussianImageFilter (after Deriche 1993), normalised across
scales; its output is float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.region import Box

NEGLIGIBLE = 1e-8
"""Taps are left out where together they are less than this part of all."""
TAIL_SIGMAS = 16
"""The answer to a single voxel is computed up to here."""

Matrix = NDArray[np.float32]


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
    smooth, curve, window = [], [], []
    for along, length, distance_mm in zip(box, image.shape, spacing_mm, strict=True):
        blur, bend, part = _matrices(
            along.start, along.stop, length, float(distance_mm), float(sigma_mm)
        )
        smooth.append(blur)
        curve.append(bend)
        window.append(part)
    part = image[tuple(window)].astype(np.float32, order="C")
    part -= image[box].mean(dtype=np.float64)  # a constant has no curvature, but costs digits
    return _laplacian(part, smooth, curve)


def _laplacian(part: Matrix, smooth: Sequence[Matrix], curve: Sequence[Matrix]) -> Matrix:
    """Sum over the axes of the second derivative along it, smoothed along the others.

    The longest axis goes first, last to first: each product leaves less for the next.
    """
    smoothed, curved = part, np.zeros(0)
    for axis in reversed(range(part.ndim)):
        bent = _along(smoothed, curve[axis], axis)
        if curved.size:
            bent += _along(curved, smooth[axis], axis)
        curved = bent
        if axis > 0:
            smoothed = _along(smoothed, smooth[axis], axis)
    return curved


def _along(part: Matrix, matrix: Matrix, axis: int) -> Matrix:
    """The matrix applied along one axis."""
    if axis == part.ndim - 1:
        return part @ matrix.T
    if axis == 0:
        return (matrix @ part.reshape(len(part), -1)).reshape(-1, *part.shape[1:])
    return np.matmul(matrix, part)


@lru_cache(maxsize=256)
def _matrices(
    start: int, stop: int, length: int, spacing_mm: float, sigma_mm: float
) -> tuple[Matrix, Matrix, slice]:
    """Smoothing and curvature (a mm²) from the voxels of a line that matter to those wanted."""
    blur, bend = _taps(spacing_mm, sigma_mm)
    reach = len(blur) // 2
    window = slice(max(0, start - reach), min(length, stop + reach))
    rows = np.arange(start, stop)[:, None]
    columns = np.arange(window.start, window.stop)
    smooth, curve = (_toeplitz(taps, rows, columns) for taps in (blur, bend))
    for matrix, taps in ((smooth, blur), (curve, bend)):
        before = np.concatenate([[0.0], np.cumsum(taps)])
        if window.start == 0:  # all taps that lie before the first voxel
            matrix[:, 0] += before[np.clip(reach - rows[:, 0], 0, len(taps))]
        if window.stop == length:
            beyond = np.clip(reach + length - rows[:, 0], 0, len(taps))
            matrix[:, -1] += before[-1] - before[beyond]
    return smooth.astype(np.float32), (curve / spacing_mm**2).astype(np.float32), window


def _toeplitz(taps: Matrix, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Matrix:
    reach = len(taps) // 2
    index = columns - rows + reach
    inside = (index >= 0) & (index < len(taps))
    return np.where(inside, taps[np.clip(index, 0, len(taps) - 1)], 0.0)


@lru_cache(maxsize=64)
def _taps(spacing_mm: float, sigma_mm: float) -> tuple[Matrix, Matrix]:
    """The answers of ITK's smoothing and second derivative to one voxel, equally long and odd."""
    import SimpleITK as sitk  # noqa: N813  (loaded when the filter is asked for)

    half = max(8, math.ceil(TAIL_SIGMAS * sigma_mm / spacing_mm))
    impulse = np.zeros((1, 2 * half + 1))
    impulse[0, half] = 1
    image = sitk.GetImageFromArray(impulse)
    image.SetSpacing((spacing_mm, 1.0))
    taps = []
    for order in (sitk.RecursiveGaussianImageFilter.ZeroOrder, 2):
        recursive = sitk.RecursiveGaussianImageFilter()
        recursive.SetSigma(sigma_mm)
        recursive.SetNormalizeAcrossScale(True)
        recursive.SetOrder(order)
        recursive.SetDirection(0)
        taps.append(sitk.GetArrayFromImage(recursive.Execute(image))[0].astype(np.float64))
    needed = max(_half_width(answer) for answer in taps)
    return taps[0][half - needed : half + needed + 1], taps[1][half - needed : half + needed + 1]


def _half_width(taps: Matrix) -> int:
    """How many taps beside the middle one are not negligible."""
    half = len(taps) // 2
    outer = np.abs(taps[half + 1 :]) + np.abs(taps[half - 1 :: -1])
    rest = outer[::-1].cumsum()[::-1]  # of this tap and all beyond
    return int(np.count_nonzero(rest > NEGLIGIBLE * np.abs(taps).sum())) or 1
