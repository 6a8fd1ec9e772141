"""What is done to image and mask before anything is measured: normalise, resample, crop, resegment.

Source: PyRadiomics 3.0.1's documentation of the settings; resampling is SimpleITK's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError
from rdfc_core.radiomics.parameters import RadiomicsSettings
from rdfc_core.volume import Box, extents_of
from rdfc_features_native.region import box_of

SPLINE_MARGIN = 32
"""Voxels that matter to an interpolated one: a B-spline's coefficients fall by 0.27 a voxel."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """An image and its mask, ready to be filtered and measured.

    Args:
        image: Grey values of any real type.
        mask: Of the image's shape.
        spacing_mm: Along the array's axes.
        box: The smallest box around the mask; of no extent if nothing is left of it.
        first: Where its first voxel lies in the tumour's image, in voxels of that; None: at the
            first voxel.
    """

    image: NDArray[Any]
    mask: Mask
    spacing_mm: tuple[float, ...]
    box: Box
    first: tuple[float, ...] | None = None

    @cached_property
    def range(self) -> tuple[float, float]:
        """The least and the largest grey value of the whole image."""
        return float(self.image.min()), float(self.image.max())

    @property
    def largest(self) -> float:
        """The largest absolute grey value of the whole image."""
        return max(abs(value) for value in self.range)


def with_slices_first(tumour: Tumour) -> Tumour:
    """The same tumour at the same place, with its axial slices along the first axis."""
    image = tumour.image
    order = [image.slice_axis, *(axis for axis in range(3) if axis != image.slice_axis)]
    if order == [0, 1, 2]:
        return tumour
    turned = replace(
        image,
        array=image.array.transpose(order),
        spacing_mm=tuple(image.spacing_mm[axis] for axis in order),
        direction=image.direction[:, order],
    )
    return Tumour(turned, tumour.mask.transpose(order))


def with_slices_as_stored(made: Volume, slice_axis: int) -> Volume:
    """The same volume with its first axis, of axial slices, where a file stores it.

    Args:
        made: With slices first, as `with_slices_first` turns tumours.
        slice_axis: The axis of slices in the file.
    """
    order = [1, 2]
    order.insert(slice_axis, 0)
    if order == [0, 1, 2]:
        return made
    return replace(
        made,
        array=made.array.transpose(order),
        spacing_mm=tuple(made.spacing_mm[axis] for axis in order),
        direction=made.direction[:, order],
    )


def tumour_box(tumour: Tumour) -> Box:
    """The smallest box around the tumour's mask.

    Raises:
        DataError: If the mask is empty.
    """
    box = box_of(tumour.mask)
    if box is None:
        raise DataError("the mask is empty. Correct the mask, or drop the case.")
    return box


def prepare(tumour: Tumour, box: Box, settings: RadiomicsSettings) -> PreparedImage:
    """Image and mask as the settings want them before filters; ``box`` is the mask's."""
    volume, mask = tumour.image, tumour.mask
    if settings.normalize:
        volume = replace(volume, array=normalise(volume.array, settings))
    if settings.interpolator is not None and settings.resampled_spacing_mm is not None:
        return _resample(volume, mask, box, settings)
    prepared = PreparedImage(volume.array, mask, volume.spacing_mm, box)
    return _cropped(prepared, settings.pad_distance) if settings.pre_crop else prepared


def normalise(image: NDArray[Any], settings: RadiomicsSettings) -> NDArray[np.float64]:
    """The image with mean 0 and the deviation asked for, outliers clipped where that is asked for.

    Raises:
        DataError: If the image has one value only.
    """
    values = image.astype(np.float64)
    values -= values.mean()
    deviation = np.sqrt(np.dot(values.reshape(-1), values.reshape(-1)) / (values.size - 1))
    if not deviation > 0:
        raise DataError(
            "the image has one grey value only and cannot be normalised. Check the image, or drop "
            "the case."
        )
    values /= deviation
    if settings.remove_outliers is not None:
        np.clip(values, -settings.remove_outliers, settings.remove_outliers, out=values)
    values *= settings.normalize_scale
    return values


def target_spacing_mm(
    spacing_mm: tuple[float, ...], box: Box, settings: RadiomicsSettings
) -> tuple[float, ...] | None:
    """The spacing to resample to, along the array's axes; None where nothing would change.

    An axis keeps its spacing where 0 is asked for, and where the mask is one voxel thick.
    """
    if settings.resampled_spacing_mm is None or settings.interpolator is None:
        return None
    asked = settings.resampled_spacing_mm[::-1]
    target = tuple(
        old if new == 0 or extent == 1 else new
        for old, new, extent in zip(spacing_mm, asked, extents_of(box), strict=True)
    )
    return None if np.allclose(spacing_mm, target) else target


