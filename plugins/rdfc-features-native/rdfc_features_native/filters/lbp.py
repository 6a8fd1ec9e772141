"""Local binary patterns, slice by slice.

Source: Ojala et al. 2002, as scikit-image gives them and PyRadiomics 3.0.1 takes them.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import Box


def local_binary_patterns(
    image: NDArray[np.generic], box: Box, radius: float, samples: int, method: str, axis: int
) -> NDArray[np.float64]:
    """The pattern of each voxel of the box, of the box's shape.

    Args:
        image: The whole image.
        box: The part that is needed.
        radius: Of the circle, in voxels.
        samples: On the circle.
        method: scikit-image's name of the kind of pattern.
        axis: Across the slices; without meaning for pictures.
    """
    import skimage.feature  # loaded when the filter is asked for

    # Cut at the far ends only: samples between pixels depend on coordinates to the last bit.
    margin = math.ceil(radius) + 1
    window = tuple(
        along if image.ndim == 3 and a == axis else slice(0, along.stop + margin)
        for a, along in enumerate(box)
    )
    part = np.array(image[window], np.float64)
    patterns: Any = skimage.feature.local_binary_pattern
    slices = part[None] if image.ndim == 2 else np.swapaxes(part, 0, axis)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of floats: they hold what PyRadiomics would hand over
        for plane in slices:
            plane[...] = patterns(plane, P=samples, R=radius, method=method)
    kept = tuple(
        slice(None) if image.ndim == 3 and a == axis else along for a, along in enumerate(box)
    )
    return np.ascontiguousarray(part[kept])
