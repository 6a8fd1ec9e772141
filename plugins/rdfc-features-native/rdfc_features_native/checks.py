"""What a tumour must be to be measured, and which features a measurable tumour cannot have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.radiomics.parameters import RadiomicsSettings
from rdfc_features_native.plan import ExtractionPlan
from rdfc_features_native.preparation import PreparedImage

MIN_RANGE_BINS = 2
"""An image whose whole range is narrower than this was not meant for the bin width."""
MAX_BINS = 10**8
"""The edges of so many bins alone take a gigabyte."""

Array = NDArray[Any]


def check_mask(
    extents: tuple[int, ...],
    voxels: int | None,
    settings: RadiomicsSettings,
    when: str = "",
) -> None:
    """The mask must be large enough for what is measured.

    Args:
        extents: Of the mask's box, in voxels.
        voxels: Inside the mask; None: their number is not looked at.
        settings: Say how large it must be.
        when: For the message, for example "after resampling".

    Raises:
        DataError: If it is empty, one voxel, a line where an area is needed, or too small.
    """
    shown = " × ".join(str(n) for n in extents)
    needed = max(1, settings.minimum_roi_dimensions)
    axes = sum(n > 1 for n in extents)
    advice = "Correct the mask, or drop the case."
    if when == "after resampling":
        advice = f"Choose a finer resampledPixelSpacing, c{advice[1:]}"
    elif when:
        advice = f"Widen resegmentRange, c{advice[1:]}"
    if 0 in extents:
        raise DataError(f"no voxel is left in the mask {when}. {advice}")
    if axes < needed:
        what = "one voxel" if axes == 0 else "too flat to have a texture"
        raise DataError(
            f"the mask is {what}: its box is {shown} voxels{' ' if when else ''}{when}, and it "
            f"must be longer than one voxel along {needed} axes. {advice}"
        )
    least = settings.minimum_roi_size
    if least is not None and voxels is not None and voxels <= least:
        raise DataError(
            f"the mask has {voxels} voxels{' ' if when else ''}{when}, and minimumROISize asks for "
            f"more than {least}. {advice}"
        )


def check_spline(
    size: tuple[int, ...], target_mm: tuple[float, ...] | None, settings: RadiomicsSettings
) -> None:
    """Resampling with a B-spline must not read outside the image.

    ITK mirrors the image once at its borders, which reaches far enough for three voxels along an
    axis and is not needed for one; for two it reads what lies beside the image in memory.

    Args:
        size: Of the image in voxels.
        target_mm: The spacing to resample to; None: it is not resampled.
        settings: Give the interpolator.

    Raises:
        DataError: If the image would be resampled so.
    """
    if target_mm is not None and settings.interpolator == "sitkBSpline" and 2 in size:
        raise DataError(
            f"an image of {' × '.join(str(n) for n in size[::-1])} voxels cannot be resampled with "
            "a B-spline: ITK reads outside images with two voxels along an axis. Set interpolator "
            "to sitkLinear, or drop the case."
        )


def check_finite_part(values: Array) -> None:
    """What was prepared must still be finite.

    Raises:
        DataError: If normalising or resampling spoilt it.
    """
    if not np.isfinite(values).all():
        raise DataError(
            "normalising or resampling gave NaN or infinite voxels. Check the image's grey values "
            "and spacing, choose another interpolator, or drop the case."
        )


def check_grey_levels(prepared: PreparedImage, values: Array, plan: ExtractionPlan) -> None:
    """Bins must be neither wider than the image's grey scale nor beyond counting.

    A homogeneous tumour may well fall into a single bin; an image that does as a whole is on
    another scale than the one the bin width was chosen for.

    Args:
        prepared: Gives the image's range, looked at only where the tumour's is narrow.
        values: The image's values in the mask, (N,).
        plan: Gives the bin width of each image type.

    Raises:
        DataError: With the number of bins and a bin width that would do.
    """
    low, high = float(values.min()), float(values.max())
    for part in plan.images:
        own = part.settings
        if part.image_type.startswith("LBP") or own.bin_count is not None:
            continue  # patterns have a scale of their own; a bin count fits every scale
        bins = math.floor(high / own.bin_width) - math.floor(low / own.bin_width) + 1
        if MIN_RANGE_BINS * own.bin_width <= high - low and bins <= MAX_BINS:
            continue
        spread = prepared.range[1] - prepared.range[0]
        if MIN_RANGE_BINS * own.bin_width <= spread and bins <= MAX_BINS:
            continue
        problem = "lose its texture" if bins <= MAX_BINS else "need gigabytes of memory"
        count = f"{bins:,} bin{'s' if bins > 1 else ''}"
        raise DataError(
            f"the tumour's grey values run from {low:g} to {high:g} (the image's over {spread:g}), "
            f"and binWidth {own.bin_width:g} makes {count} of them: it would {problem}. Set "
            f"binWidth to about {(high - low) / 32:.2g}, or bring the images to the scale that "
            "the parameters are meant for (0 to 255, or Hounsfield units)."
        )
