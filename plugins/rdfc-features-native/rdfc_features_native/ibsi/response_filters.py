"""Response maps of the IBSI's second chapter: convolutional filters with their borders and pooling.

Every filter covers the whole image, (Z, Y, X), and its lengths are in voxels. Kernels are
separable, or applied in the Fourier domain on a padded image.

Sources: IBSI reference manual on convolutional filters, arXiv:2006.05470; Laws 1980; Gabor 1946;
Simoncelli & Freeman 1995 (non-separable wavelets).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy import fft, ndimage

Image = NDArray[np.float64]
Boundary = Literal["zero", "nearest", "periodic", "mirror"]
Pooling = Literal["max", "average"]

MODES = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
"""By SciPy's name: a mirrored image repeats its border voxel."""
PADS: dict[str, Literal["constant", "edge", "wrap", "symmetric"]] = {
    "zero": "constant",
    "nearest": "edge",
    "periodic": "wrap",
    "mirror": "symmetric",
}
"""By NumPy's name."""

GABOR_REACH = 7
"""Of the kernel, in sigmas: a Gaussian is below 1e-10 of its peak there."""

LAWS = {
    "L3": np.array([1, 2, 1]) / math.sqrt(6),
    "L5": np.array([1, 4, 6, 4, 1]) / math.sqrt(70),
    "E3": np.array([-1, 0, 1]) / math.sqrt(2),
    "E5": np.array([-1, -2, 0, 2, 1]) / math.sqrt(10),
    "S3": np.array([-1, 2, -1]) / math.sqrt(6),
    "S5": np.array([-1, 0, 2, 0, -1]) / math.sqrt(6),
    "W5": np.array([-1, 2, 0, -2, 1]) / math.sqrt(10),
    "R5": np.array([1, -4, 6, -4, 1]) / math.sqrt(70),
}
"""Laws' kernels of unit length: level, edge, spot, wave, ripple."""


def mean_response(image: Image, support: int, axes: Sequence[int], boundary: Boundary) -> Image:
    """The mean over a cube (or a square) of ``support`` voxels a side, an odd number."""
    kernel = np.full(support, 1 / support)
    return _separable(image, [(axis, kernel, 1) for axis in axes], boundary)


def log_response(
    image: Image, sigma: Sequence[float], cutoff: float, axes: Sequence[int], boundary: Boundary
) -> Image:
    """The Laplacian of a Gaussian, cut off so many sigmas from the middle.

    Args:
        image: (Z, Y, X).
        sigma: Of the Gaussian, in voxels, along each of the axes.
        cutoff: Where the kernel ends, in sigmas.
        axes: Along which it is filtered.
        boundary: What lies outside.
    """
    reach = [math.floor(cutoff * s + 0.5) for s in sigma]
    grid = np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij")
    squares = sum((g / s) ** 2 for g, s in zip(grid, sigma, strict=True))
    curvature = sum((g / s**2) ** 2 - 1 / s**2 for g, s in zip(grid, sigma, strict=True))
    scale = (2 * math.pi) ** (-len(sigma) / 2) / math.prod(sigma)
    kernel = scale * np.asarray(curvature) * np.exp(-np.asarray(squares) / 2)
    if len(sigma) < image.ndim:
        kernel = np.expand_dims(kernel, [axis for axis in range(3) if axis not in axes])
    return _convolved(image, kernel, boundary)


def laws_responses(
    image: Image, kernels: Sequence[str], axes: Sequence[int], turned: bool, boundary: Boundary
) -> Iterator[Image]:
    """Responses of Laws' kernels, one along each axis; in every rotation if ``turned``."""
    chosen = [LAWS[name] for name in kernels]
    for placed in _placed(chosen, axes, turned):
        yield _separable(image, placed, boundary)


def energy(response: Image, reach: int, axes: Sequence[int], boundary: Boundary) -> Image:
    """The mean absolute response within so many voxels (largest coordinate)."""
    return mean_response(np.abs(response), 2 * reach + 1, axes, boundary)


def wavelet_responses(
    image: Image,
    wavelet: tuple[str, str, int],
    axes: Sequence[int],
    turned: bool,
    boundary: Boundary,
) -> Iterator[Image]:
    """Responses of the undecimated separable wavelet transform at a level, in every rotation.

    Args:
        image: (Z, Y, X).
        wavelet: PyWavelets' name; L (low) or H (high) along each of the axes; and the level, from
            1: images of the levels before are filtered low along all axes.
        axes: In the order of the bands.
        turned: Whether in every rotation, or in one.
        boundary: What lies outside.
    """
    name, bands, level = wavelet
    found = pywt.Wavelet(name)
    kernels = {"L": np.array(found.dec_lo), "H": np.array(found.dec_hi)}
    last = _placed([kernels[band] for band in bands], axes, turned)
    first = _placed([kernels["L"]] * len(axes), axes, turned)
    for before, after in zip(first, last, strict=True):
        response = image
        for step in range(level):
            placed = after if step == level - 1 else before
            spread = [(axis, _spread(kernel, 2**step), sign) for axis, kernel, sign in placed]
            response = _separable(response, spread, boundary)
        yield response


