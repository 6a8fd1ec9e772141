"""The filtered images of a parameter file, each as its values in the region."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.radiomics.parameters import RadiomicsSettings
from rdfc_features_native.filters.gradient import gradient_magnitude
from rdfc_features_native.filters.lbp import local_binary_patterns
from rdfc_features_native.filters.log import laplacian_of_gaussian
from rdfc_features_native.filters.pointwise import FILTERS
from rdfc_features_native.filters.wavelet import wavelet_bands
from rdfc_features_native.preparation import PreparedImage
from rdfc_features_native.region import Region

Filtered = Iterator[tuple[str, NDArray[Any]]]

SUPPORTED = ("Original", "LoG", "Wavelet", "Gradient", "LBP2D", *FILTERS)


def filtered_images(
    image_type: str, name: str, own: RadiomicsSettings, prepared: PreparedImage, region: Region
) -> Filtered:
    """Name and filtered box of each image that an image type makes, in PyRadiomics' order.

    Images that the whole image is too small for are made all the same; see `checks.why_no_log`.

    Args:
        image_type: Its name.
        name: Of its image, if it makes only one.
        own: The settings that hold for it.
        prepared: The whole image.
        region: Gives the box.
    """
    image, box = prepared.image, region.box
    if image_type == "Original":
        yield name, image[box].astype(np.float64)
    elif image_type == "Wavelet":
        axes = list(reversed(range(image.ndim)))
        if own.force_2d and image.ndim == 3:
            axes.remove(own.force_2d_dimension or 0)
        yield from wavelet_bands(image, box, own.wavelet, own.level, own.start_level, axes)
    elif image_type == "LoG":
        # By their spelling, as the names are: 1 and 1.0 are two images.
        for spelling, sigma_mm in {str(sigma): float(sigma) for sigma in own.sigma_mm}.items():
            filtered = laplacian_of_gaussian(image, box, prepared.spacing_mm, sigma_mm)
            yield f"log-sigma-{spelling.replace('.', '-')}-mm-3D", filtered
    elif image_type == "Gradient":
        per_mm = own.gradient_use_spacing
        yield name, gradient_magnitude(image, box, prepared.spacing_mm, per_mm)
    elif image_type == "LBP2D":
        circle = (own.lbp_2d_radius, own.lbp_2d_samples, own.lbp_2d_method)
        yield name, local_binary_patterns(image, box, *circle, own.force_2d_dimension or 0)
    else:
        with np.errstate(all="ignore"):  # what is not finite becomes a missing feature
            yield name, FILTERS[image_type](image[box].astype(np.float64), prepared.largest)
