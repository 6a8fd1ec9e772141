"""A part of an image with a margin around it, beyond the image's borders too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import Box


def take(
    image: NDArray[np.generic], box: Box, margins: Sequence[int], beyond: Literal["edge", "wrap"]
) -> NDArray[np.float64]:
    """The box and so many voxels on both sides along each axis, as float64.

    Args:
        image: The whole image.
        box: A part of it.
        margins: In voxels, one an axis.
        beyond: Outside the image repeat the outermost value, or begin anew at the other side. An
            axis of odd length counts as longer by one, its first value repeated at its end.
    """
    part = image
    for axis, (along, margin) in enumerate(zip(box, margins, strict=True)):
        start, stop = along.start - margin, along.stop + margin
        length = image.shape[axis]
        if start >= 0 and stop <= length:
            part = part[(slice(None),) * axis + (slice(start, stop),)]
            continue
        indices = np.arange(start, stop)
        if beyond == "edge":
            indices = np.clip(indices, 0, length - 1)
        else:
            indices = indices % (length + length % 2)
            indices[indices == length] = 0
        part = part.take(indices, axis=axis)
    return np.ascontiguousarray(part, np.float64)
