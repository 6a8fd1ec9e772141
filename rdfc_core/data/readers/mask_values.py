"""What the pixels of a mask stand for, where a picture format says it in a roundabout way."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rdfc_core.data.readers.deep_png import png_chunks, png_depth
from rdfc_core.data.readers.tiff_header import read_tiff_header
from rdfc_core.errors import DataError

HALF = 128
"""Of a JPEG's grey values, the first that counts as inside."""
MOST_COLOUR = 32
"""Between the channels of a grey JPEG: what its compression may leave of colour."""
FLAT_GREY = (64, 192)
"""Neither black nor white: an area of such values is a third kind of tissue, not a blurred edge."""


def transparent(picture: Image.Image, depth: int | None) -> NDArray[np.bool_]:
    """True where nothing is shown, (H, W).

    Args:
        picture: Decoded.
        depth: Bits a sample of a PNG, whose transparent grey value Pillow leaves unscaled.
    """
    nowhere = np.zeros((picture.height, picture.width), bool)
    if "A" in picture.getbands():
        return np.asarray(np.array(picture.getchannel("A")) == 0)
    key = picture.info.get("transparency")
    if key is None:
        return nowhere
    samples = np.array(picture)
    if picture.mode == "P":
        alpha = np.full(256, 255)
        if isinstance(key, bytes):
            alpha[: len(key)] = list(key)
        else:
            alpha[int(key)] = 0
        return np.asarray(alpha[samples] == 0)
    if picture.mode == "1":
        return np.asarray(samples == (int(key) > 0))
    if picture.mode == "L" and depth in (2, 4):
        key = int(key) * 255 // (2**depth - 1)
    same = samples == np.asarray(key)
    return np.asarray(same.all(-1) if same.ndim == 3 else same)


