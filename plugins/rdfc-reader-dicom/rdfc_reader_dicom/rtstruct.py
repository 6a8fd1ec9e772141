"""RTSTRUCT: the contours of a region as a mask on the grid of its image."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from rdfc_core import DataError, Volume
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.contours import fill, planes_for
from rdfc_reader_dicom.files import Header
from rdfc_reader_dicom.geometry import Vector, numbers, to_indices
from rdfc_reader_dicom.series import MOST_TOLD

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
FLAT_VOXELS = 0.25
"""How far, in planes, points of one contour may be apart along the planes' axis."""
ON_PLANE_VOXELS = 0.25
"""Contours nearer than this to a plane of the image lie on it: exporters round positions."""


@dataclass(frozen=True)
class StructureRoi:
    """A region of an RTSTRUCT.

    Args:
        number: ROINumber.
        name: ROIName.
    """

    number: int
    name: str


def read_structures(
    header: Header, roi: str | None, image: Volume | None, config: DicomReaderConfig
) -> Volume:
    """The mask of a region, 1 inside, on the grid of its image.

    Args:
        header: Of the RTSTRUCT, which has no pixels.
        roi: Name, or a regular expression of the whole name; None: the only region.
        image: That it was drawn on.
        config: Options of the reader.

    Raises:
        DataError: If there is no image, no such region, or its contours do not fit the image.
    """
    path = header.path
    if image is None:
        raise DataError(
            f"{path} holds contours, which become a mask on the grid of their image, and that "
            "could not be read. Correct the image first."
        )
    if image.array.ndim != 3:
        raise DataError(
            f"{path} holds contours in the patient, and the image is a picture without a place "
            "there. Name the series that they were drawn on."
        )
    regions = _chosen(path, _regions(path, header.dataset), roi)
    inside = np.zeros(image.array.shape, bool)
    notes: list[str] = []
    for region in regions:
        contours, left_out = _contours(path, header.dataset, region, image)
        if left_out:
            notes.append(
                f"{left_out} open contours or points of {region.name!r} were left out of the mask."
            )
        mask, note = _mask(path, region, contours, image, config.contours == "nearest")
        inside |= mask
        notes += note
    if len(regions) > 1:
        names = ", ".join(repr(region.name) for region in regions[:MOST_TOLD])
        notes.append(f"{len(regions)} regions of {path.name} were joined: {names}.")
    return Volume(
        inside.astype(np.uint8), image.spacing_mm, image.origin_mm, image.direction, tuple(notes)
    )


def _regions(path: Path, dataset: Dataset) -> list[StructureRoi]:
    regions = []
    for one in dataset.get("StructureSetROISequence") or ():
        number = one.get("ROINumber")
        if number is not None:
            regions.append(StructureRoi(int(number), str(one.get("ROIName", "")).strip()))
    if not regions:
        raise DataError(f"{path} holds no region. Export the outlines again.")
    return regions


def _chosen(path: Path, regions: list[StructureRoi], roi: str | None) -> list[StructureRoi]:
    """The region of the name, otherwise those whose whole name the expression matches."""
    names = ", ".join(repr(region.name) for region in regions[:MOST_TOLD])
    names += f" and {len(regions) - MOST_TOLD} more" if len(regions) > MOST_TOLD else ""
    if roi is None:
        if len(regions) > 1:
            raise DataError(
                f"{path} holds {len(regions)} regions ({names}). Name one: {path.name}#roi=NAME."
            )
        return regions
    exact = [region for region in regions if region.name == roi]
    if not exact:
        try:
            exact = [region for region in regions if re.fullmatch(roi, region.name)]
        except re.error:
            exact = []
    if not exact:
        raise DataError(f"{path} has no region {roi!r}. It holds {names}. Name one of them.")
    return exact


def _contours(
    path: Path, dataset: Dataset, region: StructureRoi, image: Volume
) -> tuple[list[Vector], int]:
    """The closed contours of a region in places of the array, (n, 3) each; how many are open."""
    contours: list[Vector] = []
    left_out = 0
    for one in dataset.get("ROIContourSequence") or ():
        if one.get("ReferencedROINumber") != region.number:
            continue
        for contour in one.get("ContourSequence") or ():
            kind = str(contour.get("ContourGeometricType", "CLOSED_PLANAR")).strip().upper()
            points = _points(path, contour)
            if kind not in CLOSED or len(points) < 3:
                left_out += 1
            else:
                contours.append(to_indices(points, image))
    if not contours:
        what = f"only open contours or points ({left_out})" if left_out else "no contour"
        raise DataError(
            f"{path} has {what} of the region {region.name!r}. Close the contours, or name another "
            "region."
        )
    return contours, left_out


