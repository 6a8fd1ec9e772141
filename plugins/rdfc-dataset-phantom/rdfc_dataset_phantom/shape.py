"""The outline of a phantom tumour, in two or three dimensions."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from rdfc_dataset_phantom.fields import Field, direction_waves

PLANE_WAVES = 9
LARGEST = 1.6
"""Of the relative radius in any direction, before stretching."""


class Outlined(Protocol):
    """A tumour's outline in numbers."""

    @property
    def radius(self) -> float:
        """As a share of the image's shortest side."""

    @property
    def stretch(self) -> float:
        """Length of the axis along x against that along y."""

    @property
    def irregularity(self) -> float:
        """Standard deviation of the radius over the directions, as a share."""

    @property
    def waviness(self) -> float:
        """Waves of the outline in a turn."""


def relative_radius(
    traits: Outlined,
    shape: tuple[int, ...],
    spacing_mm: tuple[float, ...],
    generator: np.random.Generator,
) -> Field:
    """Distance from the tumour's centre over the outline's distance: below 1 is inside.

    Args:
        traits: Size, stretch and irregularity.
        shape: Of the image.
        spacing_mm: Of the image.
        generator: Chooses the place and the waves of the outline.
    """
    sides = np.array(shape) * spacing_mm
    radius = traits.radius * sides.min()
    stretch = np.ones(len(shape))
    stretch[-1], stretch[-2] = np.sqrt(traits.stretch), 1 / np.sqrt(traits.stretch)
    reach = np.minimum(LARGEST * radius * stretch, sides / 2 - np.array(spacing_mm))
    centre = reach + generator.random(len(shape)) * (sides - 2 * reach)
    axes = [
        ((np.arange(n) + 0.5) * step - middle) / (radius * wider)
        for n, step, middle, wider in zip(shape, spacing_mm, centre, stretch, strict=True)
    ]
    offsets = [grid.astype(np.float32) for grid in np.meshgrid(*axes, indexing="ij")]
    distance = np.sqrt(sum(offset**2 for offset in offsets)).astype(np.float32)
    directions = [offset / np.maximum(distance, np.float32(1e-6)) for offset in offsets]
    waves = direction_waves(directions, traits.waviness, PLANE_WAVES, generator)
    # Far outside nothing tells of the outline: the surroundings are to know nothing of the class.
    fading = np.clip((2 - distance) / np.float32(2 - LARGEST), 0, 1)
    outline = np.clip(1 + np.float32(traits.irregularity) * waves * fading, 0.4, LARGEST)
    found: Field = distance / outline
    return found
