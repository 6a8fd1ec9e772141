"""CT-like volumes: an organ in fat, with smooth noise, in Hounsfield units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_dataset_phantom.fields import Field, smooth_noise
from rdfc_dataset_phantom.traits import Traits

FAT_HU = -95.0
ORGAN_HU = 120.0
CONTRAST_HU = -45.0
"""Of the tumour against the organ."""
VARIATION_HU = 24.0
NOISE_HU = 11.0


def volume(
    traits: Traits,
    radius: Field,
    spacing_mm: tuple[float, ...],
    patient: np.random.Generator,
    generator: np.random.Generator,
) -> NDArray[np.int16]:
    """One volume in Hounsfield units, (Z, Y, X).

    Args:
        traits: Of the tumour.
        radius: As `rdfc_dataset_phantom.shape.relative_radius` gives it.
        spacing_mm: Of the volume.
        patient: Makes what all volumes of a patient share.
        generator: Makes all else.
    """
    shape = radius.shape
    uptake, dose = patient.uniform((-25.0, 0.7), (25.0, 1.3))
    sides = np.array(shape) * spacing_mm
    large = smooth_noise(shape, 0.12 * sides.min() / np.array(spacing_mm), generator)
    # The organ holds the tumour and ends somewhere near it.
    organ = 1 / (1 + np.exp(np.clip(6 * (radius - 2.1 - 0.6 * large), -30, 30)))
    hu = FAT_HU + (ORGAN_HU + uptake - FAT_HU) * organ + 6 * large
    inside = 1 / (1 + np.exp(np.clip((radius - 1) / np.float32(0.06), -30, 30)))
    length_mm = traits.grain * traits.radius * sides.min()
    texture = smooth_noise(shape, length_mm / np.array(spacing_mm), generator)
    contrast = CONTRAST_HU * traits.darkness + VARIATION_HU * traits.heterogeneity * texture
    noise = smooth_noise(shape, (0.4, 0.7, 0.7), generator)
    hu += contrast * inside + NOISE_HU * dose * noise
    stored: NDArray[np.int16] = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    return stored
