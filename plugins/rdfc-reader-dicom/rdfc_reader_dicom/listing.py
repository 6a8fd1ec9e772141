"""Names of DICOM files on disk: of a file, of a folder, or in a list. Loads no pydicom."""

from __future__ import annotations

import re
from pathlib import Path

from rdfc_core import DataError
from rdfc_reader_dicom.selection import SelectedPath

ENDINGS = (".dcm", ".dicom", ".ima")
LIST_ENDING = ".dcmlist"
WITHOUT_ENDING = re.compile(r"[^.]+|.*\.(\d[^.]*|)")
"""DICOM media have names without an ending; archives name files by UIDs, ``1.2.840.10008``."""
FIRST_GROUPS = (b"\x08\x00", b"\x02\x00", b"\x00\x08", b"\x00\x02")
"""With which a file begins that lacks the 128 bytes and DICM before its first element."""


def is_meant(path: Path) -> bool:
    """Whether a name is one of a DICOM file, a folder, or a list of DICOM files."""
    try:
        selection = SelectedPath.of(path)
    except DataError:
        return True  # reading it will say so
    name = selection.place.name
    if selection.marked or name.lower().endswith((*ENDINGS, LIST_ENDING)):
        return True
    return bool(name) and WITHOUT_ENDING.fullmatch(name) is not None


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do.

    Raises:
        OSError: If it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or (len(head) > 8 and head[:2] in FIRST_GROUPS)


def dicom_files(place: Path) -> list[Path]:
    """The file; those of a folder and its subfolders; or those that a list names.

    A list is a text file with the ending ``.dcmlist`` with one path a line, from its own folder
    on. Files of a folder that are not DICOM are passed over, DICOMDIR among them: it is an index.

    Raises:
        DataError: If a list cannot be read, or names a file that is not there.
    """
    if place.is_dir():
        found = [path for path in place.rglob("*") if path.is_file()]
        wanted = [p for p in found if not p.name.startswith(".") and p.name.upper() != "DICOMDIR"]
        try:
            return sorted(path for path in wanted if is_dicom(path))
        except OSError as error:
            raise DataError(
                f"{error.filename or place} cannot be read ({error.strerror}). Check its "
                "permissions."
            ) from error
    return _listed(place) if place.suffix.lower() == LIST_ENDING else [place]


def _listed(place: Path) -> list[Path]:
    try:
        lines = place.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{place} cannot be read as a list of files. It is a text file (UTF-8) with one path "
            "a line."
        ) from error
    names = [line.strip() for line in lines]
    files = [place.parent / name for name in names if name and not name.startswith("#")]
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise DataError(f"{place} names {missing}, which is not there. Correct the list.")
    if not files:
        raise DataError(f"{place} names no file. Write one path a line.")
    return files
