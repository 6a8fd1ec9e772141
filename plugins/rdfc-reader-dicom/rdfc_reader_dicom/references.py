"""Whether a SEG or RTSTRUCT belongs to an image, by what it refers to."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset

from rdfc_core import DataError
from rdfc_reader_dicom.files import Header
from rdfc_reader_dicom.volume import ImageSource


def refers_to(header: Header, source: ImageSource) -> bool | None:
    """Whether the file refers to the series or images of a source; None where it names none.

    Args:
        header: Of a SEG or RTSTRUCT.
        source: Of the image.
    """
    series = set(_series(header.dataset))
    if series:
        return source.series_uid in series
    images = set(_images(header.dataset))
    return bool(images & source.image_uids) if images else None


def check_reference(header: Header, source: ImageSource, required: str) -> tuple[str, ...]:
    """A SEG or RTSTRUCT has to belong to its image.

    Args:
        header: Of the outline.
        source: Of the image.
        required: ``series``, ``frame`` of reference, or ``any``. Contours of another series in the
            same frame of reference pass as ``series`` with a note.

    Returns:
        A note where the file does not say what it belongs to.

    Raises:
        DataError: If it refers to another series, or lies in other coordinates.
    """
    if required == "any":
        return ()
    frames = set(frames_of_reference(header.dataset))
    same_frame = source.frame_of_reference_uid in frames if frames else None
    if required == "frame" and source.frame_of_reference_uid and same_frame is False:
        raise DataError(
            f"{header.path} lies in another frame of reference than the image. Name the outline "
            "that was drawn on it, or set readers.dicom.references to any."
        )
    if required == "frame":
        return ()
    refers = refers_to(header, source)
    if refers is False and same_frame and header.kind == "rtstruct":
        # Contours are points in the patient: they mean the same on every image of one frame.
        return (
            f"{header.path.name} was drawn on another series than the image's, in the same frame "
            "of reference.",
        )
    if refers is False:
        others = sorted(set(_series(header.dataset)))[:3]
        named = f" ({', '.join(others)}, not {source.series_uid})" if others else ""
        raise DataError(
            f"{header.path} refers to another series than the image's{named}. Name the outline "
            "that was drawn on it; if it is this one, set readers.dicom.references to frame or "
            "any."
        )
    if refers is None and same_frame is not True:
        return (f"{header.path.name} does not say to which series it belongs.",)
    return ()


def _series(dataset: Dataset) -> Iterator[str]:
    for one in dataset.get("ReferencedSeriesSequence") or ():
        yield str(one.get("SeriesInstanceUID", ""))
    for frame in dataset.get("ReferencedFrameOfReferenceSequence") or ():
        for study in frame.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                yield str(series.get("SeriesInstanceUID", ""))


def _images(dataset: Dataset) -> Iterator[str]:
    for region in dataset.get("ROIContourSequence") or ():
        for contour in region.get("ContourSequence") or ():
            for image in contour.get("ContourImageSequence") or ():
                yield str(image.get("ReferencedSOPInstanceUID", ""))
    for image in dataset.get("SourceImageSequence") or ():
        yield str(image.get("ReferencedSOPInstanceUID", ""))
    for group in dataset.get("PerFrameFunctionalGroupsSequence") or ():
        for derived in group.get("DerivationImageSequence") or ():
            for image in derived.get("SourceImageSequence") or ():
                yield str(image.get("ReferencedSOPInstanceUID", ""))


def frames_of_reference(dataset: Dataset) -> Iterator[str]:
    """The frames of reference in which an outline lies."""
    if dataset.get("FrameOfReferenceUID"):
        yield str(dataset.FrameOfReferenceUID)
    for key in ("ReferencedFrameOfReferenceSequence", "StructureSetROISequence"):
        for one in dataset.get(key) or ():
            uid = one.get("FrameOfReferenceUID") or one.get("ReferencedFrameOfReferenceUID")
            if uid:
                yield str(uid)
