"""One phantom: everything about it follows from the configuration and its number alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_dataset_phantom import ct, texture, ultrasound
from rdfc_dataset_phantom.config import Kind, PhantomConfig
from rdfc_dataset_phantom.fields import Field
from rdfc_dataset_phantom.shape import relative_radius
from rdfc_dataset_phantom.traits import Traits, traits_of

GENERATOR_VERSION = {"mixed": 1, "texture": 1}
"""Raised when the same configuration gives other images than before."""
SPACING_MM: dict[tuple[Kind, int], tuple[float, ...]] = {
    ("mixed", 2): (1.0, 1.0),
    ("mixed", 3): (2.0, 0.8, 0.8),
    ("texture", 2): (1.0, 1.0),
    ("texture", 3): (1.0, 1.0, 1.0),
}
PATIENT_STREAM = 2**31
"""Keeps a patient's randomness apart from that of the case of the same number."""


def image_of(config: PhantomConfig, index: int) -> NDArray[Any]:
    """The image of a case: uint8, or int16 in Hounsfield units for volumes of the kind mixed."""
    generator = _generator(config, index)
    patient = _generator(config, PATIENT_STREAM + index // config.tumours_per_patient)
    if config.kind == "texture":
        tumour = texture.tumour_of(config, index, spacing_of(config), generator)
        return texture.image(tumour, config, patient, generator)
    traits, radius = _mixed(config, index, generator)
    if config.dimensions == 2:
        return ultrasound.picture(traits, radius, patient, generator)
    return ct.volume(traits, radius, spacing_of(config), patient, generator)


def mask_of(config: PhantomConfig, index: int) -> NDArray[np.uint8]:
    """The mask of a case, 1 inside the tumour."""
    generator = _generator(config, index)
    if config.kind == "texture":
        return texture.tumour_of(config, index, spacing_of(config), generator).mask
    _, radius = _mixed(config, index, generator)
    return (radius < 1).astype(np.uint8)


def spacing_of(config: PhantomConfig) -> tuple[float, ...]:
    """The spacing of every image, in mm."""
    return SPACING_MM[config.kind, config.dimensions]


def _mixed(
    config: PhantomConfig, index: int, generator: np.random.Generator
) -> tuple[Traits, Field]:
    traits = traits_of(config, index, generator)
    return traits, relative_radius(traits, config.shape, spacing_of(config), generator)


def _generator(config: PhantomConfig, stream: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([config.seed, stream]))
