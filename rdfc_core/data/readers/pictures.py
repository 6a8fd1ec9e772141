"""PNG, JPEG, TIFF and BMP pictures through Pillow, where Pillow reads them right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from rdfc_core.case import Volume
from rdfc_core.data.readers import mask_values
from rdfc_core.data.readers.config import PictureReaderConfig
from rdfc_core.data.readers.deep_colour import (
    is_deep_png,
    luminance,
    png_depth,
    read_deep_png,
    read_deep_tiff,
    upright,
)
from rdfc_core.data.readers.tiff_header import TiffHeader, read_tiff_header
from rdfc_core.errors import DataError
from rdfc_core.interfaces.reader import Reader
from rdfc_core.utils.native_output import native_output_silenced

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
PILLOW_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
"""Tried whatever the name says: a JPEG named .png is read, a PostScript program is not run."""
JPEG_FORMATS = ("JPEG", "MPO")
"""Pillow's names; MPO is a JPEG with further pictures behind it, as cameras write previews."""


@dataclass(frozen=True)
class _Decoded:
    """A picture in memory.

    Args:
        picture: As Pillow gives it, decoded and upright; of ``deep`` ones the header alone.
        deep: (H, W, C) of pictures with 16 bits in each of several channels.
        depth: Bits a sample of a PNG.
        tiff: The header of a TIFF.
    """

    picture: Image.Image
    deep: NDArray[np.uint16] | None
    depth: int | None
    tiff: TiffHeader | None

    @property
    def is_grey(self) -> bool:
        """Whether each pixel is one number."""
        mode = self.picture.mode
        return mode in ("L", "I", "F") or mode.startswith("I;16")

    def grey(self) -> NDArray[Any]:
        """The numbers of a grey picture, (H, W), with the sign that the file gives them."""
        samples = np.array(self.picture)
        if self.tiff is not None and self.tiff.signed_8:
            return samples.view(np.int8)
        if self.tiff is not None and self.tiff.unsigned_32 and (samples < 0).any():
            return samples.view(np.uint32)
        return samples


