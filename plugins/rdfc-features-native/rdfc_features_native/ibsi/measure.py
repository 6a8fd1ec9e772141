"""All features of one image, family after family."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.radiomics.checks import check_not_constant
from rdfc_features_native.ibsi.config import IbsiConfig
from rdfc_features_native.ibsi.grey_levels import coded, levels_of_count, levels_of_width
from rdfc_features_native.ibsi.intensities import histogram_features, intensity_features
from rdfc_features_native.ibsi.local_intensity import local_intensity_features
from rdfc_features_native.ibsi.morphology import morphology_features
from rdfc_features_native.ibsi.preparation import PreparedRoi
from rdfc_features_native.ibsi.textures import MEASURE, Textures
from rdfc_features_native.ibsi.vocabulary import DISCRETISED, TEXTURES, names_of
from rdfc_features_native.ibsi.volume_histogram import volume_histogram_features

Values = NDArray[np.float64]

MOST_LEVELS = 10**7
"""A histogram of so many levels alone takes 80 MB."""


def family_features(
    roi: PreparedRoi, mask: NDArray[np.bool_], config: IbsiConfig, families: tuple[str, ...]
) -> dict[str, Values]:
    """Family → its features in the order of `vocabulary.names_of`; NaN where one is not defined.

    Args:
        roi: Image and morphological mask.
        mask: The intensity mask, part of the morphological one; `check_values` holds for it.
        config: Discretisation and aggregation.
        families: Which.
    """
    box = roi.box
    inside = mask[box]
    values = roi.image[box][inside]
    named: dict[str, dict[str, float]] = {}
    if "shape" in families:
        named["shape"] = morphology_features(roi.image, mask, roi.outline, roi.spacing_mm)
    if "local" in families:
        named["local"] = local_intensity_features(roi.image, inside, box, roi.spacing_mm)
    if "firstorder" in families:
        named["firstorder"] = intensity_features(values)
    if "ivh" in families:
        named["ivh"] = _volume_histogram(values, config)
    found = {
        family: np.array([features[name] for name in names_of(family)])
        for family, features in named.items()
    }
    if not set(families).isdisjoint(DISCRETISED):
        levels = grey_levels(values, config)
        if "histogram" in families:
            histogram = histogram_features(levels)
            found["histogram"] = np.array([histogram[name] for name in names_of("histogram")])
        wanted = [family for family in families if family in TEXTURES]
        if wanted:
            flat = roi.image.shape[0] == 1
            textures = Textures(coded(levels), inside, roi.outline[box], config.aggregation, flat)
            found |= {family: MEASURE[family](textures) for family in wanted}
    return {family: found[family] for family in families}


def check_values(values: Values, config: IbsiConfig, families: tuple[str, ...]) -> None:
    """The intensities must be such as the discretisation is meant for.

    Args:
        values: Of the intensity mask's voxels, (N,).
        config: Says how they become grey levels.
        families: That are measured.

    Raises:
        DataError: If they are all equal, or make too many levels, or are not the whole numbers
            that a histogram without bins needs.
    """
    check_not_constant(values)
    high = float(values.max())
    if config.bin_width is not None and not set(families).isdisjoint(DISCRETISED):
        _check_count(_range(values, config)[0], high, config.bin_width, "bin_width", "bin_count")
    if "ivh" not in families:
        return
    width = config.ivh_bin_width
    if width is None and config.ivh_bin_count is None:
        width = 1
        if (values != np.rint(values)).any():
            raise DataError(
                "the intensity-volume histogram is asked for without bins, and intensities are "
                "not whole numbers. Set ivh_bin_count or ivh_bin_width, or round_intensities."
            )
    if width is not None:
        _check_count(*_range(values, config), width, "ivh_bin_width", "ivh_bin_count")


def _check_count(low: float, high: float, width: float, key: str, other: str) -> None:
    count = (high - low) / width
    if count > MOST_LEVELS:
        raise DataError(
            f"a {key} of {width:g} makes {count:.3g} levels of intensities from {low:g} to "
            f"{high:g}, more than {MOST_LEVELS:,}. Choose a wider one, or {other}."
        )


def grey_levels(values: Values, config: IbsiConfig) -> NDArray[np.int64]:
    """Of the intensity mask's voxels, (N,), from 1."""
    if config.bin_width is None:
        return levels_of_count(values, config.levels)
    return levels_of_width(values, _range(values, config)[0], config.bin_width)


def _range(values: Values, config: IbsiConfig) -> tuple[float, float]:
    """Where bins of one width begin, and where the axis of intensities ends."""
    low, high = config.resegment_range or (None, None)
    return (
        float(values.min()) if low is None else low,
        float(values.max()) if high is None else high,
    )


def _volume_histogram(values: Values, config: IbsiConfig) -> dict[str, float]:
    low, high = _range(values, config)
    width = config.ivh_bin_width
    if width is not None:
        levels = levels_of_width(values, low, width)
        count = max(int(np.ceil((high - low) / width)), int(levels.max()))
        first, last = low + width / 2, low + (count - 0.5) * width
        return volume_histogram_features(low + (levels - 0.5) * width, first, last, width)
    if config.ivh_bin_count is not None:
        levels = levels_of_count(values, config.ivh_bin_count)
        return volume_histogram_features(levels, 1, config.ivh_bin_count, 1)
    return volume_histogram_features(values, np.floor(low), np.ceil(high), 1)
