"""An ultrasound scanner in two or three dimensions: from echogenicity in dB to grey levels.

The amplitude of fully developed speckle is the magnitude of complex Gaussian noise smoothed by the
point-spread function (Burckhardt 1978). Compounding averages the intensity of several looks. The
image shows the amplitude on a logarithmic scale, from a noise floor up to the dynamic range.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_dataset_phantom.fields import Field, smooth_noise

LOOKS = 4
"""Compounded to one image."""
LATERAL = 1.0
"""Samples: standard deviation of the point-spread function across the beam."""
NOISE_FLOOR_DB = -40.0
WHITE_DB = 14.0
"""Brighter than this is white; ordinary tissue is about 0 dB."""
GAIN_DB = 10.0
"""Most that the gain is above or below its mean."""


@dataclass(frozen=True)
class ScannerSettings:
    """How a patient was scanned.

    Args:
        gain_db: Added everywhere.
        loss_db: From the top of the image to its bottom, above what the scanner makes up for.
        axial: Samples: standard deviation of the point-spread function along the beam.
        dynamic_range_db: Between black and white.
    """

    gain_db: float
    loss_db: float
    axial: float
    dynamic_range_db: float


def settings_of(gain_share: float, patient: np.random.Generator) -> ScannerSettings:
    """Settings drawn for a patient.

    Args:
        gain_share: How much of the largest gain is drawn from, 0 to 1.
        patient: The patient's own generator.
    """
    gain, loss, axial, dynamic_range = patient.uniform((-1, 0, 0.5, 42), (1, 10, 0.9, 75))
    return ScannerSettings(gain_share * GAIN_DB * gain, loss, axial, dynamic_range)


def depth_of(shape: tuple[int, ...]) -> Field:
    """0 at the top to 1 at the bottom along the beam, the last axis but one; broadcasts."""
    depth: Field = np.linspace(0, 1, shape[-2], dtype=np.float32)[:, None]
    return depth


def scan(
    echo_db: Field, settings: ScannerSettings, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """What the scanner shows of tissue with this echogenicity, 8 bits.

    Args:
        echo_db: Echogenicity, (H, W) or (Z, Y, X); the beam runs along the last axis but one.
        settings: Of the scanner.
        generator: Of the speckle.
    """
    width = [LATERAL] * echo_db.ndim
    width[-2] = settings.axial
    parts = (smooth_noise(echo_db.shape, width, generator) ** 2 for _ in range(2 * LOOKS))
    amplitude = np.sqrt(sum(parts) / np.float32(2 * LOOKS))
    loss_db = np.float32(settings.loss_db) * (depth_of(echo_db.shape) - 0.5)
    level_db = echo_db + np.float32(settings.gain_db) - loss_db
    envelope = amplitude * 10 ** (level_db / 20) + np.float32(10 ** (NOISE_FLOOR_DB / 20))
    shown = 1 + (20 * np.log10(envelope) - WHITE_DB) / np.float32(settings.dynamic_range_db)
    return np.clip(np.rint(255 * shown), 0, 255).astype(np.uint8)
