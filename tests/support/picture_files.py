"""PNG, BMP, TIFF and JPEG pictures of every kind, written byte by byte or by tifffile and OpenCV.

Each comes with the grey values that it stands for, computed from its samples by numpy alone.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
ADAM7 = (*ADAM7, (1, 0, 2, 1))
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True)
class PictureFile:
    """A picture as bytes, and what is right.

    Args:
        name: All its properties.
        ending: Of its file.
        content: The file.
        grey: Right grey values, (H, W); floats that may be rounded where it holds colours.
        must_read: Whether refusing it would be wrong.
    """

    name: str
    ending: str
    content: bytes
    grey: np.ndarray
    must_read: bool

    def write(self, folder: Path) -> Path:
        path = folder / f"picture{self.ending}"
        path.write_bytes(self.content)
        return path


def luminance(rgb: np.ndarray) -> np.ndarray:
    return rgb[..., :3].astype(np.float64) @ [0.299, 0.587, 0.114]


def packed_bits(row: np.ndarray, bits: int) -> bytes:
    text = "".join(format(int(value), f"0{bits}b") for value in row)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[place : place + 8], 2) for place in range(0, len(text), 8))


def png_bytes(
    samples: np.ndarray, bits: int, colour_type: int, extra: bytes = b"", interlaced: bool = False
) -> bytes:
    """A PNG of samples (H, W) or (H, W, C), each row with another of PNG's simple filters."""
    samples = samples.reshape(*samples.shape[:2], -1)
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    rows = b""
    for top, left, down, right in passes:
        part = samples[top::down, left::right]
        if not part.size:
            continue
        previous = b""
        for number, row in enumerate(part.reshape(len(part), -1)):
            raw = row.astype(">u2").tobytes() if bits == 16 else packed_bits(row, bits)
            rows += filtered(raw, previous, number % 3, max(1, bits * samples.shape[2] // 8))
            previous = raw
    header = struct.pack(">IIBBBBB", *samples.shape[1::-1], bits, colour_type, 0, 0, interlaced)
    content = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra
    return content + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")


def filtered(raw: bytes, previous: bytes, kind: int, step: int) -> bytes:
    """A row by PNG's filter 0 (none), 1 (the pixel before) or 2 (the row above)."""
    before = bytes(step) + raw[:-step] if kind == 1 else previous or bytes(len(raw))
    taken = raw if kind == 0 else bytes((a - b) % 256 for a, b in zip(raw, before, strict=False))
    return bytes([kind]) + taken


def png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png(
    random: np.random.Generator,
    size: tuple[int, int],
    bits: int,
    colour_type: int,
    interlaced: bool,
    transparent: bool,
) -> PictureFile:
    """A PNG with random samples, a sBIT chunk, and a transparent colour where asked for."""
    channels = PNG_CHANNELS[colour_type]
    samples = random.integers(0, 2**bits, (*size, channels))
    significant = 3 if colour_type in (2, 3) else channels
    extra = png_chunk(b"sBIT", bytes([min(bits, 8)] * significant))
    colours = samples
    if colour_type == 3:
        palette = random.integers(0, 256, (2**bits, 3), np.uint8)
        extra += png_chunk(b"PLTE", palette.tobytes())
        colours = palette[samples[..., 0]]
    if transparent and colour_type in (0, 2, 3):
        key = {0: struct.pack(">H", 1), 2: struct.pack(">HHH", 1, 2, 3), 3: b"\0\x80"}[colour_type]
        extra += png_chunk(b"tRNS", key)
    if colour_type in (0, 4):
        grey = samples[..., 0] * (255 // (2**bits - 1) if bits < 8 else 1)
    else:
        grey = luminance(colours)
    content = png_bytes(samples, bits, colour_type, extra, interlaced)
    name = f"PNG {bits} bits, type {colour_type}"
    name += (", interlaced" if interlaced else "") + (", transparent" if transparent else "")
    return PictureFile(name, ".png", content, grey, True)


def bmp(
    random: np.random.Generator, size: tuple[int, int], bits: int, palette: str, top_down: bool
) -> PictureFile:
    """A BMP with a palette (black first, white first, or of random colours) or with 24 bits."""
    height, width = size
    entries = 2**bits if bits <= 8 else 0
    ramp = np.repeat(np.linspace(0, 255, max(entries, 1)).astype(np.uint8)[:, None], 3, axis=1)
    colours = {"black first": ramp, "white first": ramp[::-1]}.get(
        palette, random.integers(0, 256, (max(entries, 1), 3), np.uint8)
    )
    if entries:
        samples = random.integers(0, entries, size)
        grey, rows = luminance(colours[samples]), [packed_bits(row, bits) for row in samples]
    else:
        rgb = random.integers(0, 256, (*size, 3), np.uint8)
        grey, rows = luminance(rgb), [row[:, ::-1].tobytes() for row in rgb]
    rows = [row + bytes(-len(row) % 4) for row in (rows if top_down else rows[::-1])]
    table = b"".join(bytes([*colour[::-1], 0]) for colour in colours) if entries else b""
    body = b"".join(rows)
    signed_height = -height if top_down else height
    head = struct.pack("<IiiHHIIiiII", 40, width, signed_height, 1, bits, 0, len(body), 0, 0, 0, 0)
    start = 54 + len(table)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + head
    name = f"BMP {bits} bits, {palette}" + (", top down" if top_down else "")
    return PictureFile(name, ".bmp", head + table + body, grey, True)


def tiff(
    random: np.random.Generator, size: tuple[int, int], dtype: str, photometric: str, layout: str
) -> PictureFile:
    """A TIFF by tifffile.

    Args:
        random: Of the samples.
        size: Height and width.
        dtype: Of a sample, as numpy writes it.
        photometric: minisblack, miniswhite, rgb, rgba (with alpha), la (grey with alpha).
        layout: strips, big endian, tiles, planar, deflate or predictor.
    """
    channels = {"rgb": 3, "rgba": 4, "la": 2}.get(photometric, 1)
    shape = (*size, channels) if channels > 1 else size
    kind = np.dtype(dtype)
    if kind.kind == "f":
        samples = (random.normal(size=shape) * 100).astype(kind)
    else:
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        samples = random.integers(low, high, shape, kind, endpoint=True)
    options: dict = {"photometric": {"rgba": "rgb", "la": "minisblack"}.get(photometric)}
    options["photometric"] = options["photometric"] or photometric
    options |= {"planarconfig": "contig"} if photometric == "la" else {}
    options |= {"extrasamples": ["unassalpha"]} if photometric in ("rgba", "la") else {}
    stored = samples
    if layout == "tiles":
        options["tile"] = (16, 16)
    elif layout == "planar" and channels > 1:
        options["planarconfig"] = "separate"
        stored = np.moveaxis(samples, -1, 0)
    elif layout == "deflate":
        options["compression"] = "zlib"
    elif layout == "predictor":
        options |= {"compression": "zlib", "predictor": 2 if kind.kind != "f" else None}
    file = io.BytesIO()
    tifffile.imwrite(file, stored, byteorder=">" if layout == "big endian" else "<", **options)
    if photometric == "miniswhite":
        grey = np.iinfo(kind).max - samples if kind.kind == "u" else np.full(size, np.nan)
    elif channels > 2:
        grey = luminance(samples)
    else:
        grey = samples[..., 0] if channels == 2 else samples
    ordinary = {("u1", "minisblack"), ("u1", "miniswhite"), ("u1", "rgb"), ("u1", "rgba")}
    ordinary |= {(of, "minisblack") for of in ("i1", "u2", "i2", "u4", "i4", "f4")}
    deep = (dtype, photometric) in {("u2", "rgb"), ("u2", "rgba")}
    ordinary -= {("u4", "minisblack")} if layout == "big endian" else set()
    must = (dtype, photometric) in ordinary or (deep and layout not in ("tiles", "planar"))
    return PictureFile(
        f"TIFF {dtype}, {photometric}, {layout}", ".tif", file.getvalue(), grey, must
    )


BITS_AND_TYPES = [
    *((bits, 0) for bits in (1, 2, 4, 8, 16)),
    *((bits, 3) for bits in (1, 2, 4, 8)),
    *((bits, colour_type) for bits in (8, 16) for colour_type in (2, 4, 6)),
]
PALETTES = ["black first", "white first", "random"]
DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8", "u8"]
PHOTOMETRICS = ["minisblack", "miniswhite", "rgb", "rgba", "la"]
LAYOUTS = ["strips", "big endian", "tiles", "planar", "deflate", "predictor"]


def every_picture(random: np.random.Generator, size: tuple[int, int]) -> Iterator[PictureFile]:
    """One file of each combination of properties."""
    for bits, colour_type in BITS_AND_TYPES:
        for interlaced in (False, True):
            for transparent in (False, True):
                yield png(random, size, bits, colour_type, interlaced, transparent)
    for bits in (1, 4, 8, 24):
        for palette in PALETTES if bits <= 8 else ["no palette"]:
            for top_down in (False, True):
                yield bmp(random, size, bits, palette, top_down)
    for dtype in DTYPES:
        for photometric in PHOTOMETRICS:
            for layout in LAYOUTS:
                yield tiff(random, size, dtype, photometric, layout)