def _points(path: Path, contour: Dataset) -> Vector:
    data: Any = contour.get("ContourData") or ()
    count = len(data) if hasattr(data, "__len__") and not isinstance(data, str) else 0
    values = numbers(path, contour, "ContourData", count) or []
    if count % 3:
        raise DataError(
            f"{path} has a contour of {count} numbers, not of x, y and z each. Export "
            "the outlines again."
        )
    return np.asarray(values, np.float64).reshape(-1, 3)


def _mask(
    path: Path, region: StructureRoi, contours: list[Vector], image: Volume, between: bool
) -> tuple[NDArray[np.bool_], list[str]]:
    """Where a region is, and what had to be decided."""
    spreads = np.array([np.ptp(contour, axis=0) for contour in contours])
    axis = int(np.argmin(spreads.max(axis=0)))  # along which contours are flat
    if spreads[:, axis].max() > FLAT_VOXELS:
        raise DataError(
            f"{path} has contours of {region.name!r} that do not lie in planes of the image. Name "
            "the series that they were drawn on, or export the outlines as SEG or NIfTI."
        )
    shape = list(image.array.shape)
    count = shape.pop(axis)
    grouped = _by_plane(contours, axis)
    drawn = np.array(sorted(grouped))
    _check_within(path, region, drawn, contours, axis, image.array.shape)
    taken = planes_for(drawn, count, between)
    masks = {at: fill(grouped[drawn[at]], (shape[0], shape[1])) for at in set(taken) if at >= 0}
    empty = np.zeros(tuple(shape), bool)
    inside = np.stack([masks.get(at, empty) for at in taken])
    if not inside.any():
        raise DataError(
            f"{path} has contours of {region.name!r} that enclose no voxel's centre. Drop the "
            "case, or name another region."
        )
    return np.moveaxis(inside, 0, axis), _notes(region, drawn, taken)


def _by_plane(contours: list[Vector], axis: int) -> dict[float, list[Vector]]:
    """Place along the axis → the contours there, each (n, 2)."""
    grouped: defaultdict[float, list[Vector]] = defaultdict(list)
    for contour in contours:
        at = float(contour[:, axis].mean())
        whole = round(at)
        near = whole if abs(at - whole) <= ON_PLANE_VOXELS else round(at, 2)
        grouped[float(near)].append(np.delete(contour, axis, axis=1))
    return grouped


def _check_within(
    path: Path,
    region: StructureRoi,
    drawn: Vector,
    contours: list[Vector],
    axis: int,
    shape: tuple[int, ...],
) -> None:
    """No part of a region may be cut off: its features would be those of something else."""
    points = np.concatenate(contours)
    points[:, axis] = np.clip(points[:, axis], drawn[0], drawn[-1])
    low, high = points.min(axis=0), points.max(axis=0)
    if (low < -0.5 - 1e-3).any() or (high > np.array(shape) - 0.5 + 1e-3).any():
        spans = " x ".join(f"{a:.0f} to {b:.0f}" for a, b in zip(low, high, strict=True))
        raise DataError(
            f"{path} has contours of {region.name!r} outside the image (voxels {spans} of "
            f"{' x '.join(map(str, shape))}). Name the series that they were drawn on."
        )


def _notes(region: StructureRoi, drawn: Vector, taken: NDArray[np.int64]) -> list[str]:
    off = int(np.sum(np.abs(drawn - np.rint(drawn)) > ON_PLANE_VOXELS))
    notes = []
    if off:
        notes.append(
            f"{off} of {len(drawn)} contour planes of {region.name!r} lie between planes of the "
            "image, which take the nearest of them."
        )
    filled = int(np.sum(taken >= 0)) - len(drawn)
    if not off and filled > 0:
        notes.append(
            f"{filled} planes without a contour of {region.name!r} were filled from the nearest "
            "one. To leave them empty set readers.dicom.contours to drawn."
        )
    inner = taken[np.flatnonzero(taken >= 0)[0] : np.flatnonzero(taken >= 0)[-1] + 1]
    if (inner < 0).any():
        notes.append(
            f"{int((inner < 0).sum())} planes within {region.name!r} have no contour and are empty."
        )
    return notes
