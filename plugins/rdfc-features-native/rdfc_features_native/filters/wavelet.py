"""The stationary wavelet transform, by separable convolution of what a box needs.

Source: PyRadiomics 3.0.1 takes PyWavelets' undecimated transform (Nason & Silverman 1995), one
level at a time, on images that begin anew beyond their borders; the letters of a name stand for
the axes from the last to the first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import Box
from rdfc_features_native.compiling import compiled
from rdfc_features_native.filters.window import take

Part = NDArray[np.float64]


def wavelet_bands(
    image: NDArray[np.generic],
    box: Box,
    wavelet: str,
    levels: int,
    start_level: int,
    axes: Sequence[int],
) -> Iterator[tuple[str, Part]]:
    """Name (``wavelet-LLH``) and filtered box of each band, in PyRadiomics' order.

    Args:
        image: The whole image.
        box: The part that is needed.
        wavelet: PyWavelets' name.
        levels: To give.
        start_level: To pass over before.
        axes: To filter along, in the order of the names' letters.
    """
    low, high = _filters(wavelet)
    reach = len(low) // 2  # the filters reach one voxel less to one side
    margins = [0] * image.ndim
    for axis in axes:
        margins[axis] = reach * (start_level + levels)
    part = take(image, box, margins, "wrap")
    for step in range(start_level):
        starts = [along.start - reach * (start_level + levels - 1 - step) for along in box]
        part = _bands(part, axes, (low,), starts, image)["L" * len(axes)]
    for level in range(1, levels + 1):
        starts = [along.start - reach * (levels - level) for along in box]
        bands = _bands(part, axes, (low, high), starts, image)
        part = bands.pop("L" * len(axes))
        rest = reach * (levels - level)
        inner = tuple(
            slice(rest, n - rest) if axis in axes else slice(None)
            for axis, n in enumerate(part.shape)
        )
        number = "" if level == 1 else str(level)
        for name, band in bands.items():
            yield f"wavelet{number}-{name}", np.ascontiguousarray(band[inner])
    yield f"wavelet{'' if levels == 1 else levels}-{'L' * len(axes)}", part


@cache
def _filters(wavelet: str) -> tuple[Part, Part]:
    """Low and high pass, in the order in which they are laid over the image."""
    import pywt  # loaded when a wavelet is asked for

    found = pywt.Wavelet(wavelet)
    return np.array(found.dec_lo[::-1]), np.array(found.dec_hi[::-1])


def _bands(
    part: Part,
    axes: Sequence[int],
    filters: Sequence[Part],
    starts: Sequence[int],
    image: NDArray[Any],
) -> dict[str, Part]:
    """All combinations of the filters along the axes; each axis loses a filter's length.

    Args:
        part: With margins along the axes.
        axes: To filter along.
        filters: Low pass, and high pass if it is wanted.
        starts: Where the results begin in the image, along each axis.
        image: Gives the lengths.
    """
    bands = {"": part}
    for axis in axes:
        length = image.shape[axis] + image.shape[axis] % 2
        bands = {
            name + letter: _convolve(band, taps, axis, starts[axis] % length, length)
            for name, band in bands.items()
            for letter, taps in zip("LH", filters, strict=False)
        }
    return bands


def _convolve(part: Part, taps: Part, axis: int, start: int, length: int) -> Part:
    before = math.prod(part.shape[:axis])
    after = math.prod(part.shape[axis + 1 :])
    shape = list(part.shape)
    shape[axis] -= len(taps)
    result = np.empty(shape)
    _slide(
        part.reshape(before, part.shape[axis], after),
        taps,
        start,
        length,
        result.reshape(before, shape[axis], after),
    )
    return result


@compiled
def _slide(part: Part, taps: Part, start: int, length: int, result: Part) -> None:
    """Convolution along the middle axis; result n begins one voxel after n.

    Products are added in PyWavelets' order, where an image is flat the last bit of a sum decides
    between two bins: from the last voxel to the first, but those that lie beyond the image's end
    before all others, and from the first of them.

    Args:
        part: With margins.
        taps: In the order of the voxels.
        start: Of the results in the image.
        length: Of the image, after which it begins anew.
        result: To fill.
    """
    size = taps.size
    for i in range(result.shape[0]):
        for n in range(result.shape[1]):
            beyond = max(0, (start + n) % length + size // 2 - length + 1)
            if result.shape[2] == 1:  # the last axis: no rows to go along
                total = 0.0
                for j in range(size):
                    k = size - 1 - (beyond - 1 - j if j < beyond <= size else j)
                    total += taps[k] * part[i, n + 1 + k, 0]
                result[i, n, 0] = total
                continue
            row = result[i, n]
            row[:] = 0
            for j in range(size):
                k = size - 1 - (beyond - 1 - j if j < beyond <= size else j)
                tap = taps[k]
                source = part[i, n + 1 + k]
                for m in range(row.size):
                    row[m] += tap * source[m]
