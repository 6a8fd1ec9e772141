"""The principal axes of a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def axis_variances(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """Variances of the voxels' centres along the principal axes, ascending, (d,), in mm².

    Sums of coordinates are whole numbers: a mask that is one voxel thick has a variance of 0.
    """
    coordinates = [np.ascontiguousarray(axis) for axis in np.nonzero(mask)]
    count = len(coordinates[0])
    sums = [int(axis.sum()) for axis in coordinates]
    ndim = mask.ndim
    covariance = np.empty((ndim, ndim))
    for a in range(ndim):
        for b in range(a + 1):
            product = int(np.dot(coordinates[a], coordinates[b]))
            covariance[a, b] = (count * product - sums[a] * sums[b]) / count**2
            covariance[a, b] *= spacing_mm[a] * spacing_mm[b]
            covariance[b, a] = covariance[a, b]
    return np.asarray(np.maximum(np.linalg.eigvalsh(covariance), 0))
