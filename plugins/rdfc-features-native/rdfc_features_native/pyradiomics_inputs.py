"""What scripts of PyRadiomics give its extractor: images and label maps, in memory or as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from rdfc_core.case import Tumour
from rdfc_core.errors import RdfcError
from rdfc_core.interfaces import MaskGrid
from rdfc_core.volume import Volume
from rdfc_features_native.extractor import NativeExtractor


@contextmanager
def as_value_error() -> Iterator[None]:
    """What rdfc refuses is the ``ValueError`` that scripts of PyRadiomics expect."""
    try:
        yield
    except RdfcError as error:
        raise ValueError(str(error)) from error


def read_image(given: str | Path | sitk.Image, what: str) -> sitk.Image:
    """The image itself, or that of a file.

    Args:
        given: Image or path.
        what: For messages, ``image`` or ``mask``.

    Raises:
        ValueError: If the file cannot be read.
    """
    if isinstance(given, sitk.Image):
        return given
    try:
        return sitk.ReadImage(str(given))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ValueError(f"The {what} {given} cannot be read ({reason}).") from error


def one_channel(mask: sitk.Image, channel: int) -> sitk.Image:
    """The label map, or one channel of it.

    Raises:
        ValueError: If it has no such channel.
    """
    count = mask.GetNumberOfComponentsPerPixel()
    if count == 1:
        return mask
    if not 0 <= channel < count:
        raise ValueError(f"The mask has {count} channels, and label_channel is {channel}.")
    return sitk.VectorIndexSelectionCast(mask, channel)


def tumour_of(
    image: sitk.Image, mask: sitk.Image, value: int, extractor: NativeExtractor
) -> Tumour:
    """Image and region on one grid, with the axes as they are stored, as PyRadiomics has them."""
    seen, outline = Volume.from_sitk(image), Volume.from_sitk(mask)
    grid = extractor.mask_grid or MaskGrid()
    inside = grid.fit(seen, outline, value).array == value
    if not inside.any():
        held = ", ".join(map(str, np.unique(outline.array)[:9]))
        raise ValueError(f"No voxel of the mask has the label {value} (it holds {held}).")
    return Tumour(Volume.of(seen.array, seen.spacing_mm), inside)


def as_image(made: Volume, like: sitk.Image) -> sitk.Image:
    """A map of a tumour of `tumour_of` in the space of the image that it was made of."""
    image = made.to_sitk()
    image.SetDirection(like.GetDirection())
    # Of axes along the patient's and the origin at 0, as the tumour has them.
    index = [mm / spacing for mm, spacing in zip(made.origin_mm, like.GetSpacing(), strict=True)]
    image.SetOrigin(like.TransformContinuousIndexToPhysicalPoint(index))
    return image
