"""Random fields that shapes and textures are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Field = NDArray[np.float32]


def smooth_noise(
    shape: tuple[int, ...], sigma: Sequence[float], generator: np.random.Generator
) -> Field:
    """Gaussian noise with mean 0 and variance 1, correlated over ``sigma`` samples an axis."""
    white = generator.standard_normal(shape, np.float32)
    smooth: Field = gaussian_filter(white, sigma, mode="wrap", truncate=3)
    # What a normalised Gaussian kernel leaves of the variance, axis by axis; never more than all.
    left = np.prod([min(1.0, 1 / (2 * np.sqrt(np.pi) * max(s, 1e-3))) for s in sigma])
    return smooth / np.float32(np.sqrt(left))


def direction_waves(
    directions: Sequence[Field], waves: float, count: int, generator: np.random.Generator
) -> Field:
    """A smooth random function of the direction, with mean near 0 and variance near 1.

    A sum of plane waves seen on the unit circle or sphere: it closes on itself in 2D and 3D alike.

    Args:
        directions: The components of the unit vector at each sample.
        waves: About how many waves go into a full turn.
        count: Plane waves in the sum.
        generator: The source of randomness.
    """
    ndim = len(directions)
    axes = generator.standard_normal((count, ndim))
    axes *= waves / np.linalg.norm(axes, axis=1, keepdims=True)
    phases = generator.uniform(0, 2 * np.pi, count)
    total = np.zeros_like(directions[0])
    for axis, phase in zip(axes.astype(np.float32), phases.astype(np.float32), strict=True):
        along = sum(component * a for component, a in zip(directions, axis, strict=True))
        total += np.cos(along + phase)
    return total * np.float32(np.sqrt(2 / count))
