"""How far the grid of a mask may differ from its image's, and the mask on the image's grid."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rdfc_core.errors import DataError
from rdfc_core.volume import Volume, bounding_box, check_same_grid

OUTSIDE_VOXELS = 1e-3
"""By so much may the outline's box leave the image; as PyRadiomics 3.0.1."""


@dataclass(frozen=True)
class MaskGrid:
    """What is done about a mask whose grid is not the image's.

    Args:
        tolerance: How far origin and spacing (in voxels) and direction may differ; None stands for
            the limits of `rdfc_core.volume.check_same_grid`.
        correct: Whether a mask that differs more is resampled onto the image's grid.
        linear: Whether its outline is then interpolated and cut at half, which is smoother where
            the mask is coarser than the image; otherwise the nearest sample decides.
    """

    tolerance: float | None = None
    correct: bool = False
    linear: bool = False

    def described(self) -> dict[str, Any]:
        """As JSON, for the store's key; what is new is there only where it says something."""
        said = {"tolerance": self.tolerance, "correct": self.correct}
        return {**said, "linear": True} if self.linear else said

    def fit(self, image: Volume, mask: Volume, mask_value: int | None) -> Volume:
        """The mask on the image's grid, resampled where it has another and that is asked for.

        Interpolated, the mask holds ``mask_value`` inside, or 1 where that is every value but 0.

        Raises:
            DataError: If the grids differ and the mask is not to be corrected, or its outline
                leaves the image.
        """
        try:
            check_same_grid(image, mask, self.tolerance)
        except DataError:
            if not self.correct or image.array.ndim != mask.array.ndim:
                raise
        else:
            return mask
        _check_outline_within(image, mask, mask_value)
        before = " x ".join(map(str, mask.array.shape))
        spacing = " x ".join(f"{mm:.5g}" for mm in mask.spacing_mm)
        note = (
            f"the mask ({before} samples of {spacing} mm) was resampled onto the image's grid. "
            "Check that the two belong together, or set correctMask to false."
        )
        if self.linear:
            inside = mask.array != 0 if mask_value is None else mask.array == mask_value
            part = _resampled(image, replace(mask, array=inside.astype(np.float32)), linear=True)
            found = (part.array >= 0.5) * np.uint8(1)
            value = 1 if mask_value is None else mask_value
            fitted = replace(part, array=found.astype(np.int32) * value)
        else:
            fitted = _resampled(image, mask)
        return replace(fitted, notes=(*mask.notes, note))


def _check_outline_within(image: Volume, mask: Volume, mask_value: int | None) -> None:
    inside = mask.array != 0 if mask_value is None else mask.array == mask_value
    if not inside.any():
        return  # whoever looks for the tumour says so
    ends = [(span.start, span.stop - 1) for span in bounding_box(inside)]
    corners = np.array(list(itertools.product(*ends)), np.float64)  # (2^d, d), array axes
    points = corners * mask.spacing_mm @ mask.direction.T + mask.origin_mm
    indices = (points - image.origin_mm) @ np.linalg.inv(image.direction).T / image.spacing_mm
    low, high = -0.5 - OUTSIDE_VOXELS, np.array(image.array.shape) - 0.5 + OUTSIDE_VOXELS
    if (indices < low).any() or (indices > high).any():
        raise DataError(
            "the outline of the mask leaves the image, so that it cannot be resampled onto the "
            "image's grid. Check that the two belong together, or drop the case."
        )


def _resampled(image: Volume, mask: Volume, linear: bool = False) -> Volume:
    import SimpleITK as sitk  # noqa: N813  (heavy: loaded when it is asked for)

    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in image.array.shape[::-1]])
    resampler.SetOutputSpacing([float(mm) for mm in image.spacing_mm[::-1]])
    resampler.SetOutputOrigin([float(mm) for mm in image.origin_mm])
    resampler.SetOutputDirection([float(x) for x in image.direction[:, ::-1].ravel()])
    resampler.SetInterpolator(sitk.sitkLinear if linear else sitk.sitkNearestNeighbor)
    resampled = sitk.GetArrayFromImage(resampler.Execute(mask.to_sitk()))
    return replace(image, array=resampled, colour=None)
