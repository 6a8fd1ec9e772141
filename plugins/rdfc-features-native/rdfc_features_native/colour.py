"""The feature extractor ``colour``: a tumour's colours, and their contrast with the rim.

Saturation is that of HSV (Smith 1978). Hue is a direction in the plane of chroma, where pale pixels
weigh little: their hue is noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Tumour
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import FeatureExtractor, Features
from rdfc_core.radiomics.checks import check_tumour
from rdfc_features_native.colour_config import ColourConfig

VERSION = 1
"""Raised when the values change."""

CHANNELS = ("red", "green", "blue")
STATISTICS = ("10Percentile", "Mean", "90Percentile", "StandardDeviation")
HUE = ("MeanCosine", "MeanSine", "Spread")
SATURATION = ("Mean", "StandardDeviation")
CONTRASTS = (*CHANNELS, "saturation", "chroma")

NO_HUE = "all its pixels are grey, which has no hue"
NO_RIM = "the outline leaves nothing of the image around it, so that there is no rim to compare"

NAMES = (
    *(f"{channel}_colour_{name}" for channel in CHANNELS for name in STATISTICS),
    *(f"hue_colour_{name}" for name in HUE),
    *(f"saturation_colour_{name}" for name in SATURATION),
    *(f"{name}_colour_RimContrast" for name in CONTRASTS),
)
"""Of the 22 features, in order."""


class ColourExtractor(FeatureExtractor):
    """Measures the colours of pictures; a grey picture has three equal channels and no hue."""

    in_colour = True

    def __init__(self, config: ColourConfig) -> None:
        self.config = config

    def names(self, ndim: int) -> tuple[str, ...]:
        """The 22 names.

        Raises:
            StudyError: For volumes.
        """
        if ndim != 2:
            raise StudyError(
                "The extractor colour measures colour pictures, and the cases are volumes. Use "
                "native or pyradiomics."
            )
        return NAMES

    def extract(self, tumour: Tumour) -> Features:
        """The statistics of one tumour, (22,) float64, in the units of the file.

        Raises:
            DataError: If image and mask do not fit together, or the image is not finite.
            StudyError: For volumes.
        """
        self.names(tumour.ndim)
        check_tumour(tumour)
        pixels = _colours(tumour)
        inside = pixels[tumour.mask]
        hue, no_hue = _hue(inside)
        saturation = _saturation(inside)
        around = pixels[rim_of(tumour, self.config.rim)]
        values = [
            *_statistics(inside).T.ravel(),
            *hue,
            saturation.mean(),
            saturation.std(),
            *_contrasts(inside, around),
        ]
        missing = {f"hue_colour_{name}": no_hue for name in HUE} if no_hue else {}
        if not len(around):
            missing |= {f"{name}_colour_RimContrast": NO_RIM for name in CONTRASTS}
        return Features(np.array(values, np.float64), missing)

    def check(self, tumour: Tumour) -> None:
        """Refuse what `extract` refuses, without measuring.

        Raises:
            DataError: If image and mask do not fit together, or the image is not finite.
            StudyError: For volumes.
        """
        self.names(tumour.ndim)
        check_tumour(tumour)

    def recipe(self) -> dict[str, Any]:
        """Version and options."""
        return {"extractor": "colour", "version": VERSION, **self.config.model_dump(mode="json")}


def rim_of(tumour: Tumour, share: float) -> NDArray[np.bool_]:
    """The pixels outside the outline that are nearer to it than the width of the rim, (H, W).

    Args:
        tumour: Its outline.
        share: Width of the rim, as a share of the radius of a circle of the tumour's area; at
            least the pixels that touch the outline.
    """
    from scipy import ndimage  # heavy: loaded in the workers that measure

    spacing_mm = np.asarray(tumour.image.spacing_mm)
    width_mm = share * np.sqrt(tumour.mask.sum() * spacing_mm.prod() / np.pi)
    width_mm = max(width_mm, 1.001 * spacing_mm.max())
    margin = np.ceil(width_mm / spacing_mm).astype(int) + 1
    part = tuple(
        slice(max(0, span.start - more), span.stop + more)
        for span, more in zip(tumour.box, margin, strict=True)
    )
    distance_mm = ndimage.distance_transform_edt(~tumour.mask[part], sampling=spacing_mm)
    rim = np.zeros(tumour.mask.shape, bool)
    rim[part] = (distance_mm > 0) & (distance_mm <= width_mm)
    return rim


def _colours(tumour: Tumour) -> NDArray[np.float64]:
    """Red, green and blue, (H, W, 3); of a grey picture three times the same."""
    image = tumour.image
    if image.colour is not None:
        return image.colour.astype(np.float64)
    return np.repeat(image.array.astype(np.float64)[..., None], 3, axis=-1)


def _statistics(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """`STATISTICS` of each channel of (N, 3), (4, 3)."""
    low, high = np.percentile(pixels, (10, 90), axis=0)
    return np.stack([low, pixels.mean(axis=0), high, pixels.std(axis=0)])


def _chroma(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colour as a vector whose direction is the hue, (N, 2); grey is 0."""
    red, green, blue = pixels.T
    return np.stack([red - (green + blue) / 2, np.sqrt(0.75) * (green - blue)], axis=1)


def _hue(pixels: NDArray[np.float64]) -> tuple[list[float], str]:
    """`HUE` of (N, 3), and why there is none, or ""."""
    vectors = _chroma(pixels)
    length = np.hypot(*vectors.T).sum()
    if not length:
        return [np.nan] * len(HUE), NO_HUE
    cosine, sine = vectors.sum(axis=0) / length
    return [cosine, sine, 1 - np.hypot(cosine, sine)], ""


def _saturation(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 (grey) to 1 (pure), (N,) of (N, 3)."""
    most = pixels.max(axis=1)
    lit = most > 0
    spread = most - pixels.min(axis=1)
    return np.asarray(np.divide(spread, most, out=np.zeros_like(most), where=lit))


def _contrasts(inside: NDArray[np.float64], around: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean inside less mean in the rim: of each channel, saturation, and the length of chroma's."""
    if not len(around):
        return np.full(len(CONTRASTS), np.nan)
    channels = inside.mean(axis=0) - around.mean(axis=0)
    saturation = _saturation(inside).mean() - _saturation(around).mean()
    chroma = np.hypot(*(_chroma(inside).mean(axis=0) - _chroma(around).mean(axis=0)))
    return np.array([*channels, saturation, chroma])
