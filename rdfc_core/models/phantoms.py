"""Small tumours that are equal to the bit on every platform: what a saved model is probed with.

They are nobody's data. Drawn by integer arithmetic alone: neither NumPy's generators nor the
platform's mathematics decide a voxel.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Needs, Tumour, Volume

SIZES = {2: (48, 56), 3: (12, 26, 30)}
SPACING_MM = {2: (0.5, 0.7), 3: (2.0, 0.8, 0.9)}
PRIMES = (73856093, 19349663, 83492791)
"""Of a spatial hash (Teschner et al. 2003)."""
COUNT = 2


def phantoms(ndim: int, needs: Needs | None = None) -> tuple[Tumour, ...]:
    """Two ellipsoids of different size and texture, in noise.

    Args:
        ndim: 2 for 8-bit pictures, 3 for 16-bit volumes with values like those of CT.
        needs: Of a view: images by name have one outline and other textures, columns hold whole
            numbers; None: one image.
    """
    return tuple(_as_needed(ndim, number, needs or Needs()) for number in range(COUNT))


def _as_needed(ndim: int, number: int, needs: Needs) -> Tumour:
    columns = {name: str(40 + 7 * number + place) for place, name in enumerate(needs.columns)}
    if needs.images == ():
        return Tumour.without_image(columns)
    first = _phantom(ndim, number)
    images = {}
    for place, name in enumerate(needs.images or ()):
        array = np.roll(first.image.array, 3 * place, axis=-1)
        images[name] = Tumour(replace(first.image, array=array), first.mask)
    return replace(first, images=images, columns=columns)


@cache
def _phantom(ndim: int, number: int) -> Tumour:
    places = np.indices(SIZES[ndim], dtype=np.int64)
    radii = [n // 3 - 2 * number * (axis % 2) for axis, n in enumerate(SIZES[ndim])]
    product = int(np.prod([r * r for r in radii]))
    distance = sum(
        (2 * place - n) ** 2 * (product // (r * r))
        for place, n, r in zip(places, SIZES[ndim], radii, strict=True)
    )
    mask = np.asarray(distance <= 4 * product)
    noise = _smooth(_hash(places, number))  # 0 … 255
    if ndim == 2:
        values = 40 + noise // 2 + 60 * mask * (1 + number) // 2
        return Tumour(Volume.of(values.astype(np.uint8), SPACING_MM[ndim]), mask)
    values = 2 * noise - 250 + (150 + 60 * number) * mask
    return Tumour(Volume.of(values.astype(np.int16), SPACING_MM[ndim]), mask)


def _hash(places: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """A number from 0 to 255 for each place, like noise."""
    mixed = np.full(places.shape[1:], 2654435761 * (number + 1), np.int64)
    for place, prime in zip(places, PRIMES, strict=False):
        mixed ^= (place + 1) * prime
    mixed &= 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 3266489917) & 0xFFFFFFFF
    return np.asarray((mixed ^ (mixed >> 16)) & 0xFF)


def _smooth(noise: NDArray[np.int64]) -> NDArray[np.int64]:
    """Noise of which neighbours know, from 0 to 255."""
    for axis in range(noise.ndim):
        noise = (np.roll(noise, -1, axis) + 2 * noise + np.roll(noise, 1, axis)) // 4
    low, high = int(noise.min()), int(noise.max())
    return (noise - low) * 255 // (high - low)
