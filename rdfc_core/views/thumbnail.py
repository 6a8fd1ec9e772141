"""Thumbnails: the tumour in its surroundings, with the mask's outline drawn over it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rdfc_core.case import ANY_IMAGE, Tumour
from rdfc_core.interfaces.prepared import Prepared
from rdfc_core.views.outline import HALO, OUTLINE, outline
from rdfc_core.volume import bounding_box

GREYS = 254
"""Grey levels of the picture; the other two entries of the palette are outline and halo."""
CONTEXT = 0.3
"""Surroundings on each side, as a share of the box's longer side."""
LEAST_CONTEXT_MM = 3.0
PERCENTILES = (1.0, 99.0)


class Thumbnail:
    """Thumbnails as extraction makes and stores them, like a view: bytes of a PNG, (L,) uint8."""

    needs = ANY_IMAGE

    def __init__(self, size: int = 128) -> None:
        self.size = size

    def recipe(self) -> dict[str, Any]:
        """The store's key."""
        return {"view": "thumbnail", "version": 1, "size": self.size}

    def prepare(self, tumour: Tumour) -> Prepared:
        """The thumbnail of one tumour."""
        return Prepared(np.frombuffer(thumbnail(tumour, self.size), np.uint8))


def thumbnail(tumour: Tumour, size: int = 128) -> bytes:
    """A picture of the tumour for a person to check where its mask lies.

    A picture is cropped around the mask. Of a volume, the axial slice with the largest mask
    area is shown as radiologists see it (`Volume.axial`): front up, the patient's left on the
    right. Nothing outside the image is made up, so that the crop of a tumour at its edge is not
    centred.

    Args:
        tumour: The case.
        size: Pixels along the longer side; the other side follows the physical proportions.

    Returns:
        A PNG with a palette: greys between the 1st and the 99th percentile of what is shown, and
        the outline.

    Raises:
        ValueError: If the size is below 16 pixels.
    """
    if size < 16:
        raise ValueError(f"size must be at least 16 pixels, not {size}")
    image, mask, spacing_mm = _shown_slice(tumour)
    window = _window(mask, spacing_mm)
    image, mask = image[window], mask[window]
    shape = _pixels(image.shape, spacing_mm, size)
    pixels = np.rint(_zoom(_grey(image), shape) * (GREYS - 1)).astype(np.uint8)
    inside = _zoom(mask.astype(np.float32), shape) >= 0.5
    if not inside.any():  # a mask thinner than a pixel: it still has to be seen
        inside = _zoom(mask.astype(np.float32), shape) > 0
    line, halo = outline(inside)
    pixels[halo], pixels[line] = GREYS + 1, GREYS
    return _png(pixels)


def _shown_slice(
    tumour: Tumour,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], tuple[float, float]]:
    """Image, mask and spacing (rows, columns) of the plane that is shown."""
    volume, mask = tumour.image, tumour.mask
    if tumour.ndim == 2:
        spacing_mm = (float(volume.spacing_mm[0]), float(volume.spacing_mm[1]))
        return volume.array.astype(np.float64), mask, spacing_mm
    order, turned = volume.axial
    inside = np.transpose(mask, order)[turned]
    largest = int(np.argmax(inside.sum(axis=(1, 2))))
    image = np.transpose(volume.array, order)[turned][largest].astype(np.float64)
    _, rows, columns = order
    spacing_mm = (float(volume.spacing_mm[rows]), float(volume.spacing_mm[columns]))
    return image, inside[largest], spacing_mm


def _window(mask: NDArray[np.bool_], spacing_mm: tuple[float, float]) -> tuple[slice, slice]:
    """A physical square around the mask, cut where the image ends."""
    spans = [(span.start, span.stop) for span in bounding_box(mask)]
    longest_mm = max((b - a) * s for (a, b), s in zip(spans, spacing_mm, strict=True))
    side_mm = longest_mm + 2 * max(CONTEXT * longest_mm, LEAST_CONTEXT_MM)
    window = []
    for (start, stop), spacing, length in zip(spans, spacing_mm, mask.shape, strict=True):
        samples = side_mm / spacing
        first = round((start + stop - samples) / 2)
        window.append(slice(max(0, first), min(length, first + max(1, round(samples)))))
    return window[0], window[1]


def _pixels(shape: tuple[int, ...], spacing_mm: tuple[float, float], size: int) -> tuple[int, int]:
    height_mm, width_mm = shape[0] * spacing_mm[0], shape[1] * spacing_mm[1]
    scale = size / max(height_mm, width_mm)
    return max(1, round(height_mm * scale)), max(1, round(width_mm * scale))


def _grey(image: NDArray[np.float64]) -> NDArray[np.float32]:
    """The image in [0, 1] between its percentiles; even where it has no contrast at all."""
    low, high = np.percentile(image, PERCENTILES)
    if high <= low:
        return np.full(image.shape, 0.5, np.float32)
    return np.asarray(np.clip((image - low) / (high - low), 0, 1), np.float32)


def _zoom(array: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """The array at another size: averaged when made smaller, interpolated when made larger."""
    height, width = shape
    picture = Image.fromarray(array)
    resized = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.float32)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    greys = np.rint(np.linspace(0, 255, GREYS)).astype(np.uint8)
    palette = np.concatenate([np.repeat(greys[:, None], 3, axis=1), [OUTLINE, HALO]])
    picture = Image.fromarray(pixels)
    picture.putpalette(palette.astype(np.uint8).tobytes())
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()
