"""The filtered images of a parameter file, each as its values in the region."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.parameters import Parameters, Settings
from rdfc_features_native.filters.gradient import gradient_magnitude
from rdfc_features_native.filters.lbp import local_binary_patterns
from rdfc_features_native.filters.log import laplacian_of_gaussian
from rdfc_features_native.filters.pointwise import FILTERS
from rdfc_features_native.filters.wavelet import wavelet_bands
from rdfc_features_native.preparation import Prepared
from rdfc_features_native.region import Region

Filtered = Iterator[tuple[str, NDArray[Any]]]

SUPPORTED = ("Original", "LoG", "Wavelet", "Gradient", "LBP2D", *FILTERS)


def filtered_images(
    image_type: str, prepared: Prepared, region: Region, parameters: Parameters
) -> Filtered:
    """Name and box of each image that an image type makes, in PyRadiomics' order.

    Images that the whole image is too small for are made all the same; see `checks.why_no_log`.
    """
    own = parameters.settings_of(image_type)
    name = parameters.image_names(image_type, prepared.image.ndim)[0]
    if image_type == "Original":
        yield name, prepared.image[region.box].astype(np.float64)
    elif image_type == "Wavelet":
        yield from _wavelets(prepared, region, own)
    elif image_type == "LoG":
        yield from _laplacians(prepared, region, own)
    elif image_type == "Gradient":
        yield (
            name,
            gradient_magnitude(
                prepared.image, region.box, prepared.spacing_mm, own.gradient_use_spacing
            ),
        )
    elif image_type == "LBP2D":
        circle = (own.lbp_2d_radius, own.lbp_2d_samples, own.lbp_2d_method)
        axis = own.force_2d_dimension or 0
        yield name, local_binary_patterns(prepared.image, region.box, *circle, axis)
    else:
        values = prepared.image[region.box].astype(np.float64)
        with np.errstate(all="ignore"):  # what is not finite becomes a missing feature
            yield name, FILTERS[image_type](values, prepared.largest)


def _wavelets(prepared: Prepared, region: Region, own: Settings) -> Filtered:
    axes = list(reversed(range(prepared.image.ndim)))
    if own.force_2d and prepared.image.ndim == 3:
        axes.remove(own.force_2d_dimension or 0)
    return wavelet_bands(
        prepared.image, region.box, own.wavelet, own.level, own.start_level, axes
    )


def _laplacians(prepared: Prepared, region: Region, own: Settings) -> Filtered:
    for sigma in {str(sigma): float(sigma) for sigma in own.sigma_mm}.items():
        name = f"log-sigma-{sigma[0].replace('.', '-')}-mm-3D"
        yield (
            name,
            laplacian_of_gaussian(prepared.image, region.box, prepared.spacing_mm, sigma[1]),
        )
