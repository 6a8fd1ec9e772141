"""What a tumour must be to be measured, and which features a measurable tumour cannot have.

PyRadiomics answers most of these cases with trivial numbers or with fewer features, in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.radiomics import measurable
from rdfc_core.radiomics.measurable import check_still_finite, read_outside
from rdfc_core.radiomics.parameters import Parameters
from rdfc_core.volume import bounding_box

MAX_BINS = 4096
"""Texture matrices take bins² × directions × 8 bytes: 1.7 GB here in three dimensions."""

Array = NDArray[Any]


def check_spline(
    size: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    extents: tuple[int, ...],
    settings: Mapping[str, Any],
) -> None:
    """Resampling with a B-spline must not read outside the image, as `read_outside` says.

    Args:
        size: Of the image in voxels, along SimpleITK's axes.
        spacing_mm: Of the image, along the same axes.
        extents: Of the mask's box, along the same axes.
        settings: As PyRadiomics takes them.

    Raises:
        DataError: If the image would be resampled so.
    """
    if splines_outside(size, spacing_mm, extents, settings):
        raise read_outside(size)


def splines_outside(
    size: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    extents: tuple[int, ...],
    settings: Mapping[str, Any],
) -> bool:
    """Whether it would; for the arguments see `check_spline`."""
    wanted = settings["resampledPixelSpacing"]
    if wanted is None or settings["interpolator"] != "sitkBSpline" or 2 not in size:
        return False
    kept = (np.array(wanted) == 0) | (np.array(extents) == 1)
    return not np.allclose(spacing_mm, np.where(kept, spacing_mm, wanted))


def check_grey_levels(image: Array, values: Array, parameters: Parameters) -> None:
    """As `rdfc_core.radiomics.measurable.check_grey_levels`, by the parameters' image types.

    Args:
        image: As it is measured: normalised and resampled where that is asked for.
        values: The image's values in the mask, (N,).
        parameters: Give the bin width of each image type.

    Raises:
        DataError: With the number of bins and a bin width that would do; or if the image is no
            longer finite.
    """
    check_still_finite(image)
    measurable.check_grey_levels(
        values,
        lambda: float(image.max()) - float(image.min()),
        ((name, parameters.settings_of(name)) for name in parameters.image_types),
        MAX_BINS,
    )


def extents_of(mask: Array) -> tuple[int, ...]:
    """Voxels along each axis of the mask's box; zeros if it is empty."""
    return (
        tuple(span.stop - span.start for span in bounding_box(mask))
        if mask.any()
        else (0,) * mask.ndim
    )
