"""Images: the slices of a series as a volume, or a single picture."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core import DataError, Volume
from rdfc_reader_dicom import pixels
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.files import Header, read_dataset
from rdfc_reader_dicom.geometry import Plane, planes_of
from rdfc_reader_dicom.picture_spacing import picture_spacing
from rdfc_reader_dicom.selection import SelectedPath
from rdfc_reader_dicom.series import ImageFiles, image_files
from rdfc_reader_dicom.stack import Stack, stacked
from rdfc_reader_dicom.volume import DicomVolume, ImageSource


def read_image(selection: SelectedPath, config: DicomReaderConfig) -> Volume:
    """The image that a path means: (Z, Y, X) where it has a place in the patient, else (H, W).

    Raises:
        DataError: If it is not one image, or cannot be read right.
    """
    files = image_files(selection, config.burned_in)
    planes = [planes_of(header) for header in files.headers]
    placed = [plane for group in planes for plane in group]
    if placed and not all(planes):
        without = next(h for h, group in zip(files.headers, planes, strict=True) if not group)
        raise DataError(
            f"{without.path} does not say where it lies in the patient, as other images of its "
            "series do. List the files that are meant (.dcmlist)."
        )
    if placed:
        if selection.frame is not None:
            raise DataError(
                f"{selection.place} is a volume, of which no single frame can be named. Leave "
                "#frame= out."
            )
        return _Volumes(selection, config, files).of(placed)
    return _picture(selection, config, files)


@dataclass(frozen=True)
class _Volumes:
    """Makes a volume of the planes of a series."""

    selection: SelectedPath
    config: DicomReaderConfig
    files: ImageFiles

    def of(self, planes: list[Plane]) -> Volume:
        place = self.selection.place
        stack = stacked(place, planes, self.config.slice_spacing == "resample")
        rows, columns = stack.planes[0].shape
        count = max(len(stack.planes), len(stack.targets_mm))
        if count * rows * columns > self.config.max_voxels:
            raise DataError(
                f"{place} claims {count} x {rows} x {columns} voxels, more than the limit of "
                f"{self.config.max_voxels}. Crop it, or raise readers.dicom.max_voxels."
            )
        samples, notes = self._samples(stack)
        notes = (*self.files.notes, *notes, *self._notes(stack))
        if not stack.regular:
            samples = _interpolated(samples, stack)
        first = stack.planes[0].header
        source = ImageSource(
            first.series_uid,
            frozenset(str(h.dataset.get("SOPInstanceUID", "")) for h in self.files.headers),
            str(first.dataset.get("FrameOfReferenceUID", "")),
            () if stack.regular else tuple(map(float, stack.places_mm)),
        )
        return DicomVolume(
            samples, stack.spacing_mm, stack.origin_mm, stack.direction, notes, source=source
        )

    def _samples(self, stack: Stack) -> tuple[NDArray[Any], tuple[str, ...]]:
        """The planes' samples in order, (Z, Y, X); each file is decoded once."""
        by_file: defaultdict[Header, list[int]] = defaultdict(list)
        for at, plane in enumerate(stack.planes):
            by_file[plane.header].append(at)
        slices: list[NDArray[Any]] = [np.empty(0)] * len(stack.planes)
        notes: tuple[str, ...] = ()
        for header, places in by_file.items():
            frames = pixels.decoded(
                header.path, read_dataset(header.path, pixels=True), self.config.max_voxels
            )
            for at in places:
                frame = frames[stack.planes[at].frame]
                if frame.ndim == 3:
                    slices[at] = pixels.luminance(frame)
                    notes = ("its slices are in colour, of which luminance is used.",)
                else:
                    slices[at] = pixels.real_values(header, frame, stack.planes[at].frame)
        return np.stack(slices), notes  # slices of several types become the one that holds them all

    def _notes(self, stack: Stack) -> tuple[str, ...]:
        name = self.selection.place.name
        if not stack.regular:
            gaps = np.diff(stack.places_mm)
            return (
                f"the slices of {name} are {gaps.min():.5g} to {gaps.max():.5g} mm apart, and were "
                f"interpolated to {stack.spacing_mm[0]:.5g} mm.",
            )
        if len(stack.planes) == 1 and self.selection.place.is_file():
            return (f"{name} is a single slice. Name its folder for the whole series.",)
        return ()


def _interpolated(samples: NDArray[Any], stack: Stack) -> NDArray[np.float32]:
    """Linearly between the two nearest planes."""
    upper = np.searchsorted(stack.places_mm, stack.targets_mm, side="left")
    upper = np.clip(upper, 1, len(stack.places_mm) - 1)
    below, above = stack.places_mm[upper - 1], stack.places_mm[upper]
    share = ((stack.targets_mm - below) / (above - below)).astype(np.float32)[:, None, None]
    lower = samples[upper - 1].astype(np.float32)
    return np.asarray(lower + share * (samples[upper].astype(np.float32) - lower))


def _picture(selection: SelectedPath, config: DicomReaderConfig, files: ImageFiles) -> Volume:
    if len(files.headers) > 1:
        raise DataError(
            f"{selection.place} holds {len(files.headers)} pictures without a place in the "
            "patient. Name the file of one."
        )
    header = files.headers[0]
    frame = _frame(selection, header)
    dataset = read_dataset(header.path, pixels=True)
    samples = pixels.decoded(header.path, dataset, config.max_voxels)[frame]
    notes, colour = files.notes, None
    if samples.ndim == 3:
        grey = (samples == samples[..., :1]).all()
        colour = None if grey else np.ascontiguousarray(samples[..., :3])
        values = samples[..., 0] if grey else pixels.luminance(samples)
    else:
        photometric = str(dataset.get("PhotometricInterpretation", "")).strip()
        inverted = photometric == "MONOCHROME1"
        values = pixels.real_values(header, samples, frame, inverted)
        if inverted:
            notes = (*notes, "it is stored with white as 0 (MONOCHROME1), and was inverted.")
    spacing, note = picture_spacing(header)
    source = ImageSource(
        header.series_uid,
        frozenset([str(dataset.get("SOPInstanceUID", ""))]),
        frame=frame + 1 if header.frames > 1 else None,
    )
    flat = Volume.of(values, spacing)
    grid = flat.spacing_mm, flat.origin_mm, flat.direction
    return DicomVolume(flat.array, *grid, (*notes, *note), colour, source=source)


def _frame(selection: SelectedPath, header: Header) -> int:
    """Place of the frame that is meant, from 0."""
    if selection.frame is None:
        if header.frames > 1:
            raise DataError(
                f"{header.path} holds {header.frames} frames without a place in the patient, as "
                f"over time. Name one: {header.path.name}#frame=1."
            )
        return 0
    if selection.frame > header.frames:
        raise DataError(
            f"{header.path} holds {header.frames} frames, and frame {selection.frame} is asked "
            "for. Correct the number."
        )
    return selection.frame - 1
