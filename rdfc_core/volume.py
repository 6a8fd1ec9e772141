"""Volumes: arrays on their physical grid, and whether two of them lie on one.

Arrays have the axes (row, column) for pictures and (plane, row, column) for volumes, in the order
in which SimpleITK hands them over; spacing and direction follow the array's axes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError

Box = tuple[slice, ...]
"""A part of an array, along each axis."""

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813

SPACING_TOLERANCE = 1e-3
"""Relative: files of one pair written by two programs differ by rounding, not by more."""
ORIGIN_TOLERANCE_VOXELS = 0.1
MOST_MASK_VALUES = 32
"""Of a mask beside an image of two values; a mask of many structures has fewer, an image more."""
DIRECTION_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Volume:
    """An array on its physical grid; a picture is a volume of two axes.

    Args:
        array: (H, W) or (Z, Y, X), any real type.
        spacing_mm: Distance between neighbouring samples along each array axis.
        origin_mm: Physical position of the first sample, (x, y[, z]).
        direction: (d, d), column i is the unit vector of array axis i in (x, y[, z]).
        notes: What its reader had to decide about the samples, in sentences for the user.
        colour: Red, green and blue of a picture, (H, W, 3), of the array's type; None where each
            sample is one number, or all pixels are grey.
    """

    array: NDArray[Any]
    spacing_mm: tuple[float, ...]
    origin_mm: tuple[float, ...]
    direction: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    colour: NDArray[Any] | None = None

    @classmethod
    def of(cls, array: NDArray[Any], spacing_mm: tuple[float, ...] | None = None) -> Volume:
        """A volume with its axes along the patient's, at the origin; spacing 1 mm by default."""
        d = array.ndim
        return cls(array, spacing_mm or (1.0,) * d, (0.0,) * d, np.eye(d)[:, ::-1].copy())

    @classmethod
    def from_sitk(cls, image: sitk.Image) -> Volume:
        """The same volume as SimpleITK holds it, with axes reversed to array order."""
        import SimpleITK as sitk  # noqa: N813  (heavy: loaded when a volume is)

        d = image.GetDimension()
        direction = np.asarray(image.GetDirection(), np.float64).reshape(d, d)[:, ::-1].copy()
        return cls(
            sitk.GetArrayFromImage(image), image.GetSpacing()[::-1], image.GetOrigin(), direction
        )

    def to_sitk(self) -> sitk.Image:
        """The same volume for SimpleITK; the type of the array is kept."""
        import SimpleITK as sitk  # noqa: N813

        image = sitk.GetImageFromArray(np.ascontiguousarray(self.array))
        image.SetSpacing([float(s) for s in self.spacing_mm[::-1]])
        image.SetOrigin([float(o) for o in self.origin_mm])
        image.SetDirection([float(x) for x in self.direction[:, ::-1].ravel()])
        return image

    @property
    def slice_axis(self) -> int:
        """The array axis nearest to the patient's head-foot axis: slices are axial."""
        if self.array.ndim == 2:
            raise DataError("A picture has no slice axis: it is one slice.")
        return int(np.argmax(np.abs(self.direction[2])))

    @property
    def axial(self) -> tuple[tuple[int, int, int], tuple[slice, ...]]:
        """How axial slices are shown: the array axes (plane, row, column), and which are turned.

        Planes run from the feet to the head; in each, rows run to the patient's back and columns
        to the patient's left, as radiologists see it: z, y and x grow that way.
        """
        plane = self.slice_axis
        first, second = (axis for axis in range(3) if axis != plane)
        back = np.abs(self.direction[1])
        row, column = (first, second) if back[first] >= back[second] else (second, first)
        signs = (self.direction[2, plane], self.direction[1, row], self.direction[0, column])
        turned = tuple(slice(None, None, -1 if sign < 0 else 1) for sign in signs)
        return (plane, row, column), turned

    def crop(self, box: tuple[slice, ...]) -> Volume:
        """The part inside the box, at its physical place."""
        start = np.array([s.start for s in box]) * np.array(self.spacing_mm)
        origin = np.asarray(self.origin_mm) + self.direction @ start
        return replace(
            self,
            array=self.array[box],
            origin_mm=tuple(float(o) for o in origin),
            colour=None if self.colour is None else self.colour[box],
        )


