"""What the extractors of PyRadiomics' features share: what cannot be measured, and why.

PyRadiomics answers most of these cases with trivial numbers or with fewer features, in silence.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from numpy.typing import NDArray

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError, StudyError
from rdfc_core.radiomics.parameters import Parameters
from rdfc_core.volume import check_finite

MOST_RESAMPLED = 2**27
"""Voxels of a resampled tumour and its surroundings: 1 GiB in double precision."""

MIN_LOG_VOXELS = 4
"""ITK's recursive filter needs so many along every axis."""


def check_mask_value(parameters: Parameters) -> None:
    """Parameters must not select a mask value, which is the data set's to select.

    Raises:
        StudyError: If they do.
    """
    settings = parameters.settings
    for key, given, usual in (
        ("label", settings.label, 1),
        ("label_channel", settings.label_channel, 0),
    ):
        if given != usual:
            raise StudyError(
                f"setting.{key} is {given} in the parameters, but the data set says which value "
                f"of the mask is the tumour. Set mask_value there, and remove {key}."
            )


def check_tumour(tumour: Tumour) -> None:
    """Image and mask must lie on one grid, and the image be finite.

    Raises:
        DataError: If not.
    """
    if tumour.mask.shape != tumour.image.array.shape:
        raise DataError(
            f"the mask has shape {tumour.mask.shape} and the image {tumour.image.array.shape}. "
            "Resample the mask onto the image's grid."
        )
    check_finite(tumour.image)


def check_resampled_size(
    extents: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    target_mm: tuple[float, ...] | None,
    padding: int,
) -> None:
    """A header with a spacing of metres must not become an image of as many millimetres.

    Args:
        extents: Of the mask's box, in voxels.
        spacing_mm: Of the image, along the same axes.
        target_mm: To resample to, along the same axes, 0 to keep an axis; None: not resampled.
        padding: Voxels that are kept around the box.

    Raises:
        DataError: If more voxels would have to be made than any tumour needs.
    """
    if target_mm is None:
        return
    voxels = math.prod(
        (extent * old / new if new and extent > 1 else extent) + 2 * padding
        for extent, old, new in zip(extents, spacing_mm, target_mm, strict=True)
    )
    if voxels > MOST_RESAMPLED:
        shown = " × ".join(f"{mm:.5g}" for mm in spacing_mm)
        raise DataError(
            f"resampling the tumour from a spacing of {shown} mm would make {voxels:.3g} voxels, "
            f"more than the limit of {MOST_RESAMPLED}. Check the spacing, choose a coarser "
            "resampledPixelSpacing, or drop the case."
        )


def check_not_constant(values: NDArray[Any]) -> None:
    """The tumour must hold more than one grey value.

    Raises:
        DataError: If all values are equal, as where a damaged file was filled up.
    """
    if values.min() == values.max():
        raise DataError(
            f"all {values.size} voxels of the tumour have the value {values.flat[0]:g}: it has no "
            "texture. Check that the image is complete and the mask lies where it should, or drop "
            "the case."
        )


def why_no_log(
    parameters: Parameters, size: tuple[int, ...], spacing_mm: tuple[float, ...]
) -> dict[str, str]:
    """The Laplacians of Gaussian that an image is too small for.

    Args:
        parameters: Give the sigmas.
        size: Of the image that is filtered, in voxels, along SimpleITK's axes.
        spacing_mm: Along the same axes.

    Returns:
        Name of the filtered image → why it is not made.
    """
    reasons: dict[str, str] = {}
    if "LoG" not in parameters.image_types:
        return reasons
    shown = " × ".join(str(n) for n in size)
    names = parameters.image_names("LoG", len(size))
    # By their spelling, as the names are: 1 and 1.0 are two images.
    sigmas_mm = {str(sigma_mm): sigma_mm for sigma_mm in parameters.settings_of("LoG").sigma_mm}
    for name, sigma_mm in zip(names, sigmas_mm.values(), strict=True):
        needed = [
            max(MIN_LOG_VOXELS, math.ceil(sigma_mm / distance_mm) + 1) for distance_mm in spacing_mm
        ]
        if any(n < least for n, least in zip(size, needed, strict=True)):
            reasons[name] = (
                f"the Laplacian of Gaussian of sigma {sigma_mm:g} mm needs an image of at least "
                f"{' × '.join(str(n) for n in needed)} voxels, and this one has {shown}"
            )
    return reasons


def why_no_shape_2d(extents: tuple[int, ...], axis: int) -> str | None:
    """Why a volume's mask has no two-dimensional shape, or None if it has one.

    Args:
        extents: Of the mask's box along the array's axes, in voxels.
        axis: The array axis across the slices.
    """
    if extents[axis] != 1:
        return f"shape2D needs a mask in a single slice, and this one spans {extents[axis]}"
    if extents[2 - axis] == 1:
        # PyRadiomics 3.0.1 looks up the array's axis among SimpleITK's, which run backwards.
        return "PyRadiomics 3.0.1 computes no shape2D of this mask: it mistakes its axes"
    return None


def spread_over(names: tuple[str, ...], reasons: Mapping[str, str]) -> dict[str, str]:
    """Each feature of an image that could not be made → the reason.

    Args:
        names: All features, ``<image>_<class>_<feature>``.
        reasons: Name of an image, or ``<image>_<class>`` → the reason.
    """
    if not reasons:
        return {}
    return {
        name: reason
        for name in names
        for start, reason in reasons.items()
        if name.startswith(f"{start}_")
    }


@cache
def warn_of_absent_shape(absent: str, ndim: int) -> None:
    """Tell, once, that the shape classes asked for are not those of such tumours.

    Args:
        absent: Their names.
        ndim: Axes of the tumours.
    """
    kind, other = ("Pictures have", "shape2D") if ndim == 2 else ("Volumes have", "shape")
    logging.getLogger("rdfc").warning(
        "%s no %s: no shape is measured. List %s in featureClass to measure it.",
        kind,
        absent,
        other,
    )