class PictureReader(Reader):
    """Reads ``.png``, ``.jpg``, ``.tif`` and ``.bmp`` files with one page.

    Spacing is 1 mm a pixel: the resolution noted in such files is that of paper or screen. A
    picture whose EXIF data say that it is to be turned is turned, as viewers do. Of a JPEG with
    further pictures behind it (previews of cameras) the first is read.
    """

    known_as = "rdfc_core.readers.pictures.PictureReader"

    def __init__(self, config: PictureReaderConfig | None = None) -> None:
        self.config = config or PictureReaderConfig()

    def reads(self, path: Path) -> bool:
        """Whether the name ends as one of the formats does, in small or capital letters."""
        return path.suffix.lower() in ENDINGS

    def read_image(self, path: Path) -> Volume:
        """The picture in grey, (H, W), with its colours beside it where it has any.

        Grey pictures keep their values and type (8, 16 or 32 bits, or float). Colours become
        luminance, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded to the bits of a channel;
        black and white become 0 and 255; transparency is ignored.

        Raises:
            DataError: If the file is damaged, cut short, has several pages, claims more than
                ``max_pixels``, or is of a kind that is not known to be read right.
        """
        decoded = self._open(path)
        if decoded.deep is not None:
            return _coloured(luminance(decoded.deep), decoded.deep)
        if decoded.is_grey:
            return _volume(decoded.grey())
        rgb = _rgb(path, decoded.picture)
        return _coloured(np.array(rgb.convert("L")), np.array(rgb))

    def read_mask(self, path: Path, image: Volume | None = None) -> Volume:
        """The mask with its own values, (H, W).

        Grey masks keep their values, black and white become 0 and 1. Masks with a palette keep
        their indices where the first colour of the palette is black, and otherwise have the
        values of their colours. A mask in RGB has its grey value where all its colours are grey,
        and otherwise 65536 R + 256 G + B (pure red: 16711680). JPEG masks are cut at half into 0
        and 255. What is wholly transparent is 0. The mask of a picture of the same size has that
        picture's spacing, since files of this kind have none.

        Raises:
            DataError: As `read_image`; or if it is not clear what its colours stand for.
        """
        mask = self._mask(path)
        if image is None or image.array.shape != mask.array.shape:
            return mask
        grid = image.spacing_mm, image.origin_mm, image.direction
        return Volume(mask.array, *grid, notes=mask.notes)

    def _mask(self, path: Path) -> Volume:
        decoded = self._open(path)
        picture = decoded.picture
        if decoded.deep is not None:
            values = mask_values.deep_colour_values(path, decoded.deep)
            key = picture.info.get("transparency")
            if key is not None:
                values = np.where((decoded.deep == np.asarray(key)).all(-1), 0, values)
            return _volume(values)
        if picture.format in JPEG_FORMATS:
            cut, notes = mask_values.jpeg_values(path, _rgb(path, picture))
            return replace(_volume(cut), notes=notes)
        if picture.mode == "P":
            return _volume(mask_values.palette_values(path, picture))
        hidden = mask_values.transparent(picture, decoded.depth)
        if decoded.is_grey:
            grey = decoded.grey()
            return _volume(np.where(hidden, grey.dtype.type(0), grey))
        if picture.mode == "1":
            return _volume(np.where(hidden, 0, np.array(picture)).astype(np.uint8))
        rgb = np.array(_rgb(path, picture), dtype=np.int32)
        return _volume(np.where(hidden, 0, mask_values.colour_values(rgb)))

    def identity(self, path: Path) -> str:
        """Class and version, and how the file is read where that has once been different."""
        return super().identity(path) + self._changed(path)

    def mask_identity(self, path: Path) -> str:
        """As `identity`, of a file that is read as a mask."""
        return self.identity(path) + self._changed_mask(path)

    def _changed(self, path: Path) -> str:
        try:
            tiff = read_tiff_header(path)
            if tiff is not None:
                tiff.check(path)
            if is_deep_png(path) or (tiff is not None and tiff.deep_colour):
                return "; 16-bit colours"
            if tiff is not None and tiff.signed_8:
                return "; signed"
            if tiff is not None and tiff.unsigned_32:
                unsigned = self._open(path).grey().dtype == np.uint32
                return "; unsigned" if unsigned else ""
        except OSError:
            return ""  # reading it will say so
        except DataError:
            return "; refused"
        return ""

    def _changed_mask(self, path: Path) -> str:
        try:
            kind = mask_values.mask_kind(path)
        except Exception:  # damaged in any way: reading it will say so
            return ""
        if kind != "palette":
            return {"JPEG": "; JPEG cut at half"}.get(kind, f"; {kind}" if kind else "")
        try:
            picture = self._open(path).picture
            if picture.mode != "P":
                return ""
            same = np.array_equal(mask_values.palette_values(path, picture), np.array(picture))
        except DataError:
            return "; refused"
        return "" if same else "; colours of the palette"

    def _open(self, path: Path) -> _Decoded:
        """The picture, decoded and turned upright, after its header was found in order."""
        try:
            # A stream, not the path: Pillow maps the files it opens itself into memory, and then
            # scrambles uncompressed TIFFs that are to be turned (seen with 13.0).
            with path.open("rb") as stream, _complete_files_only(), native_output_silenced():
                tiff = read_tiff_header(path)
                if tiff is not None:
                    tiff.check(path)
                picture = Image.open(stream, formats=PILLOW_FORMATS)
                self._check_header(path, picture)
                if picture.format == "PNG":
                    _check_sums(path)
                deep = None
                if is_deep_png(path):
                    turn = picture.getexif().get(ExifTags.Base.Orientation, 1)
                    deep = upright(read_deep_png(path), turn)
                elif tiff is not None and tiff.deep_colour:
                    deep = read_deep_tiff(path, tiff)
                else:
                    picture.load()
                    ImageOps.exif_transpose(picture, in_place=True)
                return _Decoded(picture, deep, (png_depth(path) or (None,))[0], tiff)
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
        if pages != 1 and picture.format != "MPO":
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


def _rgb(path: Path, picture: Image.Image) -> Image.Image:
    picture.info.pop("transparency", None)  # which Pillow would warn of, and which is not wanted
    try:
        return picture.convert("RGB")
    except ValueError as error:  # CIE L*a*b*
        raise DataError(
            f"{path} has the colour mode {picture.mode}, which Pillow does not convert. "
            "Save it as RGB or in grey."
        ) from error


def _volume(array: NDArray[Any]) -> Volume:
    return Volume.of(array.astype(array.dtype.newbyteorder("="), copy=False))


def _coloured(grey: NDArray[Any], samples: NDArray[Any]) -> Volume:
    """The grey picture (H, W) with its colours; ``samples`` are (H, W, C)."""
    colour = samples[..., :3]
    if colour.shape[-1] < 3 or (colour == colour[..., :1]).all():
        return _volume(grey)
    return replace(_volume(grey), colour=np.ascontiguousarray(colour))
