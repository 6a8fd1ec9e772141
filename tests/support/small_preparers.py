"""What the small components prepare in worker processes; light, so that these start fast."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from rdfc_core import DataError
from rdfc_core.case import Tumour
from rdfc_core.interfaces import FeatureExtractor, Features, Prepared


class SmallConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OutlineConfig(SmallConfig):
    percentile: float = Field(10.0, gt=0, lt=50, description="Lower percentile.")
    needs_contrast: bool = Field(False, description="Refuse tumours of one grey value.")


class OutlineFeatures(FeatureExtractor):
    """Ten features of the grey values and their gradient, two of the shape."""

    def __init__(self, config: OutlineConfig) -> None:
        self.config = config

    def names(self, ndim: int) -> tuple[str, ...]:
        grey = ("Mean", "Deviation", "Minimum", "Maximum", "Median", "Low", "High", "Entropy")
        return (
            *(f"original_firstorder_{name}" for name in grey),
            "gradient_firstorder_Mean",
            "gradient_firstorder_Deviation",
            "original_shape_Content",
            "original_shape_Fill",
        )

    def extract(self, tumour: Tumour) -> Features:
        image = tumour.image.array.astype(np.float64)
        grey = image[tumour.mask]
        if self.config.needs_contrast and np.ptp(grey) == 0:
            raise DataError("all its voxels have one grey value. Check the image.")
        counts = np.histogram(grey, 16)[0]
        shares = counts[counts > 0] / counts.sum()
        slope = np.sqrt(sum(np.square(g) for g in np.gradient(image)))[tumour.mask]
        low, high = np.percentile(grey, (self.config.percentile, 100 - self.config.percentile))
        box = np.prod([s.stop - s.start for s in tumour.box])
        values = [grey.mean(), grey.std(), grey.min(), grey.max(), np.median(grey), low, high]
        values += [-(shares * np.log2(shares)).sum(), slope.mean(), slope.std()]
        values += [tumour.mask.sum() * np.prod(tumour.image.spacing_mm), tumour.mask.sum() / box]
        missing = {}
        if grey.size < 4:
            values[7] = np.nan
            missing["original_firstorder_Entropy"] = "the tumour has fewer than four voxels"
        return Features(np.array(values), missing)

    def recipe(self) -> dict[str, Any]:
        return {"name": "outline", "version": 1, **self.config.model_dump(mode="json")}


class GreyPreparer:
    """Shares of grey values over the image's range."""

    def __init__(self, bins: int) -> None:
        self.bins = bins

    def recipe(self) -> dict[str, Any]:
        return {"view": "greys", "version": 1, "bins": self.bins}

    def prepare(self, tumour: Tumour) -> Prepared:
        grey = tumour.image.array[tumour.mask].astype(np.float64)
        span = (float(tumour.image.array.min()), float(tumour.image.array.max()) + 1)
        return Prepared(np.histogram(grey, self.bins, span)[0] / grey.size)
