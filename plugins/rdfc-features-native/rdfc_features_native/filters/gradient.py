"""Magnitude of the gradient, by central differences.

Source: ITK's GradientMagnitudeImageFilter, whose output is float32; at the image's borders the
outermost value is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import Box
from rdfc_features_native.filters.window import take


def gradient_magnitude(
    image: NDArray[np.generic], box: Box, spacing_mm: Sequence[float], use_spacing: bool
) -> NDArray[np.float32]:
    """In grey values a mm (or a voxel), of the box's shape.

    Args:
        image: The whole image.
        box: The part that is needed.
        spacing_mm: Along the array's axes.
        use_spacing: Per mm in place of per voxel.
    """
    inner = [slice(1, -1)] * image.ndim
    part = take(image, box, [1] * image.ndim, "edge")
    squares = np.zeros([along.stop - along.start for along in box])
    for axis, distance_mm in enumerate(spacing_mm):
        ahead, behind = list(inner), list(inner)
        ahead[axis], behind[axis] = slice(2, None), slice(None, -2)
        difference = part[tuple(ahead)] - part[tuple(behind)]
        squares += (difference * (0.5 / (distance_mm if use_spacing else 1.0))) ** 2
    return np.sqrt(squares).astype(np.float32)
