"""Why a list cannot be read: what the file is instead, or what is there in its place."""

from __future__ import annotations

import os
from pathlib import Path

from rdfc_core.data.cells import is_windows_path
from rdfc_core.errors import nearest
from rdfc_core.interfaces import Problem

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
SAVE_AS_CSV = "Save the sheet as CSV UTF-8 there, and name that file."

_SIGNATURES = (
    (b"PK\x03\x04", "a workbook (Excel or OpenDocument), not CSV", SAVE_AS_CSV),
    (b"\xd0\xcf\x11\xe0", "a workbook of an old Excel, not CSV", SAVE_AS_CSV),
    (b"\x1f\x8b", "compressed (gzip)", "Unpack it first."),
    (b"PAR1", "a Parquet table, not CSV", "Write it as CSV."),
    (b"\x93NUMPY", "a NumPy array, not CSV", "Write it as CSV."),
)


class OtherFormatError(Exception):
    """The file is of another format: what it is, and what to do."""

    def __init__(self, kind: str, fix: str) -> None:
        super().__init__(kind)
        self.kind, self.fix = kind, fix


def refuse_other_formats(path: Path, data: bytes) -> None:
    """Check that the beginning of a file is not that of a known format other than text.

    Raises:
        OtherFormatError: If it is.
    """
    for signature, kind, fix in _SIGNATURES:
        if data.startswith(signature):
            raise OtherFormatError(kind, fix)
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise OtherFormatError("not a text file", "Name the CSV file that lists the cases.")


def unreadable(path: Path, error: OSError | UnicodeDecodeError | OtherFormatError) -> Problem:
    """What is the matter with a list that could not be read, with the way out."""
    if isinstance(error, OtherFormatError):
        return Problem("", "csv", f"{path} is {error.kind}", error.fix)
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        fix = "Save it again as UTF-8; in Excel: CSV UTF-8."
        return Problem("", "csv", f"{path} is not UTF-8 (line {line})", fix)
    if is_windows_path(str(path)) and os.name != "nt":
        fix = "Name the folder as this computer sees it."
        return Problem("", "csv", f"{path} is a path of Windows, and this is not Windows", fix)
    folder = path.parent
    if isinstance(error, FileNotFoundError) and not folder.is_dir():
        return Problem("", "csv", f"the folder {folder} does not exist", _nearest(folder))
    if isinstance(error, FileNotFoundError) and not path.suffix:
        fix = f"{_nearest(path)} It is the folder that holds manifest.csv, or a CSV file."
        return Problem("", "csv", f"{path} does not exist", fix)
    message = f"{path} cannot be read: {(error.strerror or str(error)).lower()}"
    return Problem("", "csv", message, _instead(folder))


def _nearest(path: Path) -> str:
    """What to do about a path of which a part does not exist: the nearest name that is there."""
    while not path.parent.is_dir():
        path = path.parent
    try:
        there = sorted(other.name for other in path.parent.iterdir())
    except OSError:
        there = []
    near = nearest(path.name, there, cutoff=0.6)
    return f"Did you mean {path.parent / near}?" if near else "Correct the path."


def _instead(folder: Path) -> str:
    """What else the folder holds that may be the list."""
    try:
        names = sorted(other.name for other in folder.iterdir())
    except OSError:
        names = []
    lists = [name for name in names if name.lower().endswith(".csv")][:5]
    books = [name for name in names if name.lower().endswith(WORKBOOKS)][:5]
    if lists:
        return f"Name one of the lists there: {', '.join(lists)}."
    if books:
        return f"{', '.join(books)} cannot be read: save the sheet as manifest.csv (CSV UTF-8)."
    return "Correct the path."
