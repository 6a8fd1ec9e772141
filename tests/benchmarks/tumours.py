"""Tumours for benchmarks: made, not real, the same at every call."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from rdfc_core.case import Tumour, Volume

CT_SHAPE = (100, 512, 512)
CT_SPACING_MM = (3.0, 0.8, 0.8)
RADII = {5_000: (6.0, 14.1, 14.1), 50_000: (13.0, 30.3, 30.3), 300_000: (24.0, 54.5, 54.5)}
"""Of the ellipsoid with about so many voxels."""


def ct_tumour(voxels: int) -> Tumour:
    """A wobbly ellipsoid of about so many voxels (a key of `RADII`) in a body in air, int16."""
    rng = np.random.default_rng(0)
    smooth = _stretched(rng.normal(size=(26, 64, 64)), CT_SHAPE)
    y, x = np.mgrid[: CT_SHAPE[1], : CT_SHAPE[2]]
    body = ((y - 256) / 170) ** 2 + ((x - 256) / 220) ** 2 < 1
    image = np.where(body, 40 + 25 * smooth, -1000)
    noise = ndimage.gaussian_filter(rng.normal(size=CT_SHAPE).astype(np.float32), (0.3, 0.7, 0.7))
    image += 18 * noise / noise.std()

    centre = (50, 270, 330)
    grid = np.ogrid[tuple(slice(n) for n in CT_SHAPE)]
    distance = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, RADII[voxels], strict=True))
    wobble = _stretched(np.random.default_rng(5).normal(size=(13, 64, 64)), CT_SHAPE)
    labels, _ = ndimage.label(distance <= 1 + 0.18 * wobble)
    mask = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    inner = 60 * np.tanh(smooth) + 45 * (distance > 0.5) - 40 * (distance < 0.15)
    image += np.where(mask, inner, 0)
    pixels = np.clip(np.round(image), -1024, 3071).astype(np.int16)
    return Tumour(Volume.of(pixels, CT_SPACING_MM), mask)


def ultrasound_tumour() -> Tumour:
    """A dark ellipse of about 8,000 pixels in speckle, 160 × 196, uint8."""
    rng = np.random.default_rng(0)
    height, width = 160, 196
    echo = ndimage.gaussian_filter(rng.normal(size=(height, width)), 12)
    echo = (echo - echo.min()) / np.ptp(echo)
    y, x = np.mgrid[:height, :width]
    distance = ((y - 78) / 42) ** 2 + ((x - 98) / 61) ** 2
    echo = 70 + 60 * echo - 35 * (distance <= 1) + 20 * (distance > 1.6)
    waves = ndimage.gaussian_filter(rng.normal(size=(2, height, width)), (0, 0.8, 1.2))
    speckle = np.hypot(*(waves / waves.std())) / 1.25
    return Tumour(Volume.of(np.clip(echo * speckle, 0, 255).astype(np.uint8)), distance <= 1)


def _stretched(coarse: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    factors = [n / m for n, m in zip(shape, coarse.shape, strict=True)]
    large = ndimage.zoom(coarse, np.ceil(factors), order=1)
    return large[tuple(slice(n) for n in shape)]
