"""What a tumour must be to be measured, and which features a measurable tumour cannot have."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.radiomics import measurable
from rdfc_core.radiomics.measurable import (
    advice_on_mask,
    check_extent,
    read_outside,
    splines_outside,
)
from rdfc_core.radiomics.parameters import RadiomicsSettings
from rdfc_features_native.plan import ExtractionPlan
from rdfc_features_native.preparation import PreparedImage

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
    check_extent(extents, settings.minimum_roi_dimensions, when)
    least = settings.minimum_roi_size
    if least is not None and voxels is not None and voxels <= least:
        raise DataError(
            f"the mask has {voxels} voxels{' ' if when else ''}{when}, and minimumROISize asks for "
            f"more than {least}. {advice_on_mask(when)}"
        )


def check_spline(
    size: tuple[int, ...], target_mm: tuple[float, ...] | None, settings: RadiomicsSettings
) -> None:
    """Resampling with a B-spline must not read outside the image, as `read_outside` says.

    Args:
        size: Of the image in voxels.
        target_mm: The spacing to resample to; None: it is not resampled.
        settings: Give the interpolator.

    Raises:
        DataError: If the image would be resampled so.
    """
    if splines_outside(size, target_mm, settings):
        raise read_outside(size[::-1])


def check_grey_levels(prepared: PreparedImage, values: Array, plan: ExtractionPlan) -> None:
    """As `rdfc_core.radiomics.measurable.check_grey_levels`, by the plan's image types.

    Args:
        prepared: Gives the image's range.
        values: The image's values in the mask, (N,).
        plan: Gives the bin width of each image type.

    Raises:
        DataError: With the number of bins and a bin width that would do.
    """
    measurable.check_grey_levels(
        values,
        lambda: prepared.range[1] - prepared.range[0],
        ((part.image_type, part.settings) for part in plan.images),
        MAX_BINS,
    )
