"""What a tumour must be to be measured, and which features a measurable tumour cannot have.

PyRadiomics answers most of these cases with trivial numbers or with fewer features, in silence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.radiomics.parameters import Parameters
from rdfc_core.volume import bounding_box

MIN_RANGE_BINS = 2
"""An image whose whole range is narrower than this was not meant for the bin width."""
MAX_BINS = 4096
"""Texture matrices take bins² × directions × 8 bytes: 1.7 GB here in three dimensions."""

Array = NDArray[Any]


def check_extent(extents: tuple[int, ...], minimum_dimensions: int, when: str = "") -> None:
    """The mask must extend over enough axes for textures to exist.

    Args:
        extents: Of the mask's box, in voxels; see `extents_of`.
        minimum_dimensions: Axes along which the mask must be longer than one voxel.
        when: For the message, for example "after resampling".

    Raises:
        DataError: If it is empty, one voxel, or a line where an area is needed.
    """
    shown = " × ".join(str(n) for n in extents)
    axes = sum(n > 1 for n in extents)
    advice = "Correct the mask, or drop the case."
    if when:
        advice = f"Choose a finer resampledPixelSpacing, c{advice[1:]}"
    if 0 in extents:
        raise DataError(f"no voxel is left in the mask {when}. {advice}")
    if axes < max(1, minimum_dimensions):
        what = "one voxel" if axes == 0 else "too flat to have a texture"
        raise DataError(
            f"the mask is {what}: its box is {shown} voxels{' ' if when else ''}{when}, and it "
            f"must be longer than one voxel along {max(1, minimum_dimensions)} axes. {advice}"
        )


def check_spline(
    size: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    extents: tuple[int, ...],
    settings: Mapping[str, Any],
) -> None:
    """Resampling with a B-spline must not read outside the image.

    ITK mirrors the image once at its borders, which reaches far enough for three voxels along an
    axis and is not needed for one; for two it reads what lies beside the image in memory.

    Args:
        size: Of the image in voxels, along SimpleITK's axes.
        spacing_mm: Of the image, along the same axes.
        extents: Of the mask's box, along the same axes.
        settings: As PyRadiomics takes them.

    Raises:
        DataError: If the image would be resampled so.
    """
    wanted = settings["resampledPixelSpacing"]
    if wanted is None or settings["interpolator"] != "sitkBSpline" or 2 not in size:
        return
    kept = (np.array(wanted) == 0) | (np.array(extents) == 1)
    if not np.allclose(spacing_mm, np.where(kept, spacing_mm, wanted)):
        raise DataError(
            f"an image of {' × '.join(str(n) for n in size)} voxels cannot be resampled with a "
            "B-spline: ITK reads outside images with two voxels along an axis. Set interpolator "
            "to sitkLinear, or drop the case."
        )


def check_grey_levels(image: Array, values: Array, parameters: Parameters) -> None:
    """Bins must be neither wider than the image's grey scale nor too many to count pairs of.

    A homogeneous tumour may well fall into a single bin; an image that does as a whole is on
    another scale than the one the bin width was chosen for.

    Args:
        image: As it is measured: normalised and resampled where that is asked for.
        values: The image's values in the mask, (N,).
        parameters: Give the bin width of each image type.

    Raises:
        DataError: With the number of bins and a bin width that would do; or if the image is no
            longer finite.
    """
    if not np.isfinite(image).all():
        raise DataError(
            "normalising or resampling gave NaN or infinite voxels. Check the image's grey values "
            "and spacing, choose another interpolator, or drop the case."
        )
    low, high = float(values.min()), float(values.max())
    spread = float(image.max()) - float(image.min())
    for image_type in parameters.image_types:
        own = parameters.settings_of(image_type)
        if image_type.startswith("LBP") or own.bin_count is not None:
            continue  # patterns have a scale of their own; a bin count fits every scale
        bins = math.floor(high / own.bin_width) - math.floor(low / own.bin_width) + 1
        if MIN_RANGE_BINS * own.bin_width <= spread and bins <= MAX_BINS:
            continue
        count = f"{bins:,} bin{'s' if bins > 1 else ''}"
        problem = "lose its texture" if bins <= MAX_BINS else "need gigabytes of memory"
        raise DataError(
            f"the tumour's grey values run from {low:g} to {high:g} (the image's over {spread:g}), "
            f"and binWidth {own.bin_width:g} makes {count} of them: it would {problem}. Set "
            f"binWidth to about {(high - low) / 32:.2g}, or bring the images to the scale that "
            "the parameters are meant for (0 to 255, or Hounsfield units)."
        )


def extents_of(mask: Array) -> tuple[int, ...]:
    """Voxels along each axis of the mask's box; zeros if it is empty."""
    return (
        tuple(span.stop - span.start for span in bounding_box(mask))
        if mask.any()
        else (0,) * mask.ndim
    )
