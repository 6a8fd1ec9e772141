"""Planes in order on one grid: two orientations, copies and gaps are found here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdfc_core import DataError
from rdfc_reader_dicom.geometry import Plane, Vector, first_turned

SAME_PLACE_MM = 1e-3
"""Slices nearer than this lie at one place."""
EQUAL_SPACING = 0.02
"""Share of the usual distance by which distances between slices may differ: as positions are
rounded in headers (the grid's error stays below a tenth of a voxel, see `_check_drift`)."""
DRIFT_VOXELS = 0.1
SHEAR = 1e-2
"""How far, per mm along the normal, a slice may be shifted within its plane."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes in order, with the grid that they lie on.

    Args:
        planes: Along the normal.
        spacing_mm: Between planes, rows and columns.
        places_mm: Of each plane along the normal, from the first.
        regular: Whether planes are equally spaced.
    """

    planes: Sequence[Plane]
    spacing_mm: tuple[float, float, float]
    places_mm: Vector
    regular: bool

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """Of the first sample of the first plane."""
        x, y, z = (float(value) for value in self.planes[0].position)
        return x, y, z

    @property
    def direction(self) -> NDArray[np.float64]:
        """Columns are the unit vectors of planes, rows and columns."""
        first = self.planes[0]
        return np.stack([first.normal, first.down, first.right], axis=1)

    @property
    def targets_mm(self) -> Vector:
        """Where planes are to be, equally spaced, from the first to the last."""
        if self.regular:
            return self.places_mm
        count = int(np.floor(self.places_mm[-1] / self.spacing_mm[0] + 1e-3)) + 1
        return np.arange(count, dtype=np.float64) * self.spacing_mm[0]


def stacked(place: Path, planes: Sequence[Plane], resample: bool = False) -> Stack:
    """The planes in order.

    Args:
        place: Of the series, for messages.
        planes: At least one.
        resample: Whether unequal distances are accepted, to be interpolated.

    Raises:
        DataError: If planes differ in size, spacing or orientation, lie at one place, are shifted
            against each other, or are missing.
    """
    _check_alike(place, planes)
    first = planes[0]
    along = np.array([plane.position @ first.normal for plane in planes])
    order = np.argsort(along, kind="stable")
    planes, along = [planes[i] for i in order], along[order]
    if len(planes) == 1:
        thickness = first.thickness_mm or 1.0
        return Stack(planes, (thickness, *first.spacing_mm), np.zeros(1), True)
    gaps = np.diff(along)
    _check_copies(place, planes, gaps)
    _check_shear(place, planes, along)
    usual = float(np.median(gaps))
    regular = bool(np.all(np.abs(gaps - usual) <= EQUAL_SPACING * usual))
    if not regular and not resample:
        raise DataError(_unequal(place, planes, gaps, usual))
    spacing = usual
    if regular:
        spacing = float((along[-1] - along[0]) / (len(planes) - 1))  # rounding averages out
        regular = _drift(along, spacing) <= DRIFT_VOXELS
        if not regular and not resample:
            raise DataError(_unequal(place, planes, gaps, usual))
    return Stack(planes, (spacing, *first.spacing_mm), along - along[0], regular)


def _drift(along: Vector, spacing: float) -> float:
    """Largest distance of a plane from its place on the grid, in planes."""
    expected = along[0] + spacing * np.arange(len(along))
    return float(np.abs(along - expected).max() / spacing)


def _check_alike(place: Path, planes: Sequence[Plane]) -> None:
    first = planes[0]
    turned = first_turned(planes)
    if turned is not None:
        raise DataError(
            f"{place} holds slices of two orientations ({first.name} and {turned.name}). Name the "
            "files of one of them in a list (.dcmlist), or put them into a folder of their own."
        )
    for plane in planes[1:]:
        if plane.shape != first.shape:
            ours, theirs = (" x ".join(map(str, one.shape)) for one in (first, plane))
            raise DataError(
                f"{place} holds slices of two sizes ({first.name}: {ours}, {plane.name}: {theirs} "
                "samples). Name the files of one of them in a list (.dcmlist)."
            )
        if not np.allclose(plane.spacing_mm, first.spacing_mm, rtol=1e-3, atol=0):
            raise DataError(
                f"{place} holds slices of two pixel spacings ({first.name}: {first.spacing_mm}, "
                f"{plane.name}: {plane.spacing_mm} mm). Name the files of one of them in a list "
                "(.dcmlist)."
            )


def _check_copies(place: Path, planes: Sequence[Plane], gaps: Vector) -> None:
    at = np.flatnonzero(gaps < SAME_PLACE_MM)
    if not len(at):
        return
    one, other = planes[at[0]], planes[at[0] + 1]
    more = f", and {len(at) - 1} more such pairs" if len(at) > 1 else ""
    raise DataError(
        f"{place} holds two slices at one place ({one.name} and {other.name}{more}). Remove the "
        "copies, or list the files of one acquisition (.dcmlist)."
    )


def _check_shear(place: Path, planes: Sequence[Plane], along: Vector) -> None:
    first, last = planes[0], planes[-1]
    moved = last.position - first.position
    length = along[-1] - along[0]
    shift = float(np.linalg.norm(moved - length * first.normal) / length)
    if shift > SHEAR:
        angle = np.degrees(np.arctan(shift))
        raise DataError(
            f"{place} has slices that are shifted against each other (by {angle:.1f} degrees), as "
            "by a tilted gantry. Resample it onto a rectangular grid."
        )


def _unequal(place: Path, planes: Sequence[Plane], gaps: Vector, usual: float) -> str:
    """The gaps of a series whose slices are not equally spaced, in a sentence."""
    fix = "or set readers.dicom.slice_spacing to resample: they are then interpolated."
    steps = gaps / usual
    wide = np.flatnonzero(np.abs(steps - 1) > EQUAL_SPACING)
    whole = np.abs(steps - np.rint(steps)) <= 2 * EQUAL_SPACING * np.maximum(steps, 1)
    if len(wide) and whole.all():
        missing = int(np.rint(steps[wide]).sum() - len(wide))
        what = "a slice" if missing == 1 else f"{missing} slices"
        where = "; ".join(
            f"between {planes[at].name} and {planes[at + 1].name}, {gaps[at]:.5g} mm apart"
            for at in wide[:3]
        )
        more = f" and {len(wide) - 3} more places" if len(wide) > 3 else ""
        return (
            f"{place} misses {what} ({where}{more}; other slices are {usual:.5g} mm apart). Add "
            f"the missing files, {fix}"
        )
    return (
        f"{place} has slices at unequal distances ({gaps.min():.5g} to {gaps.max():.5g} mm). Name "
        f"the files of one of its parts in a list (.dcmlist), {fix}"
    )
