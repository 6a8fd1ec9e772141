"""A tumour's picture with its outline, and with a map of heat over it, as PNGs."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rdfc_core.views.outline import HALO, OUTLINE, outline

HEAT = (255, 45, 85)
"""One hue whose strength tells; the outline's yellow stays apart from it."""
STRONGEST = 0.65
"""Share of the hue where the heat is 1: the picture stays visible below."""


def overlays(
    picture: NDArray[np.floating],
    mask: NDArray[np.floating],
    heat: NDArray[np.floating],
    size: int = 160,
) -> tuple[bytes, bytes]:
    """The picture with its outline, and the same below a map of heat.

    Args:
        picture: (h, w) in [0, 1].
        mask: (h, w), from 0.5 on inside.
        heat: (H, W) in [0, 1] over the same frame.
        size: Pixels of the longer side.

    Returns:
        Two PNGs of equal size.
    """
    scale = size / max(picture.shape)
    shape = max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale))
    grey = np.clip(_resized(picture, shape), 0, 1)[..., None] * 255
    inside = _resized(mask, shape) >= 0.5
    strength = STRONGEST * np.clip(_resized(heat, shape), 0, 1)[..., None]
    warm = (1 - strength) * grey + strength * np.array(HEAT)
    return _png(np.repeat(grey, 3, axis=2), inside), _png(warm, inside)


def _resized(values: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float32]:
    image = Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR))


def _png(pixels: NDArray[np.floating], inside: NDArray[np.bool_]) -> bytes:
    drawn = np.rint(pixels).astype(np.uint8)
    line, halo = outline(inside)
    drawn[halo], drawn[line] = HALO, OUTLINE
    stream = io.BytesIO()
    # Level 9 takes ten times as long, and saves a fortieth of the bytes of such pictures.
    Image.fromarray(drawn).save(stream, "PNG", compress_level=3)
    return stream.getvalue()
