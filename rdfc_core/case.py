"""A case: one tumour as files on disk, and the tumour once it is loaded.

Arrays have the axes (row, column) for pictures and (plane, row, column) for volumes, in the order
in which SimpleITK hands them over; spacing and direction follow the array's axes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError

if TYPE_CHECKING:
    import SimpleITK as sitk  # noqa: N813

SPACING_TOLERANCE = 1e-3
"""Relative: files of one pair written by two programs differ by rounding, not by more."""
ORIGIN_TOLERANCE_VOXELS = 0.1
DIRECTION_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Volume:
    """An array on its physical grid; a picture is a volume of two axes.

    Args:
        array: (H, W) or (Z, Y, X), any real type.
        spacing_mm: Distance between neighbouring samples along each array axis.
        origin_mm: Physical position of the first sample, (x, y[, z]).
        direction: (d, d), column i is the unit vector of array axis i in (x, y[, z]).
    """

    array: NDArray[Any]
    spacing_mm: tuple[float, ...]
    origin_mm: tuple[float, ...]
    direction: NDArray[np.float64]

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
        return replace(self, array=self.array[box], origin_mm=tuple(float(o) for o in origin))


@dataclass(frozen=True, eq=False)
class Tumour:
    """A loaded case: image and mask on one grid, checked.

    Args:
        image: The image on its grid.
        mask: Of the image's shape, True inside the outline, at least one voxel.
    """

    image: Volume
    mask: NDArray[np.bool_]

    @property
    def ndim(self) -> int:
        """2 for pictures, 3 for volumes."""
        return self.mask.ndim

    @cached_property
    def box(self) -> tuple[slice, ...]:
        """The smallest box around the mask."""
        box = []
        for axis in range(self.mask.ndim):
            others = tuple(a for a in range(self.mask.ndim) if a != axis)
            inside = np.flatnonzero(self.mask.any(axis=others))
            box.append(slice(int(inside[0]), int(inside[-1]) + 1))
        return tuple(box)

    def crop(self, margin: int = 0) -> Tumour:
        """The tumour's box, widened by ``margin`` samples where the image goes that far."""
        box = tuple(
            slice(max(0, s.start - margin), min(n, s.stop + margin))
            for s, n in zip(self.box, self.mask.shape, strict=True)
        )
        return Tumour(self.image.crop(box), self.mask[box])


class ReadsFiles(Protocol):
    """What a case needs of its reader; `rdfc_core.interfaces.Reader` is the full interface."""

    def read_image(self, path: Path) -> Volume:
        """The image in the file."""

    def read_mask(self, path: Path) -> Volume:
        """The mask in the file, with its own values."""

    def identity(self, path: Path) -> str:
        """What decides, besides its content, what becomes of the file."""

    def fingerprint(self, path: Path) -> str:
        """The same for the same content."""


