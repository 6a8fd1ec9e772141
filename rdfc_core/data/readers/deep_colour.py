"""Pictures with 16 bits in each of several channels, of which Pillow keeps 8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdfc_core.data.readers.deep_png import png_depth, read_deep_png
from rdfc_core.data.readers.tiff_header import TiffHeader

__all__ = ["is_deep_png", "luminance", "png_depth", "read_deep_png", "read_deep_tiff", "upright"]

BT_601 = (0.299, 0.587, 0.114)
"""Share of red, green and blue in luminance."""


def is_deep_png(path: Path) -> bool:
    """Whether the file is a PNG with 16 bits a sample and several samples a pixel."""
    depth, colour_type = png_depth(path) or (0, 0)
    return depth == 16 and colour_type in (2, 4, 6)


def read_deep_tiff(path: Path, header: TiffHeader) -> NDArray[np.uint16]:
    """The samples, (H, W, C), without extra samples that stand for nothing.

    Args:
        path: The file.
        header: Of the file, found among those that are read.

    Raises:
        ValueError: If SimpleITK makes something else of the file.
        RuntimeError: SimpleITK's, of a damaged file.
    """
    import SimpleITK as sitk  # noqa: N813  (heavy: loaded when such a picture is)

    reader = sitk.ImageFileReader()
    reader.SetImageIO("TIFFImageIO")
    reader.SetFileName(str(path))
    samples = sitk.GetArrayFromImage(reader.Execute())
    if samples.dtype != np.uint16 or samples.shape[2:] != (len(header.bits),):
        raise ValueError(f"it holds {header}, and SimpleITK reads it as {samples.dtype}")
    shown = header.extra == (2,) or len(header.bits) == 3
    return np.asarray(samples if shown else samples[..., :3])


def luminance(samples: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Grey values, (H, W), of grey with alpha, (H, W, 2), or colours, (H, W, 3 or 4)."""
    if samples.shape[-1] == 2:
        return samples[..., 0]
    return np.asarray(np.rint(samples[..., :3] @ np.array(BT_601)), np.uint16)


def upright(samples: NDArray[np.uint16], orientation: int) -> NDArray[np.uint16]:
    """The picture, (H, W, C), turned as EXIF's orientation says (1 to 8; others: not at all)."""
    turned = samples.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else samples
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    return turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
