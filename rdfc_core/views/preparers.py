"""The parts of the two views that look at one case; free of torch, so that workers start fast."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Needs, Tumour
from rdfc_core.contract.features import measured, require_remarks
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces.feature_extractor import FeatureExtractor
from rdfc_core.interfaces.prepared import Prepared
from rdfc_core.mask_grid import MaskGrid
from rdfc_core.plugin.attribution import held_to_contract, origin
from rdfc_core.views.crop import picture
from rdfc_core.views.feature_parts import COLOURS_OF_PICTURES, FeaturePart, parts_of
from rdfc_core.views.options import ImageViewConfig

GAVE = "the extractor gave"
"""What reasons begin with where an extractor itself gave none."""


class FeaturePreparer:
    """Measures handcrafted features and checks that all promised ones came back.

    Args:
        extractor: Measures.
        image: The image that it measures; None: the one image, or what the extractor asks for.
        images: Several images, each measured by itself; names of features stand behind theirs.
        channels: ``grey``, or ``rgb`` to measure each colour of a picture by itself.
        fit_columns: Columns that the view's `fit` sees, and the measuring does not.

    Raises:
        StudyError: If the extractor says itself what it looks at.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        image: str | None = None,
        images: tuple[str, ...] | None = None,
        channels: str = "grey",
        fit_columns: tuple[str, ...] = (),
    ) -> None:
        self.extractor = extractor
        self.images = images
        self.channels = channels
        self.parts = parts_of(images, channels)
        own = extractor.needs
        named = images if image is None else (image,)
        if named is not None and own.images is not None:
            raise StudyError(
                f"The {origin(extractor)} says itself which images it measures. Leave image and "
                "images out of the view."
            )
        if channels == "rgb" and (extractor.in_colour or own.images is not None):
            raise StudyError(
                f"The {origin(extractor)} says itself what it looks at, and channels: rgb would "
                "show it one colour at a time. Leave channels out of the view."
            )
        seen = own if named is None else replace(own, images=named, grid="own")
        self.needs = replace(seen, fit_columns=fit_columns)

    @property
    def mask_grid(self) -> MaskGrid | None:
        """What the extractor does about masks on another grid; None if it says nothing."""
        return self.extractor.mask_grid

    @property
    def in_colour(self) -> bool:
        """Whether the colours of a picture decide what it prepares."""
        return self.channels == "rgb" or self.extractor.in_colour

    def recipe(self) -> dict[str, Any]:
        """The extractor's recipe, and what the names begin with.

        The name of a single image is left out, so that what is stored of it is found; so are grey
        channels.
        """
        several = {"images": list(self.images)} if self.images else {}
        colours = {"channels": "rgb"} if self.channels == "rgb" else {}
        recipe = self.extractor.recipe()
        return {"view": "features", "extractor": recipe, **several, **colours}

    def names(self, ndim: int) -> tuple[str, ...]:
        """The names of the features of tumours with ``ndim`` axes.

        Raises:
            StudyError: If colours are asked of volumes.
        """
        if self.channels == "rgb" and ndim != 2:
            raise StudyError(f"The cases are volumes, and {COLOURS_OF_PICTURES}")
        own = self.extractor.names(ndim)
        return tuple(filter(None, (name for part in self.parts for name in part.names(own))))

    def prepare(self, tumour: Tumour) -> Prepared:
        """The features of one tumour, (F,) float64; of several images one after the other.

        Raises:
            DataError: If the tumour cannot be measured, or colours are asked of a volume.
            PluginError: If the extractor breaks a promise.
        """
        found = []
        for part in self.parts:
            try:
                found.append(part.named(self._measured(part.tumour(tumour))))
            except DataError as error:
                if part == FeaturePart():
                    raise
                raise DataError(f"{part}: {error}") from error
        return Prepared(
            np.concatenate([one.array for one in found]),
            tuple(name for one in found for name in one.names),
            {name: reason for one in found for name, reason in one.missing.items()},
            tuple(remark for one in found for remark in one.remarks),
        )

    def _measured(self, tumour: Tumour) -> Prepared:
        """The features of one image, (F,) float64.

        Raises:
            DataError: If the tumour cannot be measured.
            PluginError: If the extractor breaks a promise.
        """
        # An extractor of columns alone has no image to count the axes of.
        ndim = 2 if self.needs.images == () else tumour.ndim
        with held_to_contract(self.extractor):
            names, features = measured(self.extractor, tumour, ndim)
            remarks = self.extractor.remarks(tumour)
            require_remarks(remarks, type(self.extractor).__name__)
        values = np.array(features.values, np.float64)
        # One infinite value would make the feature's mean and scale useless for every case.
        infinite = {names[i]: f"{GAVE} {values[i]}" for i in np.flatnonzero(np.isinf(values))}
        values[np.isinf(values)] = np.nan
        unexplained = {
            names[i]: f"{GAVE} NaN and no reason" for i in np.flatnonzero(np.isnan(values))
        }
        return Prepared(values, names, {**unexplained, **features.missing, **infinite}, remarks)


