"""The parts of the two views that look at one case; free of torch, so that workers start fast."""

from __future__ import annotations

from typing import Any

import numpy as np

from rdfc_core.case import Tumour
from rdfc_core.contract.features import measured
from rdfc_core.interfaces.feature_extractor import FeatureExtractor
from rdfc_core.interfaces.prepared import Prepared
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.views.crop import picture
from rdfc_core.views.options import ImageViewConfig

GAVE = "the extractor gave"
"""What reasons begin with where an extractor itself gave none."""


class FeaturePreparer:
    """Measures handcrafted features and checks that all promised ones came back."""

    def __init__(self, extractor: FeatureExtractor) -> None:
        self.extractor = extractor

    @property
    def mask_grid(self) -> MaskGrid | None:
        """What the extractor does about masks on another grid; None if it says nothing."""
        return self.extractor.mask_grid

    def recipe(self) -> dict[str, Any]:
        """The extractor's recipe."""
        return {"view": "features", "extractor": self.extractor.recipe()}

    def prepare(self, tumour: Tumour) -> Prepared:
        """The features of one tumour, (F,) float64.

        Raises:
            DataError: If the tumour cannot be measured.
            PluginError: If the extractor breaks a promise.
        """
        with held_to_contract(self.extractor):
            names, features = measured(self.extractor, tumour)
        values = np.array(features.values, np.float64)
        # One infinite value would make the feature's mean and scale useless for every case.
        infinite = {names[i]: f"{GAVE} {values[i]}" for i in np.flatnonzero(np.isinf(values))}
        values[np.isinf(values)] = np.nan
        unexplained = {
            names[i]: f"{GAVE} NaN and no reason" for i in np.flatnonzero(np.isnan(values))
        }
        return Prepared(values, names, {**unexplained, **features.missing, **infinite})


class PicturePreparer:
    """Cuts out the tumour's picture."""

    def __init__(self, config: ImageViewConfig, spatial_dims: int) -> None:
        self.config = config
        self.spatial_dims = spatial_dims

    def recipe(self) -> dict[str, Any]:
        """What shapes the stored picture: not the encoder, the final size or the augmentation."""
        kept = self.config.model_dump(
            mode="json", include={"window", "slices", "margin", "aspect", "mask_channel"}
        )
        return {
            "view": "image",
            "version": 2,  # volumes as radiologists see them; an outline ends with its image
            "spatial_dims": self.spatial_dims,
            "ratio": self._ratio(),
            **kept,
            # Only where it says something new, so that stored grey pictures are found.
            **({"channels": "rgb"} if self.config.channels == "rgb" else {}),
        }

    def prepare(self, tumour: Tumour) -> Prepared:
        """The tumour's box at its own resolution, (C, h, w) or (C, Z, h, w), in [0, 1] as float16.

        Raises:
            DataError: If a 3D encoder meets a picture, or a volume is to be seen in colour.
        """
        return Prepared(picture(tumour, self.config, self.spatial_dims, self._ratio()))

    def channels(self, ndim: int) -> int:
        """C of the pictures of tumours with ``ndim`` axes; 0 where the encoder takes none."""
        rgb = self.config.channels == "rgb"
        if ndim < self.spatial_dims or (rgb and ndim > 2):
            return 0
        planes = self.config.slices if ndim > self.spatial_dims else 3 if rgb else 1
        return planes * (2 if self.config.mask_channel else 1)

    def _ratio(self) -> float | None:
        """Height over width that the box is widened to, where proportions are kept."""
        if self.config.aspect == "keep" and self.config.size != "average":
            return self.config.size[-2] / self.config.size[-1]
        return None
