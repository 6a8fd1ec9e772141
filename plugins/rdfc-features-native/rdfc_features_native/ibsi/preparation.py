"""What the IBSI does to image and mask first: interpolation, rounding, re-segmentation.

Source: IBSI reference manual, arXiv:1612.07003, sections 2.3 to 2.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.radiomics.checks import MOST_RESAMPLED
from rdfc_core.volume import Box, bounding_box, extents_of
from rdfc_features_native.ibsi.config import IbsiConfig

Mask = NDArray[np.bool_]

ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}
SPLINE_MARGIN = 32
"""Voxels that matter to an interpolated one: a B-spline's coefficients fall by 0.27 a voxel."""
HALF = 0.5 - 1e-9
"""Half a voxel belongs to the mask, and rounding does not decide it."""


@dataclass(frozen=True, eq=False)
class PreparedRoi:
    """An image and its two masks, (Z, Y, X); a picture has one slice.

    Args:
        image: Intensities.
        outline: The morphological mask.
        spacing_mm: Along the array's axes.
    """

    image: NDArray[np.float64]
    outline: Mask
    spacing_mm: tuple[float, ...]

    @cached_property
    def box(self) -> Box:
        """The smallest box around the morphological mask."""
        return bounding_box(self.outline)


def interpolated(
    tumour: Tumour, config: IbsiConfig, margin_mm: float | None
) -> tuple[NDArray[np.float64], Mask, tuple[float, ...]]:
    """Image, mask and spacing on the grid that is asked for, with the old image's centre.

    Args:
        tumour: A volume with slices first, or a picture.
        config: Says which grid.
        margin_mm: What is kept around the mask's box; None: the whole image.
    """
    spacing_mm = tumour.image.spacing_mm
    asked = (config.spacing_mm or (0.0,) * tumour.ndim)[::-1]
    target_mm = tuple(
        old if new == 0 or n == 1 else new
        for old, new, n in zip(spacing_mm, asked, tumour.mask.shape, strict=True)
    )
    box = bounding_box(tumour.mask)
    axes = [
        _Axis.of(n, old, new, along, margin_mm)
        for n, old, new, along in zip(tumour.mask.shape, spacing_mm, target_mm, box, strict=True)
    ]
    if target_mm == spacing_mm:
        part = tuple(slice(axis.first, axis.first + axis.count) for axis in axes)
        return tumour.image.array[part].astype(np.float64), tumour.mask[part], spacing_mm
    order = ORDERS[config.interpolation]
    image = _on(axes, tumour.image.array, order)
    return image, _on(axes, tumour.mask, 1) >= HALF, target_mm


@dataclass(frozen=True)
class _Axis:
    """One axis of the new grid, as far as it is kept.

    Args:
        size: Of the old image, in voxels.
        ratio: Old voxels a new one.
        origin: Where the new grid's first voxel lies, in old voxels.
        first: The first new voxel that is kept.
        count: How many are.
    """

    size: int
    ratio: float
    origin: float
    first: int
    count: int

    @classmethod
    def of(
        cls, size: int, old_mm: float, new_mm: float, along: slice, margin_mm: float | None
    ) -> _Axis:
        ratio = new_mm / old_mm
        new_size = max(1, ceil(round(size / ratio, 6)))
        origin = (size - 1) / 2 - (new_size - 1) / 2 * ratio
        first, stop = 0, new_size
        if margin_mm is not None:
            margin = margin_mm / new_mm
            first = max(0, int(np.floor((along.start - 1 - origin) / ratio - margin)))
            stop = min(new_size, int(np.ceil((along.stop - origin) / ratio + margin)) + 1)
        return cls(size, ratio, origin, first, stop - first)

    @property
    def start(self) -> float:
        """Where the first voxel that is kept lies, in old voxels."""
        return self.origin + self.first * self.ratio

    @property
    def needed(self) -> slice:
        """The old voxels that decide the new ones."""
        end = self.start + (self.count - 1) * self.ratio
        low = max(0, int(self.start) - SPLINE_MARGIN)
        return slice(low, min(self.size, int(np.ceil(end)) + SPLINE_MARGIN + 1))


def _on(axes: list[_Axis], array: NDArray[Any], order: int) -> NDArray[np.float64]:
    part = tuple(axis.needed for axis in axes)
    found = ndimage.affine_transform(
        array[part].astype(np.float64),
        np.array([axis.ratio for axis in axes]),
        [axis.start - axis.needed.start for axis in axes],
        tuple(axis.count for axis in axes),
        order=order,
        mode="nearest",
    )
    return np.asarray(found)


def prepared(tumour: Tumour, config: IbsiConfig, margin_mm: float | None) -> PreparedRoi:
    """The tumour as it is measured; the arguments are those of `interpolated`.

    Raises:
        DataError: If the mask is too small on the new grid, or the grid too fine.
    """
    _check_size(tumour, config)
    image, outline, spacing_mm = interpolated(tumour, config, margin_mm)
    if config.round_intensities:
        image = np.rint(image)
    extents = extents_of(bounding_box(outline)) if outline.any() else (0,)
    if sum(n > 1 for n in extents) < 2:
        raise DataError(
            f"after interpolation the mask's box is {' × '.join(map(str, extents))} voxels, and it "
            "must be longer than one voxel along 2 axes. Choose a finer spacing_mm, correct the "
            "mask, or drop the case."
        )
    if image.ndim == 2:
        image, outline, spacing_mm = image[None], outline[None], (1.0, *spacing_mm)
    return PreparedRoi(image, outline, spacing_mm)


def resegmented(roi: PreparedRoi, config: IbsiConfig) -> Mask:
    """The intensity mask: the outline's voxels whose intensities count.

    Outliers are told by mean and standard deviation of what the range leaves.

    Raises:
        DataError: If fewer than two voxels are left.
    """
    mask = roi.outline.copy()
    low, high = config.resegment_range or (None, None)
    if low is not None:
        mask &= roi.image >= low
    if high is not None:
        mask &= roi.image <= high
    if config.outlier_deviations is not None and mask.any():
        values = roi.image[mask]
        reach = config.outlier_deviations * values.std()
        mask &= np.abs(roi.image - values.mean()) <= reach
    left = int(mask.sum())
    if left < 2:
        raise DataError(
            f"re-segmentation leaves {left} of {int(roi.outline.sum())} voxels. Widen "
            "resegment_range or outlier_deviations, or drop the case."
        )
    return mask


def _check_size(tumour: Tumour, config: IbsiConfig) -> None:
    """A header with a spacing of metres must not become an image of as many millimetres."""
    if config.spacing_mm is None:
        return
    extents = extents_of(bounding_box(tumour.mask))
    voxels = prod(
        n * old / (new or old)
        for n, old, new in zip(
            extents, tumour.image.spacing_mm, config.spacing_mm[::-1], strict=True
        )
    )
    if voxels > MOST_RESAMPLED:
        shown = " × ".join(f"{mm:.5g}" for mm in tumour.image.spacing_mm)
        raise DataError(
            f"interpolating the tumour from a spacing of {shown} mm would make {voxels:.3g} "
            f"voxels, more than the limit of {MOST_RESAMPLED}. Check the spacing, choose a coarser "
            "spacing_mm, or drop the case."
        )
