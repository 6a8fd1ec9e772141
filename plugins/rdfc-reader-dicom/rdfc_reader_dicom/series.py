"""Which files of a path are one image: by kind, by series, without scouts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rdfc_core import DataError
from rdfc_reader_dicom.files import Header, header_of
from rdfc_reader_dicom.listing import dicom_files
from rdfc_reader_dicom.selection import SelectedPath

MOST_TOLD = 8
"""Series, files or names that a message lists."""


@dataclass(frozen=True)
class ImageFiles:
    """The files of one image.

    Args:
        headers: Of images of one series.
        notes: What was passed over, in sentences for the user.
    """

    headers: Sequence[Header]
    notes: tuple[str, ...] = ()


def headers_at(selection: SelectedPath) -> list[Header]:
    """The headers of all DICOM files of a path; of a folder those that are no index.

    Raises:
        DataError: If there is none, or one is damaged.
    """
    place = selection.place
    files = dicom_files(place)
    if not files:
        raise DataError(f"{place} holds no DICOM file. Name the folder that holds the series.")
    headers = [header_of(file) for file in files]
    if len(headers) == 1 and headers[0].kind == "directory":
        raise DataError(
            f"{place} is a DICOMDIR, an index of other files. Name the folder or files of the "
            "series that is meant."
        )
    return [header for header in headers if header.kind != "directory"]


def image_files(selection: SelectedPath, burned_in: str = "refuse") -> ImageFiles:
    """The images that a path means.

    Args:
        selection: The path.
        burned_in: ``refuse`` images with text burnt into their pixels, or ``allow`` them.

    Raises:
        DataError: If there is no image, or there are several series of which none is named.
    """
    headers = headers_at(selection)
    images = [header for header in headers if header.kind == "image"]
    if not images:
        raise DataError(_no_image(selection.place, headers))
    if selection.series is not None:
        images = [header for header in images if header.series_uid == selection.series]
        if not images:
            raise DataError(
                f"{selection.place} has no image of the series {selection.series}. It holds "
                f"{_told(headers)}. Correct the UID."
            )
    scouts = [header for header in images if header.is_localizer]
    images = [header for header in images if not header.is_localizer]
    if not images:
        raise DataError(
            f"{selection.place} holds localizers alone ({len(scouts)}). Name the series that was "
            "planned on them."
        )
    if len({header.series_uid for header in images}) > 1:
        raise DataError(
            f"{selection.place} holds several series: {_told(images)}. Name one: "
            f"{selection.place}#series=UID."
        )
    _refuse_burned_in(images, burned_in)
    if not scouts:
        return ImageFiles(images)
    skipped = "1 localizer was" if len(scouts) == 1 else f"{len(scouts)} localizers were"
    return ImageFiles(images, (f"{skipped} left out of {selection.place.name}.",))


def _refuse_burned_in(images: Sequence[Header], burned_in: str) -> None:
    if burned_in == "allow":
        return
    for header in images:
        if str(header.dataset.get("BurnedInAnnotation", "")).strip().upper() == "YES":
            raise DataError(
                f"{header.path} has text burnt into its pixels (BurnedInAnnotation), which may "
                "name the patient, and pixels reach the store and the report. Black it out, or "
                "set readers.dicom.burned_in to allow."
            )


def _no_image(place: Path, headers: Sequence[Header]) -> str:
    if len(headers) == 1:
        header = headers[0]
        fix = (
            "It belongs into the column of masks."
            if header.kind in ("seg", "rtstruct")
            else "Name the files of an image series."
        )
        if "Image Storage" in header.what:
            return f"{header.path} holds no pixel data ({header.what}). Copy or export it again."
        return f"{header.path} is not an image ({header.what}). {fix}"
    kinds = Counter(header.what for header in headers)
    found = ", ".join(f"{count} x {what}" for what, count in kinds.most_common(MOST_TOLD))
    return f"{place} holds no image ({found}). Name the folder of an image series."


def _told(headers: Sequence[Header]) -> str:
    """Series with modality and number of files: no text that people have typed."""
    series: defaultdict[str, list[Header]] = defaultdict(list)
    for header in headers:
        series[header.series_uid].append(header)
    told = []
    for uid, files in series.items():
        modality = str(files[0].dataset.get("Modality", "")) or "no modality"
        plural = "file" if len(files) == 1 else "files"
        told.append(f"{uid or 'one without UID'} ({modality[:16]}, {len(files)} {plural})")
    more = len(told) - MOST_TOLD
    return ", ".join(told[:MOST_TOLD]) + (f" and {more} more" if more > 0 else "")