def mask_kind(path: Path) -> Literal["JPEG", "palette", "transparent colour", ""]:
    """What makes the pixels of a mask stand for something else, by the file's header alone.

    Args:
        path: A file in any format; one that is damaged may get any answer.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if png_depth(path) is not None:
        colours, clear, colour_type = b"", False, (png_depth(path) or (0, 0))[1]
        for kind, body in png_chunks(path):
            if kind == b"IDAT":
                break
            colours = body if kind == b"PLTE" else colours
            clear = clear or kind == b"tRNS"
        if colour_type == 3:
            plain = not clear and len(colours) % 3 == 0 and _is_plain(colours)
            return "" if plain else "palette"
        return "transparent colour" if clear else ""
    if head.startswith(b"BM"):
        with Image.open(path, formats=("BMP",)) as picture:
            palette = picture.mode == "P" and not _is_plain(_palette(picture).tobytes())
        return "palette" if palette else ""
    tiff = read_tiff_header(path)
    return "palette" if tiff is not None and tiff.photometric == 3 else ""


def _is_plain(palette: bytes) -> bool:
    """Whether a palette is that of a label map: black first, and no other black in it."""
    black = np.all(np.frombuffer(palette, np.uint8).reshape(-1, 3) == 0, axis=1)
    return len(black) > 0 and bool(black[0]) and not black[1:].any()


def palette_values(path: Path, picture: Image.Image) -> NDArray[np.int32]:
    """The value of each pixel of a mask with a palette, (H, W).

    A palette whose first colour is black (or transparent) is that of a label map, and its indices
    are the values. Otherwise colours count, as anybody sees them: black is outside.

    Args:
        path: Named in messages.
        picture: Decoded, of mode P.

    Raises:
        DataError: If it cannot be told which colour is outside.
    """
    indices = np.array(picture).astype(np.int32)
    hidden = transparent(picture, None)
    colours = _palette(picture)
    used = np.unique(indices[~hidden])
    black = np.ones(256, bool)
    black[: len(colours)] = np.all(colours == 0, axis=1)
    if black[0] or (hidden & (indices == 0)).any():
        unclear = used[black[used] & (used > 0) & (used < len(colours))]
        if len(unclear):
            raise DataError(
                f"{path} is a mask with a palette in which the values 0 and {unclear[0]} are both "
                "black, so that it does not show what the second means. Save it in grey."
            )
        return np.where(hidden, 0, indices)
    if len(used) and used[-1] >= len(colours):
        raise DataError(
            f"{path} is a mask with a palette of {len(colours)} colours, and holds the value "
            f"{used[-1]}. Save it in grey."
        )
    if len(used) > 1 and not black[used].any() and not hidden.any():
        shown = ", ".join(str(tuple(colours[index].tolist())) for index in used[:4])
        raise DataError(
            f"{path} is a mask with a palette, and none of its colours is black ({shown}): it does "
            "not show what is outside. Save it in grey, with 0 outside."
        )
    shown_colours = np.where(hidden[..., None], 0, colours[indices % len(colours)])
    return colour_values(shown_colours.astype(np.int32))


def jpeg_values(path: Path, picture: Image.Image) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """0 and 255 of a mask saved as JPEG, (H, W), and what is to be said of it.

    JPEG blurs: beside an outline it makes values between black and white, and some near black.

    Args:
        path: Named in messages.
        picture: Decoded, in RGB.

    Raises:
        DataError: If the mask holds colours or several grey values, which JPEG has mixed up.
    """
    channels = np.array(picture, np.int16)
    if np.ptp(channels, axis=-1).max() > MOST_COLOUR:
        raise DataError(
            f"{path} is a mask in colour, saved as JPEG, which has mixed its colours along the "
            "outlines. Save the original mask as PNG."
        )
    grey = np.array(picture.convert("L"))
    if 0 < grey.max() < HALF:
        raise DataError(
            f"{path} is a mask saved as JPEG whose brightest value is {grey.max()}: JPEG keeps "
            "white on black, but not small label values. Save the original mask as PNG."
        )
    middle = (grey >= FLAT_GREY[0]) & (grey < FLAT_GREY[1])
    if min(grey.shape) >= 3:
        blocks = np.lib.stride_tricks.sliding_window_view(middle, (3, 3)).all(axis=(2, 3))
        if blocks.any():
            raise DataError(
                f"{path} is a mask saved as JPEG with grey areas beside black and white, and it "
                "cannot be told which of them are meant. Save the original mask as PNG."
            )
    between = int(np.count_nonzero((grey > 0) & (grey < 255)))
    values = np.where(grey >= HALF, 255, 0).astype(np.uint8)
    if not between:
        return values, ()
    return values, (
        f"the mask is a JPEG, which blurs outlines: {between} of its pixels are neither black nor "
        f"white, and those of {HALF} or more count as inside. Save the original mask as PNG.",
    )


def colour_values(rgb: NDArray[np.int32]) -> NDArray[np.int32]:
    """One value a pixel from (H, W, 3): grey if the whole picture is, else the packed colour."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    grey = np.array_equal(red, green) and np.array_equal(red, blue)
    return np.array(red if grey else 65536 * red + 256 * green + blue)


def deep_colour_values(path: Path, samples: NDArray[np.uint16]) -> NDArray[np.int32]:
    """One value a pixel of a mask with 16 bits a channel, (H, W), from (H, W, C).

    Grey keeps its values. Colours have 65536 R + 256 G + B of their 8-bit values if they are
    widened ones (257 times as large), which they are where an 8-bit mask was saved with 16.

    Raises:
        DataError: If they are not.
    """
    channels = samples.shape[-1]
    colours = samples[..., :1] if channels < 3 else samples[..., :3]
    values = colours.astype(np.int32)
    if (values == values[..., :1]).all():
        result = values[..., 0]
    elif (values % 257 == 0).all():
        result = colour_values(values // 257)
    else:
        raise DataError(
            f"{path} is a mask with colours of 16 bits a channel, which have no label value. Save "
            "it in grey, or with 8 bits a channel."
        )
    return np.where(samples[..., -1] == 0, 0, result) if channels in (2, 4) else result


def _palette(picture: Image.Image) -> NDArray[np.uint8]:
    """(n, 3)."""
    return np.array(picture.getpalette("RGB") or [0, 0, 0], np.uint8).reshape(-1, 3)
