"""Response maps by the options of a filter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_features_native.ibsi import response_filters as responses
from rdfc_features_native.ibsi.filter_options import (
    KERNEL,
    GaborFilter,
    LawsFilter,
    LogFilter,
    MeanFilter,
    SimoncelliFilter,
    WaveletFilter,
)

AXES = {2: (2, 1), 3: (2, 1, 0)}
"""Array axes of x, y (and z)."""
PLANES = {2: ((1, 2),), 3: ((1, 2), (0, 1), (0, 2))}
MOST_KERNEL = 2**24
"""Voxels of a kernel; more of them come of a spacing that is wrong."""


def response_map(
    image: NDArray[Any], spacing_mm: Sequence[float], options: Any
) -> NDArray[np.float64]:
    """The image filtered, (Z, Y, X).

    Args:
        image: The whole image, (Z, Y, X).
        spacing_mm: Along the array's axes.
        options: One of `filter_options.Filter`.

    Raises:
        DataError: If the spacing does not fit the filter.
    """
    image = np.asarray(image, np.float64)
    axes, boundary = AXES[options.dimensions], options.boundary
    match options:
        case MeanFilter():
            return responses.mean_response(image, options.support, axes, boundary)
        case LogFilter():
            order = tuple(sorted(axes))
            sigma = [options.sigma_mm / spacing_mm[axis] for axis in order]
            _check_kernel([2 * options.cutoff * s + 1 for s in sigma], "sigma_mm")
            return responses.log_response(image, sigma, options.cutoff, order, boundary)
        case LawsFilter():
            kernels, turned = KERNEL.findall(options.kernels), options.pooling
            turns = responses.laws_responses(image, kernels, axes, turned is not None, boundary)
            response = responses.pooled(turns, turned or "max")
            if options.energy_reach is None:
                return response
            return responses.energy(response, options.energy_reach, axes, boundary)
        case WaveletFilter():
            wavelet, turned = (options.wavelet, options.bands, options.level), options.pooling
            turns = responses.wavelet_responses(image, wavelet, axes, turned is not None, boundary)
            return responses.pooled(turns, turned or "max")
        case SimoncelliFilter():
            return responses.simoncelli_response(image, options.level, axes)
        case GaborFilter():
            return _gabor(image, spacing_mm, options)
    raise TypeError(f"{type(options).__name__} is no filter")


def _gabor(
    image: NDArray[np.float64], spacing_mm: Sequence[float], options: GaborFilter
) -> NDArray[np.float64]:
    planes = PLANES[options.dimensions]
    for rows, columns in planes:
        if not math.isclose(spacing_mm[rows], spacing_mm[columns], rel_tol=1e-3):
            raise DataError(
                f"a Gabor filter needs one spacing along both axes of a plane, and these are "
                f"{spacing_mm[rows]:.5g} and {spacing_mm[columns]:.5g} mm. Set spacing_mm, or "
                "filter in axial slices (dimensions: 2)."
            )
    first = math.radians(options.theta_degrees)
    # Opposite directions have the same modulus: an even number needs half of them alone.
    even = options.directions % 2 == 0
    angles = [
        first + 2 * math.pi * k / options.directions
        for k in range(options.directions // 2 if even else options.directions)
    ]
    mm = spacing_mm[planes[0][1]]
    sigma, wavelength = options.sigma_mm / mm, options.wavelength_mm / mm
    side = 2 * responses.GABOR_REACH * sigma * max(1, 1 / options.gamma) + 1
    _check_kernel([side, side], "sigma_mm")
    return responses.pooled(
        (
            responses.gabor_response(
                image, (sigma, wavelength, options.gamma, angle), plane, options.boundary
            )
            for plane in planes
            for angle in angles
        ),
        "average",
    )


def _check_kernel(sides: Sequence[float], key: str) -> None:
    if math.prod(sides) > MOST_KERNEL:
        raise DataError(
            f"the kernel of a filter would have {math.prod(sides):.3g} voxels. Check the image's "
            f"spacing, or choose a smaller {key}."
        )
