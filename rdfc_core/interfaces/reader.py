"""Reader: a file (or a folder) becomes an image or a mask on its physical grid."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rdfc_core.case import Volume
from rdfc_core.errors import DataError
from rdfc_core.interfaces.layout import Layout


class Reader(ABC):
    """Reads images and masks of some file formats.

    Built as ``Class(config)``. A study asks the installed readers which of them reads a file
    (`reads`), and refuses files that two claim unless it names one of the two; a data set may give
    its cases a reader of its own.
    """

    needs_files: ClassVar[bool] = True
    """False if paths need not exist on disk, as for generated data."""

    masks_in_images: ClassVar[bool] = False
    """True if one file may hold an image and its mask, as an archive of both: `read_mask` then
    finds the mask in it. Without it, a case whose image and mask are one file is doubted."""

    known_as: ClassVar[str] = ""
    """By what the store knows the reader; "" stands for its distribution's package and its class,
    so that a module may move. To be set where the class is renamed, and features are to be kept."""

    version: ClassVar[int] = 1
    """To be raised when the same file comes to be read differently: what was stored is then made
    anew."""

    @abstractmethod
    def reads(self, path: Path) -> bool:
        """Whether this reader is meant for the path, judged by its name alone.

        Called:
            Of every installed reader, for every file of every case, before any is opened.
        """

    @abstractmethod
    def read_image(self, path: Path) -> Volume:
        """The image: one channel, (H, W) or (Z, Y, X), in its own type, with spacing in mm.

        Raises:
            DataError: If the file is damaged, cut short or claims more than it holds. The message
                names the file.

        Called:
            In a worker process, once a case; again where a case has to be looked at anew.
        """

    def read_mask(self, path: Path, image: Volume | None = None) -> Volume:
        """The mask with its own values, on its own grid; by default read as an image.

        Args:
            path: The file.
            image: That the mask belongs to, for formats without a grid of their own; None where it
                could not be read. A reader may leave this argument out.

        Raises:
            DataError: As `read_image`.

        Called:
            In a worker process, after `read_image` of the image that it belongs to.
        """
        return self.read_image(path)

    def place(self, path: Path) -> Path:
        """The file or folder on disk that a path speaks of: by default the path itself.

        A reader whose paths say which part of a file or folder is meant, as in
        ``CT#series=1.2.3``, gives the path without that part.
        """
        return path

    def identity(self, path: Path) -> str:
        """What decides, besides its content, what becomes of the file.

        By default `known_as` and version; a reader with options that change what is read adds
        them.

        Called:
            Where the fingerprint of a case is made, once a file and command.
        """
        package = type(self).__module__.partition(".")[0]
        return f"{self.known_as or f'{package}.{type(self).__qualname__}'} {self.version}"

    def mask_identity(self, path: Path) -> str:
        """As `identity`, of a file that is read as a mask; by default the same.

        Called:
            As `identity`.
        """
        return self.identity(path)

    def files(self, path: Path) -> Sequence[Path]:
        """The files that are read for the path: by default itself, or all in the folder.

        Called:
            Before and after each reading, to notice files that are replaced meanwhile.
        """
        place = self.place(path)
        return sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]

    def fingerprint(self, path: Path) -> str:
        """The same for the same content; by default from the SHA-256 of the path's own files.

        Raises:
            DataError: If the file cannot be read.

        Called:
            In the main process, once a file and command, before anything is extracted.
        """
        digest = hashlib.sha256()
        try:
            for file in Reader.files(self, path):
                with file.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise DataError(
                f"{error.filename or path} cannot be read: {error.strerror}. Check it and its "
                "permissions, or drop the case."
            ) from error
        return digest.hexdigest()

    def layout(self) -> Layout | None:
        """How files that only this reader can tell apart lie in folders (`rdfc datasets build`).

        None where the names of files say enough, as by default.
        """
        return None
