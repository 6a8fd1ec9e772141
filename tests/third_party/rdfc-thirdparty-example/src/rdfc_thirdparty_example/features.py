"""The feature extractor ``moments``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdfc_core.case import Tumour
from rdfc_core.interfaces import FeatureExtractor, Features
from scipy import ndimage

from rdfc_thirdparty_example.config import MomentsConfig

NAMES = (
    "original_shape_VoxelVolume",
    "original_shape_Elongation",
    "original_shape_BoxShare",
    "original_firstorder_Mean",
    "original_firstorder_StandardDeviation",
    "original_firstorder_Skewness",
    "original_moments_Asymmetry",
    "gradient_firstorder_Mean",
    "gradient_firstorder_StandardDeviation",
    "original_rim_Contrast",
)


class Moments(FeatureExtractor):
    """Size, elongation, grey-value moments, gradients, and how the rim differs from the core."""

    def __init__(self, config: MomentsConfig) -> None:
        self.config = config

    def names(self, ndim: int) -> tuple[str, ...]:
        """The same ten in two and three dimensions."""
        return NAMES

    def extract(self, tumour: Tumour) -> Features:
        """The ten features, (10,)."""
        found = {**self._outline(tumour), **self._grey_values(tumour)}
        missing = {
            name: "the tumour is too small or too uniform for it"
            for name in NAMES
            if not np.isfinite(found[name])
        }
        values = [np.nan if name in missing else found[name] for name in NAMES]
        return Features(np.array(values, np.float64), missing)

    def recipe(self) -> dict[str, Any]:
        """Name, version and the one option."""
        return {"name": "moments", "version": 1, "depth_mm": self.config.depth_mm}

    def _outline(self, tumour: Tumour) -> dict[str, float]:
        spacing = np.array(tumour.image.spacing_mm)
        points = np.argwhere(tumour.mask) * spacing
        centred = points - points.mean(axis=0)
        # Standard deviations along the principal axes, in ascending order.
        axes = np.sqrt(np.linalg.eigvalsh(centred.T @ centred / len(points)).clip(min=0))
        return {
            "original_shape_VoxelVolume": float(len(points) * spacing.prod()),
            "original_shape_Elongation": _ratio(axes[-2], axes[-1]),
            "original_shape_BoxShare": float(tumour.mask[tumour.box].mean()),
        }

    def _grey_values(self, tumour: Tumour) -> dict[str, float]:
        image = tumour.image.array.astype(np.float64)
        mask, spacing = tumour.mask, tumour.image.spacing_mm
        grey = image[mask]
        mean, spread = float(grey.mean()), float(grey.std())
        slopes = [ndimage.sobel(image, axis) / step for axis, step in enumerate(spacing)]
        gradient = np.sqrt(np.sum(np.square(slopes), axis=0))[mask]
        depth = ndimage.distance_transform_edt(np.pad(mask, 1), spacing)
        rim = depth[(slice(1, -1),) * mask.ndim][mask] <= self.config.depth_mm
        contrast = grey[rim].mean() - grey[~rim].mean() if rim.any() and not rim.all() else np.nan
        return {
            "original_firstorder_Mean": mean,
            "original_firstorder_StandardDeviation": spread,
            "original_firstorder_Skewness": _ratio(float(((grey - mean) ** 3).mean()), spread**3),
            "original_moments_Asymmetry": _asymmetry(np.argwhere(mask) * spacing, grey),
            "gradient_firstorder_Mean": float(gradient.mean()),
            "gradient_firstorder_StandardDeviation": float(gradient.std()),
            "original_rim_Contrast": float(contrast),
        }


def _asymmetry(points: NDArray[np.float64], grey: NDArray[np.float64]) -> float:
    """Distance of the brightest half's middle from the tumour's, against the tumour's radius."""
    middle = points.mean(axis=0)
    bright = points[grey >= np.median(grey)].mean(axis=0)
    radius = np.sqrt(np.square(points - middle).sum(axis=1).mean())
    return _ratio(float(np.linalg.norm(bright - middle)), float(radius))


def _ratio(above: float, below: float) -> float:
    """NaN where there is nothing to divide by."""
    return float(above / below) if below > 0 else float("nan")
