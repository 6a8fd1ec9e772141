"""Several images of one case on the grid of one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.volume import Volume, bounding_box, check_same_grid


def on_grid(image: Volume, reference: Volume, inside: NDArray[np.bool_]) -> Volume:
    """An image on the grid of another one: as it is if it lies on it, otherwise interpolated.

    Args:
        image: To be brought onto the grid.
        reference: Has the grid.
        inside: The outline on that grid, which the image has to cover.

    Returns:
        The image, linearly interpolated as float32 (8-bit images stay 8-bit); beyond its edge the
        nearest samples are repeated.

    Raises:
        DataError: If they are pictures of different sizes, a picture and a volume, or the outline
            leaves the image.
    """
    try:
        check_same_grid(reference, image)
        return image
    except DataError:
        if image.array.ndim != reference.array.ndim or image.array.ndim == 2:
            raise DataError(
                f"it has shape {image.array.shape} and the first image {reference.array.shape}, "
                "and only volumes have a place in the patient by which they can be brought onto "
                "one grid. Resample it, or look at it in a view of its own."
            ) from None
    _check_covered(image, reference, inside)
    return _interpolated(image, reference)


def _check_covered(image: Volume, reference: Volume, inside: NDArray[np.bool_]) -> None:
    box = bounding_box(inside)
    corners = np.stack(
        np.meshgrid(*((span.start, span.stop - 1) for span in box), indexing="ij"), axis=-1
    ).reshape(-1, inside.ndim)
    points = corners * reference.spacing_mm @ reference.direction.T + reference.origin_mm
    places = (points - image.origin_mm) @ np.linalg.inv(image.direction).T / image.spacing_mm
    if (places < -0.5).any() or (places > np.array(image.array.shape) - 0.5).any():
        raise DataError(
            "the outline leaves it, so that it cannot be brought onto the first image's grid. "
            "Check that the images belong together, or drop the case."
        )


def _interpolated(image: Volume, reference: Volume) -> Volume:
    import SimpleITK as sitk  # noqa: N813  (heavy: loaded when it is asked for)

    array = image.array
    if array.dtype != np.uint8:
        array = array.astype(np.float32)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in reference.array.shape[::-1]])
    resampler.SetOutputSpacing([float(mm) for mm in reference.spacing_mm[::-1]])
    resampler.SetOutputOrigin([float(mm) for mm in reference.origin_mm])
    resampler.SetOutputDirection([float(x) for x in reference.direction[:, ::-1].ravel()])
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.UseNearestNeighborExtrapolatorOn()
    resampled = resampler.Execute(replace(image, array=array, colour=None).to_sitk())
    return replace(
        reference, array=sitk.GetArrayFromImage(resampled), colour=None, notes=image.notes
    )
