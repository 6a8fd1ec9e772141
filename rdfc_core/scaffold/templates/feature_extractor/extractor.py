"""A handful of handcrafted features: grey values inside the outline, and its size."""

from __future__ import annotations

from typing import Any

import numpy as np

from rdfc_core import Tumour
from rdfc_core.interfaces import FeatureExtractor, Features

from .config import ExampleConfig

VERSION = 1
"""Raise this when the values change: stored features are then made afresh."""

NAMES = (
    "original_firstorder_Mean",
    "original_firstorder_StandardDeviation",
    "original_firstorder_Skewness",
    "original_firstorder_Entropy",
    "shape_VoxelVolume",
    "shape_Extent",
)


class Example(FeatureExtractor):
    """Mean, spread, skewness and entropy of the grey values; volume (area) and extent."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def names(self, ndim: int) -> tuple[str, ...]:
        """The same six for pictures and volumes."""
        return NAMES

    def extract(self, tumour: Tumour) -> Features:
        """The six features, (6,) float64; skewness is missing where all grey values are equal."""
        # float64 first: arithmetic on 8-bit images overflows in silence.
        values = tumour.image.array[tumour.mask].astype(np.float64)
        mean, spread = values.mean(), values.std()
        missing = {}
        if spread > 0:
            skewness = float(((values - mean) ** 3).mean() / spread**3)
        else:
            # NaN with a reason, never a guess: the view fills it from the training cases.
            skewness = np.nan
            missing["original_firstorder_Skewness"] = "all grey values are equal"
        shares = np.histogram(values, self.config.bins)[0] / len(values)
        entropy = -float((shares[shares > 0] * np.log2(shares[shares > 0])).sum())
        volume = float(tumour.mask.sum() * np.prod(tumour.image.spacing_mm))
        extent = float(tumour.mask[tumour.box].mean())
        found = [float(mean), float(spread), skewness, entropy, volume, extent]
        return Features(np.array(found, np.float64), missing)

    def recipe(self) -> dict[str, Any]:
        """Everything that determines the values: it is the key under which they are stored."""
        return {"name": "example", "version": VERSION, **self.config.model_dump(mode="json")}
