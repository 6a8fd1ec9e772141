"""PNG, JPEG, TIFF and BMP pictures through Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from rdfc_core.case import Volume
from rdfc_core.errors import DataError
from rdfc_core.interfaces.reader import Reader
from rdfc_core.readers.config import PictureReaderConfig

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
"""Tried whatever the name says: a JPEG named .png is read, a PostScript program is not run."""


class PictureReader(Reader):
    """Reads ``.png``, ``.jpg``, ``.tif`` and ``.bmp`` files with one page.

    Spacing is 1 mm a pixel: the resolution noted in such files is that of paper or screen. A
    picture whose EXIF data say that it is to be turned is turned, as viewers do.
    """

    def __init__(self, config: PictureReaderConfig | None = None) -> None:
        self.config = config or PictureReaderConfig()

    def reads(self, path: Path) -> bool:
        """Whether the name ends as one of the formats does, in small or capital letters."""
        return path.suffix.lower() in ENDINGS

    def read_image(self, path: Path) -> Volume:
        """The picture in grey, (H, W).

        Grey pictures keep their values and type (8, 16 or 32 bits, or float). Colours become
        luminance, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded to 8 bits; black and
        white become 0 and 255; transparency is ignored.

        Raises:
            DataError: If the file is damaged, cut short, has several pages, or claims more than
                ``max_pixels``.
        """
        picture = self._open(path)
        if _is_grey(picture):
            return _volume(np.array(picture))
        return _volume(np.array(_rgb(path, picture).convert("L")))

    def read_mask(self, path: Path) -> Volume:
        """The mask with its own values, (H, W).

        Grey masks keep their values, masks with a palette their indices, black and white become
        0 and 1. A mask in RGB has its grey value where all its colours are grey, and otherwise
        65536 R + 256 G + B (pure red: 16711680). What is wholly transparent is 0.

        Raises:
            DataError: As `read_image`.
        """
        picture = self._open(path)
        if _is_grey(picture) or picture.mode == "P":
            return _volume(np.array(picture))
        if picture.mode == "1":
            return _volume(np.array(picture, dtype=np.uint8))
        values = _colour_values(np.array(_rgb(path, picture), dtype=np.int32))
        if "A" in picture.getbands():
            values[np.array(picture.getchannel("A")) == 0] = 0
        return _volume(values)

    def _open(self, path: Path) -> Image.Image:
        """The picture, decoded and turned upright, after its header was found in order."""
        try:
            # A stream, not the path: Pillow maps the files it opens itself into memory, and then
            # scrambles uncompressed TIFFs that are to be turned (seen with 13.0).
            with path.open("rb") as stream, _complete_files_only():
                picture = Image.open(stream, formats=PILLOW_FORMATS)
                self._check_header(path, picture)
                if picture.format == "PNG":
                    _check_sums(path)
                picture.load()
                ImageOps.exif_transpose(picture, in_place=True)
                return picture
        except DataError:
            raise
        except Exception as error:  # damaged files make Pillow fail in every possible way
            raise DataError(
                f"{path} cannot be read: {_reason(error)}. Copy or export the file again."
            ) from error

    def _check_header(self, path: Path, picture: Image.Image) -> None:
        width, height = picture.size
        if width * height > self.config.max_pixels:
            raise DataError(
                f"{path} claims {width} x {height} pixels, more than the limit of "
                f"{self.config.max_pixels}. Crop it around the tumour, or raise max_pixels."
            )
        pages = getattr(picture, "n_frames", 1)
        if pages != 1:
            raise DataError(
                f"{path} holds {pages} pictures, and one is needed. Save the one that is meant as "
                "a file of its own, or the stack as a volume (.nii.gz)."
            )


@contextmanager
def _complete_files_only() -> Iterator[None]:
    # A switch of the whole process: other libraries turn it on, and cut files then become grey.
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _check_sums(path: Path) -> None:
    """Check a PNG's checksums, which decoding leaves aside."""
    with Image.open(path, formats=("PNG",)) as picture:
        picture.verify()


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no PNG, JPEG, TIFF or BMP picture, or its header is damaged"
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def _is_grey(picture: Image.Image) -> bool:
    return picture.mode in ("L", "I", "F") or picture.mode.startswith("I;16")


def _rgb(path: Path, picture: Image.Image) -> Image.Image:
    try:
        return picture.convert("RGB")
    except ValueError as error:  # CIE L*a*b*
        raise DataError(
            f"{path} has the colour mode {picture.mode}, which Pillow does not convert. "
            "Save it as RGB or in grey."
        ) from error


def _colour_values(rgb: NDArray[np.int32]) -> NDArray[np.int32]:
    """One value a pixel from (H, W, 3): grey if the whole picture is, else the packed colour."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    grey = np.array_equal(red, green) and np.array_equal(red, blue)
    return np.array(red if grey else 65536 * red + 256 * green + blue)


def _volume(array: NDArray[Any]) -> Volume:
    return Volume.of(array.astype(array.dtype.newbyteorder("="), copy=False))
