"""The files of a case: what reads them, and what is wrong with a path before anything is read."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rdfc_core.errors import DataError
from rdfc_core.volume import Volume

if TYPE_CHECKING:
    from rdfc_core.case.case import Case


class ReadsFiles(Protocol):
    """What a case needs of its reader; `rdfc_core.interfaces.Reader` is the full interface."""

    def read_image(self, path: Path) -> Volume:
        """The image in the file."""

    def read_mask(self, path: Path) -> Volume:
        """The mask in the file, with its own values; it may also take the image (`mask_of`)."""

    def identity(self, path: Path) -> str:
        """What decides, besides its content, what becomes of the file."""

    def mask_identity(self, path: Path) -> str:
        """As `identity`, of a file that is read as a mask."""

    def files(self, path: Path) -> Sequence[Path]:
        """The files that are read for the path."""

    def fingerprint(self, path: Path) -> str:
        """The same for the same content."""


def reader_of(case: Case) -> ReadsFiles:
    """The case's reader.

    Raises:
        DataError: If it has none.
    """
    if case.reader is None:
        raise DataError("no reader is set. Give the case one, or let a study choose it.")
    return case.reader


def mask_of(reader: ReadsFiles, path: Path, image: Volume | None) -> Volume:
    """The mask in a file, by a reader that is given the image if it asks for it.

    Args:
        reader: Its ``read_mask`` takes ``(path)`` or ``(path, image)``.
        path: The mask file.
        image: That the mask belongs to; None where it could not be read.
    """
    if _takes_image(type(reader)):
        return reader.read_mask(path, image=image)  # type: ignore[call-arg]
    return reader.read_mask(path)


@cache
def _takes_image(kind: type) -> bool:
    parameters = inspect.signature(kind.read_mask).parameters  # type: ignore[attr-defined]
    return "image" in parameters or any(
        one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()
    )


def place_of(reader: ReadsFiles, path: Path) -> Path:
    """The file or folder on disk that a path speaks of, by a reader that may have its own paths."""
    place = getattr(reader, "place", None)
    return path if place is None else Path(place(path))


def absence(reader: ReadsFiles, path: Path) -> str | None:
    """Why there is nothing for the reader to read, or None if there is.

    A reader may serve paths that are no files (a generated data set): it then says so itself.
    """
    return nothing_at(place_of(reader, path)) if getattr(reader, "needs_files", True) else None


def existing(reader: ReadsFiles, path: Path, role: str) -> Path:
    """The path, if there is anything at it.

    Raises:
        DataError: If there is nothing.
    """
    fault = absence(reader, path)
    if fault is not None:
        raise DataError(f"the {role} {path} {fault}. Correct the path, or drop the case.")
    return path


def nothing_at(path: Path) -> str | None:
    """Why there is nothing to read at the path, or None if there is.

    Pipes and devices count as nothing: reading one may never end.
    """
    try:
        if path.is_file() or path.is_dir():
            return None
        return "is neither a file nor a folder" if path.exists() else "does not exist"
    except OSError as error:
        return f"cannot be found ({(error.strerror or str(error)).lower()})"


def state_of(path: Path, follow: bool = True) -> tuple[int, ...]:
    """Device, number, size and times of the last change; of a link itself unless it is followed."""
    try:
        found = path.stat(follow_symlinks=follow)
    except OSError:  # generated data has none
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
