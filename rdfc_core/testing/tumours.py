"""Small tumours made on the spot: the same at every call, no two alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Needs, Tumour, Volume

_SHAPES = {2: (48, 56), 3: (20, 40, 44)}
_SPACING_MM = {2: (0.5, 0.7), 3: (2.0, 0.8, 0.9)}


def example_tumours(ndim: int = 2, count: int = 6, needs: Needs | None = None) -> list[Tumour]:
    """Ellipses of differing size, place and texture, in noise.

    Args:
        ndim: 2 for 8-bit pictures (about 48 × 56), 3 for 16-bit volumes (about 20 × 40 × 44) with
            values like those of CT.
        count: How many; the first are the same whatever the count.
        needs: Of a view: images by name have an outline in common, columns hold numbers, one of
            them none; None: one image.
    """
    return [_as_needed(ndim, number, needs or Needs()) for number in range(count)]


def _as_needed(ndim: int, number: int, needs: Needs) -> Tumour:
    numbers = np.random.default_rng([ndim, number, 1]).normal(50, 9, len(needs.columns))
    columns = {
        name: "" if number == 2 and not place else f"{value:.2f}"
        for place, (name, value) in enumerate(zip(needs.columns, numbers, strict=True))
    }
    if needs.images == ():
        return Tumour.without_image(columns)
    first = _tumour(ndim, np.random.default_rng([ndim, number]))
    images = {}
    for place, name in enumerate(needs.images or ()):
        array = first.image.array
        if place:  # another texture of the same place
            array = np.roll(array[..., ::-1], place, axis=0).copy()
        images[name] = Tumour(replace(first.image, array=array), first.mask)
    return replace(first, images=images, columns=columns)


def _tumour(ndim: int, rng: np.random.Generator) -> Tumour:
    shape = tuple(n + int(rng.integers(0, 4)) for n in _SHAPES[ndim])
    centre = [n / 2 + rng.uniform(-2, 2) for n in shape]
    radii = [n * rng.uniform(0.22, 0.38) for n in shape]
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    distance = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii, strict=True))
    mask = np.asarray(distance <= 1)
    texture = _smooth(rng.normal(size=shape)) * rng.uniform(0.1, 0.25)
    values = 0.35 + rng.uniform(0.1, 0.3) * mask + texture
    if ndim == 2:
        pixels: NDArray[np.generic] = np.clip(values * 255, 0, 255).astype(np.uint8)
    else:
        pixels = np.clip(values * 500 - 250, -1024, 1024).astype(np.int16)
    return Tumour(Volume.of(pixels, _SPACING_MM[ndim]), mask)


def _smooth(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """The noise averaged over its neighbours, with the spread it had before."""
    for axis in range(noise.ndim):
        noise = (np.roll(noise, -1, axis) + 2 * noise + np.roll(noise, 1, axis)) / 4
    return np.asarray(noise / noise.std())
