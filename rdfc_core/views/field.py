"""A field of fixed size in mm about the tumour, in place of its box. Free of torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rdfc_core.volume import bounding_box


def field_about(
    image: NDArray[np.generic],
    mask: NDArray[np.bool_],
    spacing_mm: Sequence[float],
    size: Sequence[int],
    wanted_mm: Sequence[float],
    beyond: bool = True,
) -> NDArray[np.float32]:
    """The samples of a grid whose middle is that of the outline's box, linearly interpolated.

    Where the grid is coarser than the image, the image is smoothed first (a Gaussian of half the
    ratio of the spacings less one, as scikit-image's ``resize`` does), so that fine texture does
    not appear as coarse one.

    Args:
        image: (A, …) of any number of axes.
        mask: Of the same shape; its box decides where the middle is.
        spacing_mm: Of the image.
        size: Samples of the grid along each axis.
        wanted_mm: Spacing of the grid.
        beyond: Beyond the image's edge the nearest samples are repeated; False: there is 0.

    Returns:
        Of the given size.
    """
    from scipy import ndimage  # loaded when asked for: most studies never do

    found = np.asarray(image)
    inside = np.ones(tuple(size), bool)
    for axis, span in enumerate(bounding_box(mask)):
        step = wanted_mm[axis] / spacing_mm[axis]
        middle = (span.start + span.stop - 1) / 2
        places = middle + (np.arange(size[axis]) - (size[axis] - 1) / 2) * step
        sigma = max(0.0, (step - 1) / 2)
        last = image.shape[axis] - 1
        # Only what the grid and the smoothing reach is looked at.
        low = int(np.clip(np.floor(places[0] - 4 * sigma), 0, last))
        high = int(np.clip(np.ceil(places[-1] + 4 * sigma) + 1, low + 1, last + 1))
        found = np.take(found, np.arange(low, high), axis).astype(np.float32)
        if sigma:
            found = ndimage.gaussian_filter1d(found, sigma, axis, mode="nearest", truncate=4)
        found = _interpolated(found, places - low, axis)
        shape = [1] * image.ndim
        shape[axis] = size[axis]
        inside &= ((places >= -0.5) & (places <= last + 0.5)).reshape(shape)
    return found if beyond else found * inside


def _interpolated(
    image: NDArray[np.float32], places: NDArray[np.float64], axis: int
) -> NDArray[np.float32]:
    """Samples between those of one axis; beyond its ends the last ones are repeated."""
    places = np.clip(places, 0, image.shape[axis] - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, image.shape[axis] - 1)
    shape = [1] * image.ndim
    shape[axis] = len(places)
    part = (places - low).astype(np.float32).reshape(shape)
    between: NDArray[np.float32] = (
        np.take(image, low, axis) * (1 - part) + np.take(image, high, axis) * part
    )
    return between
