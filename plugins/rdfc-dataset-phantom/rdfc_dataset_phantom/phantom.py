"""One phantom: everything about it follows from the configuration and its number alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_dataset_phantom import ct, ultrasound
from rdfc_dataset_phantom.config import PhantomConfig
from rdfc_dataset_phantom.fields import Field
from rdfc_dataset_phantom.shape import relative_radius
from rdfc_dataset_phantom.traits import Traits, traits_of

GENERATOR_VERSION = 1
"""Raised when the same configuration gives other images than before."""
SPACING_MM = {2: (1.0, 1.0), 3: (2.0, 0.8, 0.8)}
PATIENT_STREAM = 2**31
"""Keeps a patient's randomness apart from that of the case of the same number."""


def image_of(config: PhantomConfig, index: int) -> NDArray[Any]:
    """The image of a case: (H, W) uint8, or (Z, Y, X) int16 in Hounsfield units."""
    traits, radius, generator = _tumour(config, index)
    patient = _generator(config, PATIENT_STREAM + index // config.tumours_per_patient)
    if config.dimensions == 2:
        return ultrasound.picture(traits, radius, patient, generator)
    return ct.volume(traits, radius, SPACING_MM[3], patient, generator)


def mask_of(config: PhantomConfig, index: int) -> NDArray[np.uint8]:
    """The mask of a case, 1 inside the tumour."""
    _, radius, _ = _tumour(config, index)
    return (radius < 1).astype(np.uint8)


def _tumour(config: PhantomConfig, index: int) -> tuple[Traits, Field, np.random.Generator]:
    generator = _generator(config, index)
    traits = traits_of(config, index, generator)
    radius = relative_radius(traits, config.shape, SPACING_MM[config.dimensions], generator)
    return traits, radius, generator


def _generator(config: PhantomConfig, stream: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([config.seed, stream]))
