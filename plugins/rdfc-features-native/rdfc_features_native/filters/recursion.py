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

from rdfc_core.volume import Box, extents_of
from rdfc_features_native.compiling import compiled
from rdfc_features_native.filters.deriche import Coefficients, Taps, coefficients

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
    total = np.zeros(extents_of(box), np.float32)
    backwards = range(image.ndim)[::-1]  # ITK's axes run from the last to the first
    for bent in backwards:
        filtered = image
        for axis in (bent, *(other for other in backwards if other != bent)):
            scale = sigma_mm * sigma_mm if axis == bent else 1.0
            recursion = coefficients(sigma_mm / spacing_mm[axis], axis == bent, scale)
            filtered = _along(filtered, axis, box[axis], recursion)
        _add(total.reshape(-1), np.ascontiguousarray(filtered).reshape(-1), spacing_mm[bent])
    return total


@compiled
def _add(total: NDArray[np.float32], filtered: NDArray[np.float32], distance_mm: float) -> None:
    """Add a second derivative to the others, once per square of the samples' distance."""
    per_mm2 = 1 / distance_mm**2
    for k in range(total.size):
        total[k] += filtered[k] * per_mm2


def _along(
    image: NDArray[Any], axis: int, wanted: slice, recursion: Coefficients
) -> NDArray[np.float32]:
    """One pass along an axis; of it only the part that is wanted."""
    turned = image.swapaxes(0, axis)
    lines = np.ascontiguousarray(turned, np.float64).reshape(len(turned), -1)
    passed = _recurse(lines, recursion, wanted.start, wanted.stop)
    return passed.reshape(-1, *turned.shape[1:]).swapaxes(0, axis)


@compiled
def _recurse(lines: Lines, recursion: Coefficients, start: int, stop: int) -> NDArray[np.float32]:
    """The recursion along the first axis of (L, M), for all columns at once; (stop - start, M)."""
    forward, feedback, backward, before, after = recursion
    last = lines.shape[0] - 1
    there = _sweep(lines, 0, 1, stop, 0, forward, feedback, before)
    back = _sweep(lines, last, -1, last + 1 - start, 1, backward, feedback, after)
    passed = np.empty((stop - start, lines.shape[1]), np.float32)
    for i in range(start, stop):
        row, ahead, behind = passed[i - start], there[i + 4], back[last - i + 4]
        for j in range(row.size):
            row[j] = ahead[j] + behind[j]
    return passed


@compiled
def _sweep(
    lines: Lines,
    first: int,
    step: int,
    count: int,
    lag: int,
    feed: Taps,
    feedback: Taps,
    outside: Taps,
) -> Lines:
    """Results row by row in one direction: four samples, less four results before.

    Args:
        lines: The samples, (L, M); beyond the first row its values are repeated.
        first: Row to begin with.
        step: 1 or -1 row.
        count: Rows.
        lag: So many rows before a result lies the latest of its samples.
        feed: Weights of the samples.
        feedback: Weights of the results before.
        outside: In place of the feedback where there is no result before.

    Returns:
        (4 + count, M), in the order of the sweep; the first four are samples, for ``outside``.
    """
    n0, n1, n2, n3 = feed
    results = np.empty((count + 4, lines.shape[1]))
    results[:4] = lines[first]
    for i in range(count):
        d1 = feedback[0] if i > 0 else outside[0]
        d2 = feedback[1] if i > 1 else outside[1]
        d3 = feedback[2] if i > 2 else outside[2]
        d4 = feedback[3] if i > 3 else outside[3]
        a = lines[first + step * max(i - lag, 0)]
        b = lines[first + step * max(i - lag - 1, 0)]
        c = lines[first + step * max(i - lag - 2, 0)]
        d = lines[first + step * max(i - lag - 3, 0)]
        s, r, q, p = results[i], results[i + 1], results[i + 2], results[i + 3]
        result = results[i + 4]
        for j in range(result.size):
            fed = a[j] * n0 + b[j] * n1 + c[j] * n2 + d[j] * n3
            result[j] = fed - (p[j] * d1 + q[j] * d2 + r[j] * d3 + s[j] * d4)
    return results
