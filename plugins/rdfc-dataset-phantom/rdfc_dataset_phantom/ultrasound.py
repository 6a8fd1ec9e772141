"""Ultrasound-like pictures: layered tissue seen through fully developed speckle.

The envelope of the echo is the magnitude of complex Gaussian noise that was blurred by the
point-spread function (so its amplitude follows a Rayleigh distribution; Burckhardt 1978), times
the tissue's echogenicity; the picture shows it on a logarithmic scale.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from rdfc_dataset_phantom.fields import Field, smooth_noise
from rdfc_dataset_phantom.traits import Traits

DYNAMIC_RANGE_DB = 56.0
"""Between black and white."""
WHITE_DB = 14.0
"""Brighter than this is white; ordinary tissue is about 0 dB."""
NOISE_FLOOR_DB = -42.0
LAYERS = ((7.0, 1.0, 0.06), (-6.0, 2.0, 0.2), (1.0, 3.0, 0.5), (-5.0, 3.0, 0.24))
"""From the skin down: echogenicity and its variation in dB, thickness as a share of the depth."""
TUMOUR_DB = -15.0
TUMOUR_VARIATION_DB = 3.2


def picture(
    traits: Traits,
    radius: Field,
    patient: np.random.Generator,
    generator: np.random.Generator,
) -> NDArray[np.uint8]:
    """One picture, (H, W), 8 bits.

    Args:
        traits: Of the tumour.
        radius: As `rdfc_dataset_phantom.shape.relative_radius` gives it.
        patient: Makes what all pictures of a patient share.
        generator: Makes all else.
    """
    gain, loss, lateral = patient.uniform((-4.0, 4.0, 1.0), (2.0, 14.0, 1.8))
    depth = np.linspace(0, 1, radius.shape[0], dtype=np.float32)[:, None]
    echo = _with_tumour(_tissue(radius.shape, generator), traits, radius, generator)
    echo += np.float32(gain) - np.float32(loss) * depth
    envelope = _speckle(radius.shape, lateral, generator) * 10 ** (echo / 20)
    envelope += np.float32(10 ** (NOISE_FLOOR_DB / 20))
    shown = 1 + (20 * np.log10(envelope) - WHITE_DB) / DYNAMIC_RANGE_DB
    return np.clip(np.rint(255 * shown), 0, 255).astype(np.uint8)


def _tissue(shape: tuple[int, ...], generator: np.random.Generator) -> Field:
    """Echogenicity in dB of skin, fat, gland and muscle, with bright sheets between them."""
    height, width = shape
    depth = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    echo = np.full(shape, LAYERS[0][0], np.float32)
    variation = np.full(shape, LAYERS[0][1], np.float32)
    sheets = np.zeros(shape, np.float32)
    boundary = np.zeros((1, width), np.float32)
    for above, (level, spread, _) in pairwise(LAYERS):
        thickness = above[2] * generator.uniform(0.7, 1.3)
        undulation = smooth_noise((1, width), (0, 0.15 * width), generator)
        boundary = boundary + np.float32(thickness) * (1 + 0.15 * undulation)
        below = depth > boundary
        echo[below] = level
        variation[below] = spread
        sheets += np.exp(-(((depth - boundary) / 0.012) ** 2))
    grain = smooth_noise(shape, (0.02 * height, 0.06 * width), generator)
    echo += variation * grain + 6 * sheets
    blurred: Field = gaussian_filter1d(echo, 1.0, axis=0, mode="nearest")
    return blurred


def _with_tumour(
    echo: Field, traits: Traits, radius: Field, generator: np.random.Generator
) -> Field:
    """The tissue with the tumour in it, and its shadow or brightening below."""
    pixels = traits.radius * min(radius.shape)
    softness, shade_db = generator.uniform((0.03, -7.0), (0.12, 5.0))
    inside: Field = 1 / (1 + np.exp(np.clip((radius - 1) / np.float32(softness), -30, 30)))
    texture = smooth_noise(radius.shape, (traits.grain * pixels,) * 2, generator)
    variation = np.float32(TUMOUR_VARIATION_DB * traits.heterogeneity)
    tumour = np.float32(TUMOUR_DB * traits.darkness) + variation * texture
    path = np.cumsum(inside, axis=0) / np.float32(2 * pixels)
    path = gaussian_filter1d(path, 0.15 * pixels, axis=1, mode="nearest")
    shaded: Field = echo + (tumour - echo) * inside + np.float32(shade_db) * path * (1 - inside)
    return shaded


def _speckle(shape: tuple[int, ...], lateral: float, generator: np.random.Generator) -> Field:
    """Rayleigh-distributed amplitudes with mean square 1, wider sideways than in depth."""
    real, imaginary = (smooth_noise(shape, (0.7, lateral), generator) for _ in range(2))
    amplitude: Field = np.hypot(real, imaginary)
    amplitude /= np.float32(np.sqrt(2))
    return amplitude
