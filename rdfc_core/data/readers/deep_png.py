"""PNG pictures with 16 bits a channel in colour or with transparency, which Pillow cuts to 8.

The filters of PNG work on bytes, each against the byte of the same place in the neighbouring
pixels. So the upper bytes of all samples are a PNG of 8 bits of their own, and the lower ones
another: Pillow decodes both.

Source: W3C, Portable Network Graphics (PNG) Specification, sections 8.2 (interlacing) and 9.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Of PNG's colour types: grey, colour, grey with alpha, colour with alpha."""
PASSES = (
    *((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)),
    *((2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)),
)
"""Of an interlaced picture: first row and column, and the steps between rows and columns."""


def png_depth(path: Path) -> tuple[int, int] | None:
    """Bits a sample and colour type of a PNG, or None of any other file."""
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or head[:8] != SIGNATURE or head[12:16] != b"IHDR":
        return None
    return head[24], head[25]


def read_deep_png(path: Path) -> NDArray[np.uint16]:
    """The samples, (H, W, C), of a PNG with 16 bits a sample and several samples a pixel.

    Args:
        path: A file whose checksums are in order.

    Raises:
        ValueError: If the samples are fewer or more than the header claims.
        zlib.error: If their stream is damaged.
    """
    header, compressed = b"", []
    for kind, body in png_chunks(path):
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            compressed.append(body)
    width, height, _, colour_type, *_, interlaced = struct.unpack(">IIBBBBB", header)
    pixel_bytes = 2 * CHANNELS[colour_type]
    sizes = [(height, width)]
    if interlaced:
        sizes = [
            (len(range(top, height, down)), len(range(left, width, right)))
            for top, left, down, right in PASSES
        ]
    sizes = [(rows, columns) for rows, columns in sizes if rows and columns]
    claimed = sum(rows * (1 + columns * pixel_bytes) for rows, columns in sizes)
    data = np.frombuffer(
        zlib.decompressobj().decompress(b"".join(compressed), claimed + 1), np.uint8
    )
    if len(data) != claimed:
        raise ValueError(f"its header claims {claimed} bytes of samples, and it holds others")
    upper, lower = (_decoded(header, b"".join(half)) for half in _halves(data, sizes, pixel_bytes))
    return upper.astype(np.uint16) * 256 + lower


def png_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk of a PNG, in order."""
    with path.open("rb") as file:
        file.seek(len(SIGNATURE))
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            yield kind, file.read(length)
            file.seek(4, io.SEEK_CUR)  # its checksum
            if kind == b"IEND":
                return


def _halves(
    data: NDArray[np.uint8], sizes: list[tuple[int, int]], pixel_bytes: int
) -> tuple[list[bytes], list[bytes]]:
    """The rows of upper and of lower bytes, each row with the number of its filter."""
    halves: tuple[list[bytes], list[bytes]] = ([], [])
    start = 0
    for rows, columns in sizes:
        stop = start + rows * (1 + columns * pixel_bytes)
        block = data[start:stop].reshape(rows, -1)
        for half, first in zip(halves, (1, 2), strict=True):
            half.append(np.hstack([block[:, :1], block[:, first::2]]).tobytes())
        start = stop
    return halves


def _decoded(header: bytes, rows: bytes) -> NDArray[np.uint8]:
    """The samples, (H, W, C), of rows with 8 bits a sample."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    png = SIGNATURE + chunk(b"IHDR", header[:8] + b"\x08" + header[9:])
    png += chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        return np.array(picture)
