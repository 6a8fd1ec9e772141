"""SEG: segments as a mask on the grid of the image, or on their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from rdfc_core import DataError, Volume
from rdfc_reader_dicom import pixels
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.files import Header, read_dataset
from rdfc_reader_dicom.geometry import functional_group, planes_of
from rdfc_reader_dicom.seg_grid import on_own_grid, on_picture, on_slices
from rdfc_reader_dicom.series import MOST_TOLD
from rdfc_reader_dicom.volume import DicomVolume


@dataclass(frozen=True, eq=False)
class Frames:
    """The frames of a SEG that are wanted.

    Args:
        header: Of the file.
        values: Of each frame, (F, H, W): the value of the mask, 0 outside.
        places: Of each frame among those of the file, from 0.
    """

    header: Header
    values: NDArray[Any]
    places: list[int]


def read_segmentation(
    header: Header, segment: str | None, image: Volume | None, config: DicomReaderConfig
) -> Volume:
    """The mask of one segment, 1 inside, or of all, each with its number.

    Args:
        header: Of the SEG.
        segment: Number or label; None: all of them.
        image: That it belongs to; a SEG on its grid fills all of it, one on another grid keeps
            its own.
        config: Options of the reader.

    Raises:
        DataError: If there is no such segment, segments overlap, or frames lie outside the image.
    """
    path = header.path
    dataset = read_dataset(path, pixels=True)
    labels = _labels(path, dataset)
    numbers = list(labels) if segment is None else [_chosen(path, labels, segment)]
    stored = pixels.decoded(path, dataset, config.max_voxels)
    frames = _wanted(header, dataset, stored, numbers, segment is None, config.threshold)
    if image is not None and image.array.ndim == 2:
        frame = image.source.frame if isinstance(image, DicomVolume) else None
        return on_picture(frames, image, frame)
    planes = planes_of(header)
    if not planes:
        raise DataError(
            f"{path} does not say where its frames lie in the patient. Name the picture that it "
            "was drawn on, or export it again."
        )
    wanted = [planes[place] for place in frames.places]
    if image is None:
        return on_own_grid(path, wanted, frames.values, config.max_voxels)
    fitted = on_slices(path, wanted, frames.values, image)
    if fitted is not None:
        return fitted
    return on_own_grid(path, wanted, frames.values, config.max_voxels, image)


def _labels(path: Path, dataset: Dataset) -> dict[int, str]:
    """Number of a segment → its label."""
    labels = {}
    for one in dataset.get("SegmentSequence") or ():
        if one.get("SegmentNumber") is not None:
            labels[int(one.SegmentNumber)] = str(one.get("SegmentLabel", "")).strip()
    if not labels:
        raise DataError(f"{path} describes no segment. Export it again.")
    return labels


def _chosen(path: Path, labels: dict[int, str], segment: str) -> int:
    by_label = [number for number, label in labels.items() if label == segment]
    if len(by_label) == 1:
        return by_label[0]
    told = ", ".join(f"{n} ({label})" for n, label in list(labels.items())[:MOST_TOLD])
    if len(by_label) > 1:
        raise DataError(f"{path} has {len(by_label)} segments {segment!r}: {told}. Name a number.")
    if segment.isdecimal() and int(segment) in labels:
        return int(segment)
    raise DataError(f"{path} has no segment {segment!r}. It holds {told}. Name one of them.")


def _wanted(
    header: Header,
    dataset: Dataset,
    stored: NDArray[Any],
    numbers: list[int],
    all_of_them: bool,
    threshold: float,
) -> Frames:
    """The frames of the segments, with the values that the mask is to have."""
    kind = str(dataset.get("SegmentationType", "BINARY")).strip().upper()
    if kind == "LABELMAP":
        values = np.where(np.isin(stored, numbers), stored if all_of_them else 1, 0)
        return Frames(header, values.astype(np.uint16), list(range(len(stored))))
    if kind == "FRACTIONAL":
        largest = float(dataset.get("MaximumFractionalValue") or 255)
        inside = stored >= threshold * largest
    elif kind == "BINARY":
        inside = stored != 0
    else:
        raise DataError(
            f"{header.path} is a segmentation of the type {kind[:16]!r}, which is not "
            "read. Export it as binary."
        )
    segments = [_segment_of(header, frame) for frame in range(len(stored))]
    places = [at for at, number in enumerate(segments) if number in numbers]
    if not places:
        raise DataError(
            f"{header.path} has no frame of the segment {', '.join(map(str, numbers))}: it is "
            "empty. Name another segment, or drop the case."
        )
    value = np.array([segments[at] if all_of_them else 1 for at in places], np.uint16)
    return Frames(header, inside[places] * value[:, None, None], places)


def _segment_of(header: Header, frame: int) -> int:
    group: Any = functional_group(header, frame, "SegmentIdentificationSequence")
    number = group.get("ReferencedSegmentNumber")
    if number is None:
        raise DataError(
            f"{header.path} does not say which segment its frame {frame + 1} shows. Export it "
            "again."
        )
    return int(number)