@dataclass(frozen=True)
class Case:
    """One tumour: where its image and mask are, whose it is, and its label if it has one.

    Args:
        case_id: Unique within the data set.
        patient_id: Cases of one patient are never split between training and test.
        image: The image file.
        mask: The mask file.
        label: The class, or None for a case without a diagnosis.
        mask_value: The value in the mask that marks the tumour; None takes every value but 0.
        component: ``all`` of the mask, or only its ``largest`` connected component.
        columns: Whatever else the data set says about the case.
        reader: Reads the two files; a study fills it in where the data set leaves it open.
    """

    case_id: str
    patient_id: str
    image: Path
    mask: Path
    label: str | None = None
    mask_value: int | None = None
    component: Literal["all", "largest"] = "all"
    columns: Mapping[str, str] = field(default_factory=dict)
    reader: ReadsFiles | None = None

    def load(self) -> Tumour:
        """Read image and mask and check, once and here, that they fit.

        Raises:
            DataError: If a file is missing or damaged, the grids differ, the mask is empty, or
                the image holds NaN or infinite samples. The message starts with the case.
        """
        try:
            reader = self._reader()
            image = reader.read_image(self._existing(self.image, "image"))
            mask = reader.read_mask(self._existing(self.mask, "mask"))
            check_same_grid(image, mask)
            return Tumour(check_finite(image), self._inside(mask))
        except DataError as error:
            raise DataError(f"Case {self.case_id}: {error}") from error

    def fingerprint(self) -> str:
        """Changes when image or mask, what the mask means, or how the files are read, changes.

        Raises:
            DataError: If a file is missing.
        """
        try:
            reader = self._reader()
            parts = (
                reader.fingerprint(self._existing(self.image, "image")),
                reader.fingerprint(self._existing(self.mask, "mask")),
                reader.identity(self.image),
                reader.identity(self.mask),
                str(self.mask_value),
                self.component,
            )
        except DataError as error:
            raise DataError(f"Case {self.case_id}: {error}") from error
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    def _reader(self) -> ReadsFiles:
        if self.reader is None:
            raise DataError("no reader is set. Give the case one, or let a study choose it.")
        return self.reader

    def _existing(self, path: Path, role: str) -> Path:
        # A reader may serve paths that are no files (a generated data set): it then says so itself.
        if getattr(self.reader, "needs_files", True) and not path.exists():
            raise DataError(
                f"the {role} {path} does not exist. Correct the path, or drop the case."
            )
        return path

    def _inside(self, mask: Volume) -> NDArray[np.bool_]:
        try:
            inside = voxels_inside(mask, self.mask_value)
        except DataError as error:
            raise DataError(f"{error} It was read from {self.mask}.") from error
        return largest_component(inside) if self.component == "largest" else inside


def voxels_inside(mask: Volume, mask_value: int | None) -> NDArray[np.bool_]:
    """True where the mask has the value, or any value but 0 if None is asked for.

    Raises:
        DataError: If that is nowhere, or if the mask holds NaN.
    """
    values = mask.array
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise DataError("the mask holds NaN. Replace it by 0 outside the tumour and 1 inside.")
    inside: NDArray[np.bool_] = values != 0 if mask_value is None else values == mask_value
    if not inside.any():
        found = np.unique(values)[:8].tolist()
        wanted = "" if mask_value is None else f" at value {mask_value}"
        remedy = "Correct the mask" if mask_value is None else "Correct the mask or mask_value"
        raise DataError(
            f"the mask is empty{wanted} (it holds {found}). {remedy}, or drop the case."
        )
    return inside


def largest_component(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest part of the mask that hangs together by faces, edges or corners."""
    from scipy import ndimage  # loaded when asked for: most data sets never do

    labels, count = ndimage.label(inside, np.ones((3,) * inside.ndim))
    if count < 2:
        return inside
    sizes = np.bincount(labels.ravel())[1:]
    return np.asarray(labels == 1 + int(np.argmax(sizes)))


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


def check_same_grid(image: Volume, mask: Volume) -> None:
    """Image and mask must have one shape and, within a stated tolerance, one physical grid.

    Raises:
        DataError: If they differ; the message holds both values.
    """
    advice = "Resample the mask onto the image's grid, or check that the two belong together."
    if image.array.shape != mask.array.shape:
        raise DataError(
            f"the mask has shape {mask.array.shape} and the image {image.array.shape}. {advice}"
        )
    spacing = np.asarray(image.spacing_mm)
    for what, ours, theirs, tolerance in (
        ("spacing (mm)", image.spacing_mm, mask.spacing_mm, SPACING_TOLERANCE * spacing),
        ("origin (mm)", image.origin_mm, mask.origin_mm, ORIGIN_TOLERANCE_VOXELS * spacing.min()),
        ("direction", image.direction.ravel(), mask.direction.ravel(), DIRECTION_TOLERANCE),
    ):
        if not np.all(np.abs(np.subtract(ours, theirs)) <= tolerance):  # also refuses NaN
            raise DataError(
                f"the mask has {what} {_show(theirs)} and the image {_show(ours)}. {advice}"
            )


def _show(values: Any) -> str:
    return "(" + ", ".join(f"{float(v):.5g}" for v in values) + ")"
