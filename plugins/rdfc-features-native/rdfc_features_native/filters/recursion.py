"""The Laplacian of Gaussian as ITK computes it, pass by pass, to the last bit.

Where an image is flat over many sigma the true value is 0, and only rounding decides on which side
of a bin's edge a voxel falls. So ITK's recursion is run here in its own order: in double precision
along each line, forwards and backwards, and each pass is kept in single precision.

Source: ITK's LaplacianRecursiveGaussianImageFilter, normalised across scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_features_native.compiling import compiled
from rdfc_features_native.filters.deriche import Coefficients, coefficients
from rdfc_features_native.region import Box

Lines = NDArray[np.float64]


def recursive_laplacian(
    image: NDArray[Any], box: Box, spacing_mm: Sequence[float], sigma_mm: float
) -> NDArray[np.float32]:
    """The filtered box.

    Args:
        image: Beyond its borders the outermost values are repeated.
        box: The part that is wanted.
        spacing_mm: Along the array's axes.
        sigma_mm: Width of the Gaussian.
    """
    total = np.zeros([along.stop - along.start for along in box], np.float32)
    backwards = range(image.ndim)[::-1]  # ITK's axes run from the last to the first
    for bent in backwards:
        filtered = image
        for axis in (bent, *(other for other in backwards if other != bent)):
            scale = sigma_mm * sigma_mm if axis == bent else 1.0
            recursion = coefficients(sigma_mm / spacing_mm[axis], axis == bent, scale)
            filtered = _along(filtered, axis, recursion)[(slice(None),) * axis + (box[axis],)]
        total = (total + filtered * np.float64(1 / spacing_mm[bent] ** 2)).astype(np.float32)
    return total


def _along(image: NDArray[Any], axis: int, recursion: Coefficients) -> NDArray[np.float32]:
    """One pass along an axis."""
    turned = np.moveaxis(image, axis, 0)
    lines = np.ascontiguousarray(turned, np.float64).reshape(len(turned), -1)
    return np.moveaxis(_recurse(lines, recursion).reshape(turned.shape), 0, axis)


@compiled
def _recurse(lines: Lines, recursion: Coefficients) -> NDArray[np.float32]:
    """The recursion along the first axis, for all columns at once, (L, M)."""
    forward, feedback, backward, start, end = recursion
    last = lines.shape[0] - 1
    results = np.empty(lines.shape)
    for i in range(last + 1):
        _step(
            results[i],
            (lines[i], lines[max(i - 1, 0)], lines[max(i - 2, 0)], lines[max(i - 3, 0)]),
            forward,
            (
                results[i - 1] if i > 0 else lines[0],
                results[i - 2] if i > 1 else lines[0],
                results[i - 3] if i > 2 else lines[0],
                results[i - 4] if i > 3 else lines[0],
            ),
            _weights(feedback, start, i),
        )
    returned = np.empty(lines.shape)
    for i in range(last, -1, -1):
        _step(
            returned[i],
            (
                lines[min(i + 1, last)],
                lines[min(i + 2, last)],
                lines[min(i + 3, last)],
                lines[min(i + 4, last)],
            ),
            backward,
            (
                returned[i + 1] if i < last else lines[last],
                returned[i + 2] if i < last - 1 else lines[last],
                returned[i + 3] if i < last - 2 else lines[last],
                returned[i + 4] if i < last - 3 else lines[last],
            ),
            _weights(feedback, end, last - i),
        )
        results[i] += returned[i]
    return results.astype(np.float32)


@compiled
def _weights(feedback: Lines, outside: Lines, inside: int) -> Lines:
    """The feedback of so many results, and what stands for those that lie outside the line."""
    weights = outside.copy()
    weights[:inside] = feedback[:inside]
    return weights


@compiled
def _step(
    result: Lines,
    samples: tuple[Lines, ...],
    feed: Lines,
    before: tuple[Lines, ...],
    weights: Lines,
) -> None:
    """One row of results: four samples, less four results before."""
    a, b, c, d = samples
    p, q, r, s = before
    n0, n1, n2, n3 = feed
    d1, d2, d3, d4 = weights
    for j in range(result.size):
        fed = a[j] * n0 + b[j] * n1 + c[j] * n2 + d[j] * n3
        result[j] = fed - (p[j] * d1 + q[j] * d2 + r[j] * d3 + s[j] * d4)