def resegment(prepared: PreparedImage, settings: RadiomicsSettings) -> Mask:
    """The part of the mask within ``resegmentRange``; the mask itself if there is no range.

    Raises:
        DataError: If fewer than two voxels are left.
    """
    if settings.resegment_range is None:
        return prepared.mask
    inside = np.flatnonzero(prepared.mask)
    values = prepared.image.reshape(-1)[inside].astype(np.float64)
    thresholds = sorted(settings.resegment_range)
    if settings.resegment_mode == "relative":
        thresholds = [values.max() * part for part in thresholds]
    elif settings.resegment_mode == "sigma":
        thresholds = [values.mean() + values.std() * part for part in thresholds]
    kept = values >= thresholds[0]
    if len(thresholds) == 2:
        kept &= values <= thresholds[1]
    if kept.sum() <= 1:
        shown = ", ".join(f"{threshold:g}" for threshold in thresholds)
        raise DataError(
            f"resegmentRange leaves {kept.sum()} of {len(kept)} voxels (thresholds {shown}). "
            "Widen the range, or drop the case."
        )
    mask = np.zeros(prepared.mask.size, bool)
    mask[inside[kept]] = True
    return mask.reshape(prepared.mask.shape)


def _cropped(prepared: PreparedImage, margin: int) -> PreparedImage:
    window = tuple(
        slice(max(0, along.start - margin), min(length, along.stop + margin))
        for along, length in zip(prepared.box, prepared.mask.shape, strict=True)
    )
    box = tuple(
        slice(along.start - part.start, along.stop - part.start)
        for along, part in zip(prepared.box, window, strict=True)
    )
    return PreparedImage(
        prepared.image[window],
        prepared.mask[window],
        prepared.spacing_mm,
        box,
        tuple(float(part.start) for part in window),
    )


def _resample(volume: Volume, mask: Mask, box: Box, settings: RadiomicsSettings) -> PreparedImage:
    """Image and mask on the new grid, around the mask.

    The new grid's outer edge is the old one's; it covers the mask's box and ``padDistance``.
    """
    import SimpleITK as sitk  # noqa: N813  (loaded when it is asked for)

    target_mm = target_spacing_mm(volume.spacing_mm, box, settings)
    if target_mm is None:
        prepared = PreparedImage(volume.array, mask, volume.spacing_mm, box)
        return _cropped(prepared, settings.pad_distance)
    old_mm, new_mm = np.array(volume.spacing_mm), np.array(target_mm)
    ratio = old_mm / new_mm
    start = np.array([along.start for along in box])
    stop = np.array([along.stop for along in box])
    low = np.floor((start - 0.5) * ratio - settings.pad_distance)
    high = np.ceil((stop - 0.5) * ratio + settings.pad_distance)
    low = np.maximum(low, 0)
    high = np.minimum(high, np.ceil(np.array(mask.shape) * ratio) - 1)
    first = 0.5 * (new_mm - old_mm) / old_mm + low / ratio  # in voxels of the old grid

    outline = replace(volume, array=mask.astype(np.uint8, order="C")).to_sitk()
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetOutputSpacing([float(mm) for mm in new_mm[::-1]])
    resampler.SetOutputDirection(outline.GetDirection())
    resampler.SetOutputOrigin(
        outline.TransformContinuousIndexToPhysicalPoint([float(i) for i in first[::-1]])
    )
    resampler.SetSize([int(n) for n in (high - low + 1)[::-1]])
    resampler.SetInterpolator(sitk.sitkNearestNeighbor)
    inside = sitk.GetArrayFromImage(resampler.Execute(outline)) != 0

    last = first + (high - low) / ratio
    needed = tuple(
        slice(max(0, int(a) - SPLINE_MARGIN), min(length, int(np.ceil(b)) + SPLINE_MARGIN + 1))
        for a, b, length in zip(first, last, mask.shape, strict=True)
    )
    part = volume.crop(needed)
    part = replace(part, array=part.array.astype(np.float64, order="C"))
    resampler.SetInterpolator(getattr(sitk, settings.interpolator or "sitkBSpline"))
    resampled = sitk.GetArrayFromImage(resampler.Execute(part.to_sitk()))
    nothing = (slice(0, 0),) * mask.ndim
    place = tuple(float(along) for along in first)
    return PreparedImage(resampled, inside, target_mm, box_of(inside) or nothing, place)
