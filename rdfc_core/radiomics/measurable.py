"""What a tumour must be, as prepared, for the features of either engine to mean anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.radiomics.settings import RadiomicsSettings

MIN_RANGE_BINS = 2
"""An image whose whole range is narrower than this was not meant for the bin width."""

ADVICE = "Correct the mask, or drop the case."


def advice_on_mask(when: str) -> str:
    """What to do about a mask that is too small.

    Args:
        when: "after resampling", "after resegmenting", or "" for the mask as it was drawn.
    """
    if not when:
        return ADVICE
    first = "Choose a finer resampledPixelSpacing"
    if when != "after resampling":
        first = "Widen resegmentRange"
    return f"{first}, c{ADVICE[1:]}"


def check_extent(extents: tuple[int, ...], minimum_dimensions: int, when: str = "") -> None:
    """The mask must extend over enough axes for textures to exist.

    Args:
        extents: Of the mask's box, in voxels.
        minimum_dimensions: Axes along which the mask must be longer than one voxel.
        when: As of `advice_on_mask`.

    Raises:
        DataError: If it is empty, one voxel, or a line where an area is needed.
    """
    needed = max(1, minimum_dimensions)
    axes = sum(n > 1 for n in extents)
    if 0 in extents:
        raise DataError(f"no voxel is left in the mask {when}. {advice_on_mask(when)}")
    if axes < needed:
        what = "one voxel" if axes == 0 else "too flat to have a texture"
        shown = " × ".join(str(n) for n in extents)
        raise DataError(
            f"the mask is {what}: its box is {shown} voxels{' ' if when else ''}{when}, and it "
            f"must be longer than one voxel along {needed} axes. {advice_on_mask(when)}"
        )


def read_outside(size: tuple[int, ...]) -> DataError:
    """Why an image with two voxels along an axis is not resampled with a B-spline.

    ITK mirrors the image once at its borders, which reaches far enough for three voxels along an
    axis and is not needed for one; for two it reads what lies beside the image in memory.

    Args:
        size: In voxels, in the order in which it is shown.
    """
    return DataError(
        f"an image of {' × '.join(str(n) for n in size)} voxels cannot be resampled with a "
        "B-spline: ITK reads outside images with two voxels along an axis. Set interpolator to "
        "sitkLinear, or drop the case."
    )


def splines_outside(
    size: tuple[int, ...], target_mm: tuple[float, ...] | None, settings: RadiomicsSettings
) -> bool:
    """Whether resampling would read outside the image; see `read_outside`.

    Args:
        size: Of the image in voxels.
        target_mm: The spacing to resample to; None where nothing would change.
        settings: Give the interpolator.
    """
    return target_mm is not None and settings.interpolator == "sitkBSpline" and 2 in size


def resampled_linearly(size: tuple[int, ...]) -> str:
    """What is told of a case that a bundled set resamples linearly for that reason.

    Args:
        size: In voxels, in the order in which it is shown.
    """
    return (
        f"the image of {' × '.join(str(n) for n in size)} voxels was resampled linearly, unlike "
        "the other cases: ITK's B-spline reads outside images with two voxels along an axis. "
        "Nothing need be done; a parameter file with interpolator: sitkLinear treats all cases "
        "alike."
    )


def check_still_finite(image: NDArray[Any]) -> None:
    """What was prepared must still be finite.

    Raises:
        DataError: If normalising or resampling spoilt it.
    """
    if not np.isfinite(image).all():
        raise DataError(
            "normalising or resampling gave NaN or infinite voxels. Check the image's grey values "
            "and spacing, choose another interpolator, or drop the case."
        )


def check_grey_levels(
    values: NDArray[Any],
    spread: Callable[[], float],
    images: Iterable[tuple[str, RadiomicsSettings]],
    most_bins: int,
) -> None:
    """Bins must be neither wider than the image's grey scale nor too many for the engine.

    A homogeneous tumour may well fall into a single bin; an image that does as a whole is on
    another scale than the one the bin width was chosen for.

    Args:
        values: The image's values in the mask, (N,).
        spread: Gives the range of the whole image; asked only where the tumour's is narrow.
        images: Each image type with its settings, which give the bin width.
        most_bins: More of them need more memory than there is.

    Raises:
        DataError: With the number of bins and a bin width that would do.
    """
    low, high = float(values.min()), float(values.max())
    for image_type, own in images:
        if image_type.startswith("LBP") or own.bin_count is not None:
            continue  # patterns have a scale of their own; a bin count fits every scale
        bins = math.floor(high / own.bin_width) - math.floor(low / own.bin_width) + 1
        narrow = high - low < MIN_RANGE_BINS * own.bin_width
        if bins <= most_bins and not (narrow and spread() < MIN_RANGE_BINS * own.bin_width):
            continue
        problem = "lose its texture" if bins <= most_bins else "need gigabytes of memory"
        count = f"{bins:,} bin{'s' if bins > 1 else ''}"
        raise DataError(
            f"the tumour's grey values run from {low:g} to {high:g} (the image's over "
            f"{spread():g}), and binWidth {own.bin_width:g} makes {count} of them: it would "
            f"{problem}. Set binWidth to about {(high - low) / 32:.2g}, or bring the images to the "
            "scale that the parameters are meant for (0 to 255, or Hounsfield units)."
        )
