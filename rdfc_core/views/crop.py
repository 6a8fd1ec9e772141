"""From a tumour to its picture: box, slices and intensities. Free of torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.views.feature_parts import COLOURS_OF_PICTURES
from rdfc_core.views.field import field_about
from rdfc_core.views.options import ImageViewConfig
from rdfc_core.volume import bounding_box

MOST_WIDENED = 2**25
"""Samples of a widened box on all its planes: 128 MiB as float32."""


def picture(
    tumour: Tumour, config: ImageViewConfig, spatial_dims: int, ratio: float | None
) -> NDArray[np.float16]:
    """The tumour's box, or the field about it, in [0, 1].

    (C, h, w), or (C, Z, h, w) for three spatial dimensions.

    A volume's axial slices come first among its axes, each as `Volume.axial` shows it; for 2D
    encoders they are the channels. A picture is one channel, or red, green and blue. The mask, if
    asked for, follows as as many channels again.

    Args:
        tumour: The case.
        config: Window (of this image), channels, slices, margin, aspect and mask channel.
        spatial_dims: 2 or 3, what the encoder takes.
        ratio: Height over width in mm that the box is widened to if proportions are kept; None
            stands for 1.

    Raises:
        DataError: If three spatial dimensions are asked of a picture, or colours of a volume, or
            the spacing is too uneven for its proportions to be kept.
    """
    if tumour.ndim < spatial_dims:
        raise DataError("it is a 2D picture and the encoder takes volumes. Choose a 2D encoder.")
    if config.spacing_mm is not None and tumour.ndim != spatial_dims:
        raise DataError(
            "it is a volume whose slices the encoder sees as channels, and spacing_mm is of the "
            "axes that it sees. Take a 3D encoder, or leave spacing_mm out."
        )
    if config.channels == "rgb" and tumour.ndim != 2:
        raise DataError(f"it is a volume, and {COLOURS_OF_PICTURES}")
    image, mask, spacing_mm = _planes_first(tumour)
    if config.channels == "rgb":
        image, mask = _in_colour(tumour), np.repeat(mask, 3, axis=0)
    if config.spacing_mm is not None:
        return _field(image, mask, spacing_mm, config, spatial_dims)
    box = _box(mask, config.margin)
    if config.aspect == "keep":
        box = _widened(box, spacing_mm, ratio or 1.0)
    if tumour.ndim == 2:
        planes = np.arange(len(image))  # one, or three colours
    elif spatial_dims == 3:
        planes = np.arange(box[0][0], box[0][1])
    else:
        planes = spread_slices(*_box(mask, 0)[0], config.slices)
    pixels = _window(_cut(image, planes, box), image.dtype, config.window_of(""))
    channels = [pixels]
    if config.mask_channel:
        channels.append(_cut(mask, planes, box, beyond=False))
    if spatial_dims == 3:
        return np.stack(channels).astype(np.float16)
    return np.concatenate(channels).astype(np.float16)


def _field(
    image: NDArray[np.generic],
    mask: NDArray[np.bool_],
    spacing_mm: tuple[float, ...],
    config: ImageViewConfig,
    spatial_dims: int,
) -> NDArray[np.float16]:
    """A field of fixed size in mm: planes are the channels of a picture, and an axis of a volume.

    Args:
        image: (P, h, w).
        mask: Of the same shape.
        spacing_mm: Of the three axes.
        config: With ``spacing_mm``.
        spatial_dims: 2 or 3.
    """
    wanted = config.spacing_mm or ()
    size = [int(count) for count in config.size]

    def seen(array: NDArray[np.generic], beyond: bool) -> NDArray[np.float32]:
        if spatial_dims == 3:
            return field_about(array, mask, spacing_mm, size, wanted, beyond)[None]
        planes = zip(array, mask, strict=True)
        return np.stack(
            [field_about(p, m, spacing_mm[1:], size, wanted, beyond) for p, m in planes]
        )

    parts = [_window(seen(image, beyond=True), image.dtype, config.window_of(""))]
    if config.mask_channel:
        parts.append(seen(mask, beyond=False))
    return np.concatenate(parts).astype(np.float16)


def spread_slices(start: int, stop: int, count: int) -> NDArray[np.int64]:
    """``count`` slices spread evenly over ``start … stop − 1``.

    With fewer slices than wanted each is repeated, the middle ones first (Zhao & Yang 2021,
    Sect. 3.1: "repeatedly from the middle to the ends").
    """
    available = stop - start
    if available >= count:
        return start + np.rint(np.linspace(0, available - 1, count)).astype(np.int64)
    times = np.full(available, count // available)
    from_middle = np.argsort(np.abs(np.arange(available) - (available - 1) / 2), kind="stable")
    times[from_middle[: count % available]] += 1
    return start + np.repeat(np.arange(available), times)


def _planes_first(
    tumour: Tumour,
) -> tuple[NDArray[np.generic], NDArray[np.bool_], tuple[float, ...]]:
    """Image, mask and spacing with axes (plane, row, column); a picture is one plane."""
    if tumour.ndim == 2:
        return tumour.image.array[None], tumour.mask[None], (1.0, *tumour.image.spacing_mm)
    order, turned = tumour.image.axial
    return (
        np.transpose(tumour.image.array, order)[turned],
        np.transpose(tumour.mask, order)[turned],
        tuple(tumour.image.spacing_mm[axis] for axis in order),
    )


def _in_colour(tumour: Tumour) -> NDArray[np.generic]:
    """Red, green and blue of a picture, (3, H, W); of a grey one three times the same."""
    if tumour.image.colour is None:
        return np.repeat(tumour.image.array[None], 3, axis=0)
    return np.moveaxis(tumour.image.colour, -1, 0)


def _box(mask: NDArray[np.bool_], margin: float) -> list[tuple[int, int]]:
    """First and one past the last sample of each axis; rows and columns widened by the margin."""
    box = []
    for axis, span in enumerate(bounding_box(mask)):
        extra = round(margin * (span.stop - span.start)) if axis else 0
        box.append((span.start - extra, span.stop + extra))
    return box


def _widened(
    box: list[tuple[int, int]], spacing_mm: tuple[float, ...], ratio: float
) -> list[tuple[int, int]]:
    """The box with rows or columns widened about its centre until height : width is the ratio.

    Raises:
        DataError: If that takes more samples than any case needs.
    """
    height, width = (stop - start for start, stop in box[1:])
    rows = max(height, round(width * spacing_mm[2] * ratio / spacing_mm[1]))
    columns = max(width, round(height * spacing_mm[1] / ratio / spacing_mm[2]))
    samples = (box[0][1] - box[0][0]) * rows * columns
    if samples > MOST_WIDENED and (rows, columns) != (height, width):
        raise DataError(
            f"to keep its proportions, its box of {height} x {width} samples would become one of "
            f"{rows} x {columns}: its spacing of {spacing_mm[1]:.5g} x {spacing_mm[2]:.5g} mm is "
            "too uneven. Check the spacing, resample the case, or set aspect: stretch."
        )
    wider = [box[0]]
    for (start, stop), length in zip(box[1:], (rows, columns), strict=True):
        first = start - (length - (stop - start)) // 2
        wider.append((first, first + length))
    return wider


def _cut(
    volume: NDArray[np.generic],
    planes: NDArray[np.int64],
    box: list[tuple[int, int]],
    beyond: bool = True,
) -> NDArray[np.float32]:
    """The box on the given planes.

    Where it leaves the image the nearest sample is repeated; of a mask, which ends with its image,
    nothing is (``beyond`` is False).
    """
    (top, bottom), (left, right) = box[1:]
    wanted = np.arange(top, bottom), np.arange(left, right)
    rows, columns = (
        np.clip(places, 0, length - 1)
        for places, length in zip(wanted, volume.shape[1:], strict=True)
    )
    pixels: NDArray[np.float32] = volume[np.ix_(planes, rows, columns)].astype(np.float32)
    if not beyond:
        pixels *= np.outer(rows == wanted[0], columns == wanted[1])
    return pixels


def _window(
    pixels: NDArray[np.float32],
    dtype: np.dtype[np.generic],
    window: tuple[float, float] | None,
) -> NDArray[np.float32]:
    if window is None and dtype == np.uint8:
        window = (0.0, 255.0)
    low, high = window or (float(v) for v in np.percentile(pixels, (1, 99)))
    return np.asarray(np.clip((pixels - low) / max(high - low, 1e-6), 0, 1), np.float32)