class PicturePreparer:
    """Cuts out the tumour's picture."""

    def __init__(self, config: ImageViewConfig, spatial_dims: int) -> None:
        self.config = config
        self.spatial_dims = spatial_dims
        self.needs = Needs(config.named, grid="shared" if config.images else "own")

    @property
    def in_colour(self) -> bool:
        """Whether the colours of a picture decide what it prepares."""
        return self.config.channels == "rgb"

    @property
    def field_mm(self) -> tuple[float, ...] | None:
        """The field of fixed size that it cuts out, along its axes; None where it is a box."""
        config = self.config
        if config.spacing_mm is None or config.size == "average":
            return None
        return tuple(
            count * step for count, step in zip(config.size, config.spacing_mm, strict=True)
        )

    def recipe(self) -> dict[str, Any]:
        """What shapes the stored picture: not the encoder, the final size or the augmentation."""
        kept = self.config.model_dump(
            mode="json", include={"slices", "margin", "aspect", "mask_channel"}
        )
        return {
            "view": "image",
            "version": 2,  # volumes as radiologists see them; an outline ends with its image
            "spatial_dims": self.spatial_dims,
            "ratio": self._ratio(),
            "window": self._windows(),
            **kept,
            # Only where it says something new, so that stored grey pictures are found.
            **({"channels": "rgb"} if self.config.channels == "rgb" else {}),
            **({"images": list(self.config.images)} if self.config.images else {}),
            **self._field(),
        }

    def _windows(self) -> Any:
        """The one window, or that of each image; of a single image its own."""
        window = self.config.window
        if isinstance(window, dict):
            each = {name: _plain(window[name]) for name in self.config.named or ()}
            return each if self.config.images else each[str(self.config.image)]
        return _plain(window)

    def _field(self) -> dict[str, Any]:
        if self.config.spacing_mm is None:
            return {}
        return {"spacing_mm": list(self.config.spacing_mm), "size": list(self.config.size)}

    def prepare(self, tumour: Tumour) -> Prepared:
        """The tumour's box at its own resolution, (C, h, w) or (C, Z, h, w), in [0, 1] as float16.

        The channels of several images follow each other, then those of the outline.

        Raises:
            DataError: If a 3D encoder meets a picture, or a volume is to be seen in colour.
        """
        *before, last = self.config.images or (self.config.image or "",)
        parts = [self._picture(tumour.images[name], name, outline=False) for name in before]
        shown = tumour.images[last] if before else tumour
        parts.append(self._picture(shown, last, self.config.mask_channel))
        return Prepared(np.concatenate(parts) if before else parts[0])

    def _picture(self, tumour: Tumour, image: str, outline: bool) -> NDArray[np.float16]:
        """The channels of one image, with those of the outline where they follow."""
        own = {"window": self.config.window_of(image), "mask_channel": outline}
        config = self.config.model_copy(update=own)
        return picture(tumour, config, self.spatial_dims, self._ratio())

    def channels(self, ndim: int) -> int:
        """C of the pictures of tumours with ``ndim`` axes; 0 where the encoder takes none."""
        rgb = self.config.channels == "rgb"
        if ndim < self.spatial_dims or (rgb and ndim > 2):
            return 0
        planes = self.config.slices if ndim > self.spatial_dims else 3 if rgb else 1
        return planes * (len(self.config.images or ("",)) + self.config.mask_channel)

    def _ratio(self) -> float | None:
        """Height over width that the box is widened to, where proportions are kept."""
        if self.config.aspect == "keep" and self.config.size != "average":
            return self.config.size[-2] / self.config.size[-1]
        return None


def _plain(window: tuple[float, float] | None) -> list[float] | None:
    return None if window is None else list(window)
