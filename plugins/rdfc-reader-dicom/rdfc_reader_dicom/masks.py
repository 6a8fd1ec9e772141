"""Masks: the SEG or RTSTRUCT that a path means."""

from __future__ import annotations

from dataclasses import replace

from rdfc_core import DataError, Volume
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.files import Header
from rdfc_reader_dicom.images import read_image
from rdfc_reader_dicom.references import check_reference, refers_to
from rdfc_reader_dicom.rtstruct import read_structures
from rdfc_reader_dicom.seg import read_segmentation
from rdfc_reader_dicom.selection import SelectedPath
from rdfc_reader_dicom.series import MOST_TOLD, headers_at
from rdfc_reader_dicom.volume import DicomVolume


def read_mask(selection: SelectedPath, image: Volume | None, config: DicomReaderConfig) -> Volume:
    """The mask that a path means.

    Args:
        selection: The path.
        image: That it belongs to; None where it could not be read.
        config: Options of the reader.

    Raises:
        DataError: If it is not one mask, does not belong to the image, or cannot be read right.
    """
    headers = headers_at(selection)
    outlines = [header for header in headers if header.kind in ("seg", "rtstruct")]
    if not outlines:
        _refuse_other(selection, headers)
        return read_image(selection, config)
    outline = _one(selection, outlines, image)
    notes: tuple[str, ...] = ()
    if isinstance(image, DicomVolume):
        notes = check_reference(outline, image.source, config.references)
    if outline.kind == "seg":
        segment = config.segment if selection.segment is None else selection.segment
        mask = read_segmentation(outline, None if segment is None else str(segment), image, config)
    else:
        mask = read_structures(outline, selection.roi or config.roi, image, config)
    return replace(mask, notes=(*notes, *mask.notes))


def _refuse_other(selection: SelectedPath, headers: list[Header]) -> None:
    """Images alone may be a mask: an object of another kind is none."""
    if any(header.kind == "image" for header in headers):
        return
    raise DataError(
        f"{selection.place} is not a mask ({headers[0].what}). Name a SEG, an RTSTRUCT, or a mask "
        "in another format."
    )


def _one(selection: SelectedPath, outlines: list[Header], image: Volume | None) -> Header:
    """The outline that is meant: of several in a folder the one that refers to the image."""
    if selection.series is not None:
        named = [one for one in outlines if one.series_uid == selection.series]
        outlines = named or outlines
    if selection.roi is not None:
        outlines = [one for one in outlines if one.kind == "rtstruct"] or outlines
    if selection.segment is not None:
        outlines = [one for one in outlines if one.kind == "seg"] or outlines
    if len(outlines) > 1 and isinstance(image, DicomVolume):
        own = [one for one in outlines if refers_to(one, image.source)]
        outlines = own or outlines
    if len(outlines) == 1:
        return outlines[0]
    names = ", ".join(one.path.name for one in outlines[:MOST_TOLD])
    raise DataError(
        f"{selection.place} holds {len(outlines)} files with outlines ({names}). Name the file "
        "that is meant."
    )