def gabor_response(
    image: Image,
    wave: tuple[float, float, float, float],
    plane: tuple[int, int],
    boundary: Boundary,
) -> Image:
    """The modulus of the response of a Gabor filter in the slices of one plane.

    Args:
        image: (Z, Y, X).
        wave: Sigma of the Gaussian and length of the wave, in voxels; how much narrower the
            Gaussian is across the wave; direction of the wave, clockwise, in radians.
        plane: The axes of rows and columns.
        boundary: What lies outside.
    """
    sigma, wavelength, gamma, theta = wave
    reach = math.ceil(GABOR_REACH * sigma * max(1, 1 / gamma))
    steps = np.arange(-reach, reach + 1)
    rows, columns = np.meshgrid(steps, steps, indexing="ij")
    along = columns * math.cos(theta) + rows * math.sin(theta)
    across = rows * math.cos(theta) - columns * math.sin(theta)
    envelope = np.exp(-(along**2 + (gamma * across) ** 2) / (2 * sigma**2))
    kernel = envelope * np.exp(2j * math.pi * along / wavelength)
    if plane[0] > plane[1]:
        kernel = kernel.T
    third = next(axis for axis in range(3) if axis not in plane)
    return np.asarray(np.abs(_convolved(image, np.expand_dims(kernel, third), boundary)))


def simoncelli_response(image: Image, level: int, axes: Sequence[int]) -> Image:
    """The band-pass of the non-separable wavelet at a level, from 1; the image is periodic.

    Frequencies run from −1 to 1 (Nyquist's) in equal steps, both ends among them, as in the maps
    of the initiative.
    """
    along = [
        fft.ifftshift(np.linspace(-1, 1, n)) if axis in axes and n > 1 else np.zeros(n)
        for axis, n in enumerate(image.shape)
    ]
    grid = np.meshgrid(*along, indexing="ij", sparse=True)
    radius = np.sqrt(np.asarray(sum(frequency**2 for frequency in grid)))
    top = 2.0 ** (1 - level)
    inside = (radius > top / 4) & (radius <= top)
    octaves = np.log2(2 * np.where(inside, radius, top / 2) / top)
    band = np.where(inside, np.cos(math.pi / 2 * octaves), 0.0)
    return np.asarray(fft.ifftn(fft.fftn(image) * band).real)


def pooled(responses: Iterable[Image], pooling: Pooling) -> Image:
    """The largest, or the mean, of responses voxel by voxel."""
    total: Image | None = None
    count = 0
    for response in responses:
        count += 1
        if total is None:
            total = response.copy()
        elif pooling == "max":
            np.maximum(total, response, out=total)
        else:
            total += response
    if total is None:
        raise ValueError("there is no response to pool")
    return total if pooling == "max" else total / count


Placed = list[tuple[int, NDArray[np.float64], int]]
"""Axis, kernel along it, and whether forwards (1) or backwards (-1)."""


def _placed(
    kernels: Sequence[NDArray[np.float64]], axes: Sequence[int], turned: bool
) -> list[Placed]:
    """Kernels along axes; if ``turned`` in all rotations: 24 in space, 4 in a plane."""
    size = len(axes)
    if not turned:
        return [[(axis, kernel, 1) for axis, kernel in zip(axes, kernels, strict=True)]]
    found = []
    for order in itertools.permutations(range(size)):
        parity = np.linalg.det(np.eye(size)[list(order)])
        found += [
            [(axis, kernels[k], sign) for axis, k, sign in zip(axes, order, signs, strict=True)]
            for signs in itertools.product((1, -1), repeat=size)
            if parity * math.prod(signs) > 0
        ]
    return found


def _spread(kernel: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """The kernel with zeros between its values (à trous), as long as the transform expects."""
    wide = np.zeros(step * len(kernel))
    wide[::step] = kernel
    return wide


def _separable(image: Image, placed: Placed, boundary: Boundary) -> Image:
    for axis, kernel, sign in placed:
        # A kernel of even length has its middle right of the centre, and left of it if turned.
        origin = -1 if sign < 0 and len(kernel) % 2 == 0 else 0
        image = ndimage.convolve1d(image, kernel[::sign], axis, mode=MODES[boundary], origin=origin)
    return image


def _convolved(image: Image, kernel: NDArray[Any], boundary: Boundary) -> NDArray[Any]:
    """The image convolved with a kernel of odd size, by Fourier transforms."""
    from scipy import signal  # here: slow to load, and most filters do without

    padded = np.pad(image, [(n // 2, n // 2) for n in kernel.shape], mode=PADS[boundary])
    return np.asarray(signal.fftconvolve(padded, kernel, mode="valid"))
