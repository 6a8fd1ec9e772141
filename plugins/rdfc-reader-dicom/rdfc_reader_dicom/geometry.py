"""Where images lie in the patient: planes of files, and the grid that they make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from rdfc_core import DataError, Volume
from rdfc_reader_dicom.files import Header

Vector = NDArray[np.float64]

SAME_DIRECTION = 1e-3
"""How far the unit vectors of two planes may differ: headers hold rounded numbers."""

SLICED = ("CT", "MR", "PT", "NM")
"""Modalities whose images with a place in the patient are slices through it."""


@dataclass(frozen=True, eq=False)
class Plane:
    """One slice.

    Args:
        header: Of its file.
        frame: Its place among the frames of the file, from 0.
        position: Of its first sample, (x, y, z) in mm.
        down: Unit vector along which rows follow each other, (3,).
        right: Unit vector along which columns follow each other, (3,).
        spacing_mm: Between rows, and between columns.
        thickness_mm: Of the slice; 0 where the header does not say.
    """

    header: Header
    frame: int
    position: Vector
    down: Vector
    right: Vector
    spacing_mm: tuple[float, float]
    thickness_mm: float = 0.0

    @property
    def normal(self) -> Vector:
        """Along which slices follow each other, so that the three axes are right-handed."""
        return np.cross(self.right, self.down)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.header.dataset.Rows), int(self.header.dataset.Columns)

    @property
    def name(self) -> str:
        """The file, with the frame where it has several."""
        path = self.header.path
        return f"{path.name}, frame {self.frame + 1}" if self.header.frames > 1 else path.name


def planes_of(header: Header) -> list[Plane]:
    """The planes of a file; none if it has no place in the patient.

    Raises:
        DataError: If positions are incomplete, or are no numbers.
    """
    dataset = header.dataset
    if "PerFrameFunctionalGroupsSequence" in dataset:
        planes = [_plane(header, frame) for frame in range(header.frames)]
        placed = [plane for plane in planes if plane is not None]
        if placed and len(placed) < len(planes):
            raise DataError(
                f"{header.path} says of {len(placed)} of its {len(planes)} frames where they lie. "
                "Export it again with all positions."
            )
        return placed
    if header.frames > 1:
        return []
    plane = _plane(header, 0)
    return [] if plane is None else [plane]


def _plane(header: Header, frame: int) -> Plane | None:
    place = functional_group(header, frame, "PlanePositionSequence")
    turned = functional_group(header, frame, "PlaneOrientationSequence")
    measures = functional_group(header, frame, "PixelMeasuresSequence")
    position = numbers(header.path, place, "ImagePositionPatient", 3)
    axes = numbers(header.path, turned, "ImageOrientationPatient", 6)
    if position is None or axes is None:
        return None
    spacing = numbers(header.path, measures, "PixelSpacing", 2)
    if spacing is None and header.dataset.get("Modality") not in SLICED:
        return None  # a projection whose header says how the patient lay
    if spacing is None or min(spacing) <= 0:
        raise DataError(f"{header.path} has no PixelSpacing above 0. Export the series again.")
    right, down = np.array(axes[:3]), np.array(axes[3:])
    lengths = np.linalg.norm(right), np.linalg.norm(down)
    if min(lengths) < 0.5 or abs(right @ down) > SAME_DIRECTION * lengths[0] * lengths[1]:
        raise DataError(
            f"{header.path} has rows and columns that are not at right angles "
            "(ImageOrientationPatient). Export the series again."
        )
    thickness = numbers(header.path, measures, "SpacingBetweenSlices", 1) or numbers(
        header.path, measures, "SliceThickness", 1
    )
    return Plane(
        header,
        frame,
        np.array(position),
        down / lengths[1],
        right / lengths[0],
        (spacing[0], spacing[1]),
        abs(thickness[0]) if thickness else 0.0,
    )


def functional_group(header: Header, frame: int, name: str) -> Dataset:
    """What a multi-frame file says of a frame, or of all; of any other file the file itself."""
    dataset = header.dataset
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        return dataset
    groups = dataset.PerFrameFunctionalGroupsSequence
    shared = dataset.get("SharedFunctionalGroupsSequence") or [Dataset()]
    if frame >= len(groups):
        raise DataError(
            f"{header.path} claims {header.frames} frames and describes {len(groups)}. Export it "
            "again."
        )
    found = groups[frame].get(name) or shared[0].get(name)
    return found[0] if found else Dataset()


def numbers(path: Path, dataset: Dataset, keyword: str, count: int) -> list[float] | None:
    """The numbers of an element; None if it is missing or empty.

    Raises:
        DataError: If there are fewer or more, or one is not finite.
    """
    try:
        value: Any = dataset.get(keyword)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        values = [float(one) for one in (value if hasattr(value, "__len__") else [value])]
    except (TypeError, ValueError):
        raise DataError(f"{path} has no numbers in {keyword}. Export the file again.") from None
    if not values:
        return None
    if len(values) != count or not all(map(math.isfinite, values)):
        raise DataError(
            f"{path} has {len(values)} values in {keyword}, and {count} finite ones are needed. "
            "Export the file again."
        )
    return values


def to_indices(points: Vector, grid: Volume) -> Vector:
    """Places in the array, (n, 3) by array axis, of points in the patient, (n, 3) as (x, y, z)."""
    return np.asarray(
        (points - np.asarray(grid.origin_mm))
        @ np.linalg.inv(grid.direction).T
        / np.asarray(grid.spacing_mm)
    )


def first_turned(planes: Sequence[Plane]) -> Plane | None:
    """The first plane that is turned another way than the first one; None if none is."""
    first = planes[0]
    for plane in planes[1:]:
        apart = max(np.abs(plane.right - first.right).max(), np.abs(plane.down - first.down).max())
        if apart > SAME_DIRECTION:
            return plane
    return None