def bounding_box(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around the samples of a mask.

    Each axis is searched only inside the box of those before it: whole CTs are mostly background.

    Raises:
        ValueError: If the mask is empty.
    """
    box: list[slice] = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        inside = np.flatnonzero(mask[tuple(box)].any(axis=others))
        if not len(inside):
            raise ValueError("an empty mask has no box")
        box.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return tuple(box)


def extents_of(box: Box) -> tuple[int, ...]:
    """Samples along each axis."""
    return tuple(span.stop - span.start for span in box)


def check_finite(image: Volume) -> Volume:
    """The image itself, if all its samples are finite.

    Raises:
        DataError: If samples are NaN or infinite: filters would spread them over the tumour.
    """
    if image.array.dtype.kind == "f":
        bad = int(np.size(image.array) - np.isfinite(image.array).sum())
        if bad:
            raise DataError(
                f"the image holds {bad} NaN or infinite voxels. "
                "Replace them (for example by the lowest valid value), or drop the case."
            )
    return image


def check_not_swapped(image: Volume, mask: Volume) -> None:
    """A file of many values given as the mask and one of two as the image have changed places.

    Raises:
        DataError: If that is so.
    """
    low, high = image.array.min(), image.array.max()
    if not np.all((image.array == low) | (image.array == high)):
        return
    values = len(np.unique(mask.array))
    if values > MOST_MASK_VALUES:
        raise DataError(
            f"the mask holds {values} different values, as an image does, and the image only "
            f"{1 if low == high else 2}, as a mask does. Swap the two: they seem to stand in each "
            "other's column."
        )


def check_same_grid(image: Volume, mask: Volume, tolerance: float | None = None) -> None:
    """Image and mask must have one shape and, within a tolerance, one physical grid.

    Args:
        image: The image.
        mask: Its mask.
        tolerance: As SimpleITK takes it: how far origin and spacing may differ, in voxels along x,
            and the direction; None stands for the limits stated in this module.

    Raises:
        DataError: If they differ; the message holds both values.
    """
    advice = "Resample the mask onto the image's grid, or check that the two belong together."
    if image.array.shape != mask.array.shape:
        sizes = ""
        if image.array.ndim == mask.array.ndim and mask.spacing_mm != image.spacing_mm:
            sizes = f" (spacing {_show(mask.spacing_mm)} and {_show(image.spacing_mm)} mm)"
        raise DataError(
            f"the mask has shape {mask.array.shape} and the image {image.array.shape}{sizes}. "
            f"{advice}"
        )
    spacing = np.asarray(image.spacing_mm)
    limits: tuple[Any, Any, Any] = (
        SPACING_TOLERANCE * spacing,
        ORIGIN_TOLERANCE_VOXELS * spacing.min(),
        DIRECTION_TOLERANCE,
    )
    if tolerance is not None:
        limits = (tolerance * spacing[-1], tolerance * spacing[-1], tolerance)
    for what, ours, theirs, limit in (
        ("spacing (mm)", image.spacing_mm, mask.spacing_mm, limits[0]),
        ("origin (mm)", image.origin_mm, mask.origin_mm, limits[1]),
        ("direction", image.direction.ravel(), mask.direction.ravel(), limits[2]),
    ):
        if not np.all(np.abs(np.subtract(ours, theirs)) <= limit):  # also refuses NaN
            raise DataError(
                f"the mask has {what} {_show(theirs)} and the image {_show(ours)}. {advice}"
            )


def _show(values: Any) -> str:
    return "(" + ", ".join(f"{float(v):.5g}" for v in values) + ")"
