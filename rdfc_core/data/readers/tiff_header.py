"""What a TIFF says of its samples, and whether they are among those that are read right.

TIFF allows far more than any library reads. What is not on the list here is refused by name:
Pillow takes signed bytes for unsigned ones, cuts 16-bit colours to their upper byte, reads planes
of 16 bits as noise and the first picture of an ImageJ stack as the only one, all without a word.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL.TiffImagePlugin import OPEN_INFO, ImageFileDirectory_v2

from rdfc_core.errors import DataError

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
BIG_TIFF = 43

PHOTOMETRIC = {
    **{0: "WhiteIsZero", 1: "BlackIsZero", 2: "RGB", 3: "palette", 4: "transparency mask"},
    **{5: "CMYK", 6: "YCbCr", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*"},
    **{32803: "colour filter array", 32844: "LogL", 32845: "LogLuv", 34892: "raw camera data"},
}
FORMATS = {1: "unsigned integers", 2: "signed integers", 3: "floating point", 4: "undefined"}
COMPRESSIONS = (1, 2, 3, 4, 5, 7, 8, 32773, 32946, 34925, 50000, 50001)
"""None, CCITT, LZW, JPEG, deflate, PackBits, LZMA, Zstandard, WebP: lossless, or JPEG as it is."""
JPEG = 7
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
DEPTH_TAG = 32997
PLANAR = 2


@dataclass(frozen=True)
class TiffHeader:
    """The properties of a TIFF's first picture.

    Args:
        photometric: How samples are meant, by TIFF's number.
        bits: Of each sample of a pixel.
        sample_format: 1 unsigned, 2 signed, 3 floating point.
        extra: What samples beyond the colours are: 0 anything, 1 premultiplied alpha, 2 alpha.
        planar: Whether each channel is stored as a picture of its own.
        tiled: Whether the picture is stored in tiles rather than strips.
        compression: By TIFF's number.
        fill_order: 2 if the bits of each byte run backwards.
        orientation: As of EXIF; 1 is upright.
        byte_order: ``II`` if the least significant byte comes first, ``MM`` if the most.
        pictures: How many the file holds according to its description.
    """

    photometric: int
    bits: tuple[int, ...]
    sample_format: int
    extra: tuple[int, ...]
    planar: bool
    tiled: bool
    compression: int
    fill_order: int
    orientation: int
    byte_order: bytes
    pictures: int

    @property
    def deep_colour(self) -> bool:
        """Whether these are colours of 16 bits a channel, which Pillow cuts to 8."""
        return self.photometric == 2 and len(self.bits) > 1 and self.bits[0] == 16

    @property
    def unsigned_32(self) -> bool:
        """Whether samples have 32 bits without a sign, which Pillow takes for signed ones."""
        return self.bits == (32,) and self.sample_format == UNSIGNED

    @property
    def signed_8(self) -> bool:
        """Whether samples have 8 bits with a sign, which Pillow takes for unsigned ones."""
        return self.bits == (8,) and self.sample_format == SIGNED

    def __str__(self) -> str:
        """In words, for messages."""
        bits = "+".join(map(str, self.bits)) if len(set(self.bits)) > 1 else str(self.bits[0])
        samples = f"{len(self.bits)} samples" if len(self.bits) > 1 else "one sample"
        form = FORMATS.get(self.sample_format, f"sample format {self.sample_format}")
        words = [f"{samples} of {bits} bits a pixel ({form})"]
        words.append(PHOTOMETRIC.get(self.photometric, f"photometric {self.photometric}"))
        words += [f"extra samples {self.extra}"] if self.extra else []
        words += ["planes one after the other"] if self.planar else []
        words += ["tiles"] if self.tiled else []
        words += [f"compression {self.compression}"] if self.compression != 1 else []
        words += ["big endian"] if self.byte_order == b"MM" else []
        words += ["reversed bits"] if self.fill_order == 2 else []
        words += [f"orientation {self.orientation}"] if self.orientation != 1 else []
        return ", ".join(words)

    def check(self, path: Path) -> None:
        """Nothing is read of which it is not certain that it is read right.

        Raises:
            DataError: With the properties of the file, if they are not among those that are.
        """
        if self.pictures > 1:
            raise DataError(
                f"{path} holds {self.pictures} pictures, and one is needed. Save the one that is "
                "meant as a file of its own, or the stack as a volume (.nii.gz)."
            )
        if not self._readable():
            raise DataError(
                f"{path} is a TIFF of a kind that rdfc does not read: {self}. Save it in grey as "
                "PNG or as an uncompressed TIFF of one sample a pixel (8 or 16 bits, or 32-bit "
                "floating point)."
            )

    def _readable(self) -> bool:
        if self.compression not in COMPRESSIONS:
            return False
        if self.deep_colour:
            plain = not self.planar and not self.tiled and self.orientation == 1
            alpha = len(self.bits) == 3 or (len(self.bits) == 4 and self.extra in ((0,), (2,)))
            unsigned = self.sample_format == UNSIGNED and self.fill_order == 1
            return plain and alpha and unsigned and set(self.bits) == {16}
        if self.planar and len(self.bits) > 1 and self.photometric != 2:
            return False
        if max(self.bits) > 8 and (self.photometric != 1 or self.fill_order != 1):
            return False  # programs disagree whether 0 is white, and on reversed bits
        if self.photometric == 6 and (self.compression != JPEG or len(self.bits) != 3):
            return False  # Pillow takes no notice of subsampled colours elsewhere
        key = (self.photometric, (self.sample_format,), self.fill_order, self.bits, self.extra)
        return (self.byte_order, *key) in OPEN_INFO


def read_tiff_header(path: Path) -> TiffHeader | None:
    """The header of a TIFF; None of any other file.

    Raises:
        DataError: If it is damaged.
    """
    with path.open("rb") as file:
        head = file.read(8)
        if head[:4] not in MAGIC:
            return None
        try:
            head += file.read(8) if BIG_TIFF in head[2:4] else b""
            tags = ImageFileDirectory_v2(head)
            file.seek(tags.next)
            tags.load(file)
            return _header(dict(tags), head[:2])
        except Exception as error:  # Pillow raises anything of a damaged header
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DataError(
                f"{path} cannot be read: its TIFF header is damaged ({reason}). Copy or export the "
                "file again."
            ) from error


def _header(tags: Mapping[int, Any], byte_order: bytes) -> TiffHeader:
    samples = int(tags.get(277, 1))
    bits = _several(tags.get(258, 1))
    bits = bits * samples if len(bits) == 1 else bits[:samples]
    formats = set(_several(tags.get(339, UNSIGNED)))
    photometric = int(tags.get(262, 0))
    colours = {2: 3, 5: 4, 6: 3, 8: 3}.get(photometric, 1)
    extra = _several(tags[338]) if 338 in tags else ()
    if not extra and len(bits) > colours and photometric == 1:
        extra = (0,) * (len(bits) - colours)
    return TiffHeader(
        photometric=photometric,
        bits=bits,
        sample_format=formats.pop() if len(formats) == 1 else -1,
        extra=extra,
        planar=int(tags.get(284, 1)) == PLANAR and len(bits) > 1,
        tiled=322 in tags,
        compression=int(tags.get(259, 1)),
        fill_order=int(tags.get(266, 1)),
        orientation=int(tags.get(274, 1)),
        byte_order=byte_order,
        pictures=max(int(tags.get(DEPTH_TAG, 1)), _described(tags)),
    )


def _several(value: Any) -> tuple[int, ...]:
    return tuple(map(int, value)) if isinstance(value, tuple) else (int(value),)


def _described(tags: Mapping[int, Any]) -> int:
    """How many pictures lie behind a single header, as ImageJ and tifffile write stacks."""
    text = str(tags.get(270, ""))
    if text.startswith("ImageJ="):
        found = re.search(r"^images=(\d+)", text, re.MULTILINE)
        return int(found[1]) if found else 1
    if text.startswith('{"shape":'):
        try:
            shape = json.loads(text)["shape"]
            claimed = math.prod(map(int, shape))
        except (ValueError, TypeError, KeyError):
            return 1
        return max(1, claimed // (int(tags[256]) * int(tags[257]) * int(tags.get(277, 1))))
    return 1
