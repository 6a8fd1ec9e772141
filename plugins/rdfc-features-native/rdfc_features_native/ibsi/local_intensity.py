"""Peaks: means of spheres of 1 cm³ around voxels.

Source: IBSI reference manual, arXiv:1612.07003, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import Box

RADIUS_MM = 10 * (3 / (4 * math.pi)) ** (1 / 3)
"""Of a sphere of 1 cm³."""


def local_intensity_features(
    image: NDArray[Any], mask: NDArray[np.bool_], box: Box, spacing_mm: Sequence[float]
) -> dict[str, float]:
    """The family ``local``; voxels outside the mask count, those outside the image do not.

    Args:
        image: The whole image, (Z, Y, X).
        mask: The box's part of the intensity mask.
        box: Where the mask lies.
        spacing_mm: Along the array's axes.
    """
    from scipy import signal  # here: slow to load

    reach = [int(RADIUS_MM / mm) for mm in spacing_mm]
    part = tuple(
        slice(max(0, along.start - far), min(length, along.stop + far))
        for along, far, length in zip(box, reach, image.shape, strict=True)
    )
    axes = [np.arange(-far, far + 1) * mm for far, mm in zip(reach, spacing_mm, strict=True)]
    squares = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    sphere = (squares <= RADIUS_MM**2).astype(np.float64)
    around = image[part].astype(np.float64)
    offset = around.mean()  # sums of a transform are as exact as the largest number in them
    sums = signal.fftconvolve(around - offset, sphere, mode="same")
    voxels = np.rint(signal.fftconvolve(np.ones_like(around), sphere, mode="same"))
    inner = tuple(
        slice(along.start - outer.start, along.stop - outer.start)
        for along, outer in zip(box, part, strict=True)
    )
    peaks = (sums[inner] / voxels[inner] + offset)[mask]
    values = image[box][mask]
    return {
        "LocalPeak": float(peaks[values == values.max()].max()),
        "GlobalPeak": float(peaks.max()),
    }
