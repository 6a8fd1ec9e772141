"""JPEG pictures of every kind, with the grey values that OpenCV or their source gives them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from tests.support.picture_files import PictureFile, luminance

COLOURS = ("grey", "rgb", "rgb kept", "cmyk")
LAYOUTS = ("4:4:4", "4:2:2", "4:2:0", "4:1:1", "progressive", "restart", "optimised")
ORIENTATIONS = (None, *range(10))
SECONDS = ("none", "preview", "thumbnail", "appended")
"""What else the file holds: an MPO's second picture, one in its EXIF data, one behind its end."""

TURNED: dict[int | None, Callable[[np.ndarray], np.ndarray]] = {
    **dict.fromkeys((None, 0, 1, 9), lambda stored: stored),
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored),
}
"""EXIF orientation (0 and 9 mean nothing) → what viewers show of the stored rows and columns."""


@dataclass(frozen=True)
class JpegFile(PictureFile):
    """A JPEG, and what is right.

    Args:
        tolerance: Of its grey values.
        inside: The outline, (H, W) bool, of a mask.
    """

    tolerance: float = 0.51
    inside: np.ndarray | None = None


def jpeg(
    random: np.random.Generator,
    size: tuple[int, int],
    colours: str,
    layout: str,
    orientation: int | None = None,
    second: str = "none",
    as_mask: bool = False,
) -> JpegFile:
    """A JPEG.

    Args:
        random: Of the samples.
        size: Height and width as stored.
        colours: One of `COLOURS`; ``rgb kept`` is not turned into YCbCr.
        layout: One of `LAYOUTS`.
        orientation: In the EXIF data; None: there are none.
        second: One of `SECONDS`.
        as_mask: A white rectangle on black in place of random samples.
    """
    if as_mask:
        source = np.zeros(size, np.uint8)
        rows, columns = (slice(n // 4, n - n // 4) for n in size)
        source[rows, columns] = 255
    else:
        source = random.integers(0, 256, size, np.uint8)
    content = _encoded(random, source, colours, layout, as_mask)
    tolerance = 0.51
    if colours == "cmyk":
        # OpenCV takes all of these for inverted; here one ink is on paper, and quality is 100.
        grey, tolerance = 255.0 - source, 6.0
    else:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        grey = luminance(decoded[..., ::-1]) if decoded.ndim == 3 else decoded.astype(np.float64)
    inside = (grey >= 127.5) if as_mask else None
    name = f"JPEG {colours}, {layout}, orientation {orientation}, second picture: {second}"
    turned = TURNED[orientation]
    return JpegFile(
        name,
        ".jpg",
        _with_more(content, source, orientation, second),
        turned(grey),
        True,
        tolerance,
        None if inside is None else turned(inside),
    )


def _encoded(
    random: np.random.Generator, source: np.ndarray, colours: str, layout: str, as_mask: bool
) -> bytes:
    file = io.BytesIO()
    if layout == "4:1:1" and colours in ("grey", "rgb"):
        samples = _coloured(random, source, as_mask) if colours == "rgb" else source
        factor = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411]
        return cv2.imencode(".jpg", samples, factor if colours == "rgb" else [])[1].tobytes()
    if colours == "grey":
        picture = Image.fromarray(source)
    elif colours == "cmyk":
        black = np.zeros((*source.shape, 4), np.uint8)
        black[..., 3] = source
        picture = Image.fromarray(black, "CMYK")
    else:
        picture = Image.fromarray(_coloured(random, source, as_mask))
    options: dict = {"quality": 100 if colours == "cmyk" else 90}
    if layout in ("4:4:4", "4:2:2", "4:2:0") and colours == "rgb":
        options["subsampling"] = layout
    options |= {"progressive": {"progressive": True}, "optimised": {"optimize": True}}.get(
        layout, {}
    )
    options |= {"restart_marker_blocks": 2} if layout == "restart" else {}
    options |= {"keep_rgb": True} if colours == "rgb kept" else {}
    picture.save(file, "JPEG", **options)
    return file.getvalue()


def _coloured(random: np.random.Generator, source: np.ndarray, as_mask: bool) -> np.ndarray:
    if as_mask:
        return np.repeat(source[..., None], 3, axis=2)
    return random.integers(0, 256, (*source.shape, 3), np.uint8)


def _with_more(content: bytes, source: np.ndarray, orientation: int | None, second: str) -> bytes:
    """The same with EXIF data, and with another picture that is not meant."""
    other = io.BytesIO()
    Image.fromarray(255 - source[:8, :8]).save(other, "JPEG")
    thumbnail = other.getvalue() if second == "thumbnail" else b""
    if orientation is not None or thumbnail:
        content = _inserted(content, 0xE1, exif(orientation, thumbnail, "<>"[bool(orientation)]))
    if second == "appended":
        return content + other.getvalue()
    if second == "preview":
        return _as_mpo(content, other.getvalue())
    return content


def exif(orientation: int | None, thumbnail: bytes = b"", order: str = ">") -> bytes:
    """EXIF data with an orientation, and a thumbnail in their second directory."""
    entries = (
        b"" if orientation is None else struct.pack(f"{order}HHIHH", 0x112, 3, 1, orientation, 0)
    )
    head = struct.pack(f"{order}2sHI", b"MM" if order == ">" else b"II", 42, 8)
    after = 8 + 2 + len(entries) + 4
    first = struct.pack(f"{order}H", len(entries) // 12) + entries
    if not thumbnail:
        return b"Exif\0\0" + head + first + bytes(4)
    place = after + 2 + 3 * 12 + 4
    fields = ((0x103, 3, 1, 6 << 16), (0x201, 4, 1, place), (0x202, 4, 1, len(thumbnail)))
    directory = struct.pack(f"{order}H", 3) + b"".join(
        struct.pack(f"{order}HHII", *field) for field in fields
    )
    head += first + struct.pack(f"{order}I", after) + directory + bytes(4)
    return b"Exif\0\0" + head + thumbnail


def _inserted(content: bytes, marker: int, body: bytes) -> bytes:
    """The JPEG with a segment right behind its start."""
    return content[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + content[2:]


def _as_mpo(content: bytes, other: bytes) -> bytes:
    """Both as cameras join them: the first says in its segment APP2 where the second begins."""

    def segment(size: int, start: int) -> bytes:
        entries = struct.pack(">IIIHH", 0x20030000, size, 0, 0, 0)
        entries += struct.pack(">IIIHH", 0x00010001, len(other), start, 0, 0)
        fields = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
        fields += struct.pack(">HHII", 0xB001, 4, 1, 2)
        fields += struct.pack(">HHII", 0xB002, 7, len(entries), 8 + 2 + 3 * 12 + 4)
        head = struct.pack(">2sHI", b"MM", 42, 8) + struct.pack(">H", 3) + fields + bytes(4)
        return b"MPF\0" + head + entries

    # Behind EXIF data where there are any, since these have to come first.
    place = 2
    if content[2:4] == b"\xff\xe1":
        place += 2 + struct.unpack(">H", content[4:6])[0]
    length = len(segment(0, 0))
    size = len(content) + length + 4
    begins = size - (place + 4 + 4)  # counted from the segment's own byte order mark
    body = segment(size, begins)
    marked = struct.pack(">BBH", 0xFF, 0xE2, length + 2) + body
    return content[:place] + marked + content[place:] + other


def every_jpeg(random: np.random.Generator, size: tuple[int, int]) -> Iterator[JpegFile]:
    """Each colour space in each layout, and each orientation with each second picture."""
    for as_mask in (False, True):
        for colours in COLOURS:
            for layout in LAYOUTS:
                yield jpeg(random, size, colours, layout, as_mask=as_mask)
        for orientation in ORIENTATIONS:
            for second in SECONDS:
                yield jpeg(random, size, "rgb", "4:2:0", orientation, second, as_mask)
