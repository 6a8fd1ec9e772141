"""The reader ``dicom``: a path becomes an image or a mask. Loads pydicom when a file is read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from rdfc_core import DataError, Volume
from rdfc_core.interfaces import Reader
from rdfc_reader_dicom.config import DicomReaderConfig
from rdfc_reader_dicom.layout import DicomTree
from rdfc_reader_dicom.listing import dicom_files, is_meant
from rdfc_reader_dicom.selection import SelectedPath


class DicomReader(Reader):
    """Reads DICOM series, pictures, SEG and RTSTRUCT.

    A path is a file, a folder with one series, or a list of files (``.dcmlist``). It may say which
    part is meant: ``FOLDER#series=UID``, ``FILE#segment=LABEL``, ``FILE#roi=NAME``,
    ``FILE#frame=NUMBER``.
    """

    def __init__(self, config: DicomReaderConfig | None = None) -> None:
        self.config = config or DicomReaderConfig()

    def reads(self, path: Path) -> bool:
        """Whether the name is one of a DICOM file, a folder or a list of DICOM files.

        That is: an ending of DICOM, none at all, one that begins with a digit (UIDs), or a part
        that is named behind ``#``.
        """
        return is_meant(path)

    def place(self, path: Path) -> Path:
        """The file or folder, without the part that is named behind ``#``."""
        try:
            return SelectedPath.of(path).place
        except DataError:
            return path  # reading it will say so

    def read_image(self, path: Path) -> Volume:
        """The series, (Z, Y, X), or a picture without a place in the patient, (H, W).

        Raises:
            DataError: If it is not one image, or cannot be read right.
        """
        from rdfc_reader_dicom.files import undisclosed
        from rdfc_reader_dicom.images import read_image

        with undisclosed(self.place(path)):
            return read_image(SelectedPath.of(path), self.config)

    def read_mask(self, path: Path, image: Volume | None = None) -> Volume:
        """The segments of a SEG, a region of an RTSTRUCT, or an image that is a mask.

        Raises:
            DataError: If it is none of them, does not belong to the image, or cannot be read right.
        """
        from rdfc_reader_dicom.files import undisclosed
        from rdfc_reader_dicom.masks import read_mask

        with undisclosed(self.place(path)):
            return read_mask(SelectedPath.of(path), image, self.config)

    def identity(self, path: Path) -> str:
        """As of any reader, with the selection of the path, and what is done about gaps."""
        chosen = [super().identity(path), SelectedPath.of(path).text]
        if self.config.slice_spacing == "resample":
            chosen.append("slices resampled")
        return "; ".join(part for part in chosen if part)

    def mask_identity(self, path: Path) -> str:
        """As of any reader, with the selection of the path and how outlines are read."""
        selection, config = SelectedPath.of(path), self.config
        chosen = [self.identity(path), f"threshold={config.threshold}, {config.contours}"]
        if config.segment is not None and selection.segment is None:
            chosen.append(f"segment={config.segment}")
        if config.roi is not None and selection.roi is None:
            chosen.append(f"roi={config.roi}")
        return "; ".join(chosen)

    def files(self, path: Path) -> Sequence[Path]:
        """All DICOM files of the folder or list; of a series that is named its own."""
        selection = SelectedPath.of(path)
        try:
            files = dicom_files(selection.place)
            if selection.series is None or len(files) < 2:
                return files
            from rdfc_reader_dicom.files import header_of

            return [file for file in files if header_of(file).series_uid == selection.series]
        except DataError:
            return super().files(path)  # reading it will say so

    def fingerprint(self, path: Path) -> str:
        """From the content of all files, whatever their names and order.

        Raises:
            DataError: If one cannot be read.
        """
        digests = []
        for file in self.files(path):
            try:
                with file.open("rb") as stream:
                    digests.append(hashlib.file_digest(stream, "sha256").digest())
            except OSError as error:
                raise DataError(
                    f"{file} cannot be read: {error.strerror}. Check it and its permissions, or "
                    "drop the case."
                ) from error
        return hashlib.sha256(b"".join(sorted(digests))).hexdigest()

    def layout(self) -> DicomTree:
        """A tree of DICOM, whose headers say which outline belongs to which series."""
        return DicomTree()
