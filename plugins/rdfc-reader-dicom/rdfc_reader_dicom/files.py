"""DICOM files: which files of a folder are some, and what each of them holds."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from rdfc_core import DataError
from rdfc_reader_dicom.listing import is_dicom

Kind = Literal["image", "seg", "rtstruct", "directory", "other"]

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage."""
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
DIRECTORY = "1.2.840.10008.1.3.10"
NO_IMAGES = ("1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.11")
"""Beginnings of SOP classes with rows and columns that are no images: doses, presentations."""


_LOCK = threading.RLock()
"""Warnings and logs belong to the process: one thread at a time turns them off."""


@dataclass(frozen=True, eq=False)
class Header:
    """A file without its pixels.

    Args:
        path: The file.
        dataset: What it says. Nothing of it but geometry and the values of pixels may go into a
            volume, and nothing but kinds, UIDs and names of outlines into a message.
    """

    path: Path
    dataset: Dataset

    @property
    def kind(self) -> Kind:
        """What the file holds."""
        meta = getattr(self.dataset, "file_meta", None) or Dataset()
        sop_class = str(self.dataset.get("SOPClassUID", meta.get("MediaStorageSOPClassUID", "")))
        if sop_class in SEGMENTATIONS:
            return "seg"
        if sop_class == STRUCTURE_SET:
            return "rtstruct"
        if sop_class == DIRECTORY or "DirectoryRecordSequence" in self.dataset:
            return "directory"
        pixels = all(self.dataset.get(key) for key in ("Rows", "Columns", "BitsAllocated"))
        return "image" if pixels and not sop_class.startswith(NO_IMAGES) else "other"

    @property
    def what(self) -> str:
        """The kind of object as DICOM calls it, such as ``RT Plan Storage``."""
        sop_class = self.dataset.get("SOPClassUID")
        name = getattr(sop_class, "name", "") if sop_class else ""
        return name if name and name != str(sop_class) else "of an unknown kind"

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID."""
        return str(self.dataset.get("SeriesInstanceUID", ""))

    @property
    def is_localizer(self) -> bool:
        """Whether it is a scout, on which the scan was planned."""
        return "LOCALIZER" in (str(part).upper() for part in self.dataset.get("ImageType") or ())

    @property
    def frames(self) -> int:
        """Number of frames."""
        return max(1, int(self.dataset.get("NumberOfFrames") or 1))


@contextmanager
def undisclosed(path: Path) -> Iterator[None]:
    """Keep values of the header out of warnings, logs and errors: they may name the patient.

    Args:
        path: What is read, for the message.

    Raises:
        DataError: In place of any other error: damaged headers make pydicom fail in every possible
            way when a value is asked for.
    """
    try:
        with quiet():
            yield
    except (DataError, MemoryError):
        raise
    except Exception as error:
        raise damaged(path, error) from None  # its text and traceback may quote the header


@contextmanager
def quiet() -> Iterator[None]:
    """Drop pydicom's warnings and log."""
    log = logging.getLogger("pydicom")
    with _LOCK:
        before = log.disabled
        log.disabled = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            log.disabled = before


def read_dataset(path: Path, pixels: bool) -> Dataset:
    """A file as pydicom reads it, with its transfer syntax filled in where the file lacks it.

    Args:
        path: The file.
        pixels: Whether the pixel data are read.

    Raises:
        DataError: If it is no DICOM file, or damaged.
    """
    try:
        if not is_dicom(path):
            raise DataError(
                f"{path} is not a DICOM file. Name a DICOM file or a folder of them, or give the "
                "file the ending of its own format."
            )
        with quiet():
            dataset = pydicom.dcmread(path, stop_before_pixels=not pixels, force=True)
            if not len(dataset):
                raise EOFError
            _fill_in_syntax(dataset)
            for key in ("Rows", "Columns", "BitsAllocated", "NumberOfFrames"):
                int(dataset.get(key) or 0)  # values are parsed when they are asked for
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or type(error).__name__}). Check it and its "
            "permissions, or copy it again."
        ) from error
    except DataError:
        raise
    except Exception as error:  # damaged files make pydicom fail in every possible way
        raise damaged(path, error) from None
    return dataset


def header_of(path: Path) -> Header:
    """The header of a file.

    Raises:
        DataError: As `read_dataset`.
    """
    return Header(path, read_dataset(path, pixels=False))


def damaged(path: Path, error: Exception) -> DataError:
    """What is said of a file whose header cannot be understood; quotes nothing of it."""
    return DataError(
        f"{path} cannot be read as DICOM: it is damaged or cut short ({type(error).__name__}). "
        "Copy or export the file again."
    )


def _fill_in_syntax(dataset: Dataset) -> None:
    meta = getattr(dataset, "file_meta", None)
    if meta is None:
        meta = dataset.file_meta = pydicom.dataset.FileMetaDataset()
    if meta.get("TransferSyntaxUID"):
        return
    implicit, little = dataset.original_encoding
    if implicit:
        meta.TransferSyntaxUID = ImplicitVRLittleEndian
    else:
        meta.TransferSyntaxUID = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
