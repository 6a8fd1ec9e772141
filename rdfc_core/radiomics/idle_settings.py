"""Settings that are stated and have no effect, as what they would change is not asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from rdfc_core.radiomics.settings import RadiomicsSettings

FILTER_OF = {
    "sigma_mm": "LoG",
    **dict.fromkeys(("wavelet", "start_level", "level"), "Wavelet"),
    "gradient_use_spacing": "Gradient",
    **dict.fromkeys(("lbp_2d_radius", "lbp_2d_samples", "lbp_2d_method"), "LBP2D"),
    **dict.fromkeys(
        ("lbp_3d_levels", "lbp_3d_icosphere_radius", "lbp_3d_icosphere_subdivision"), "LBP3D"
    ),
}
"""Setting → the image type that alone uses it."""

CLASS_OF = {
    "gldm_a": ("gldm",),
    "symmetrical_glcm": ("glcm",),
    "distances": ("glcm", "ngtdm", "gldm"),
    "weighting_norm": ("glcm", "glrlm"),
    "voxel_array_shift": ("firstorder",),
}
"""Setting → the feature classes that alone use it."""

NEEDED: dict[str, tuple[str, Callable[[RadiomicsSettings], bool]]] = {
    "normalize_scale": ("normalize", lambda own: own.normalize),
    "remove_outliers": ("normalize", lambda own: own.normalize),
    "interpolator": (
        "resampledPixelSpacing",
        lambda own: own.resampled_spacing_mm is not None,
    ),
    "pad_distance": (
        "resampledPixelSpacing or preCrop",
        lambda own: own.resampled_spacing_mm is not None or own.pre_crop,
    ),
    "resegment_mode": ("resegmentRange", lambda own: own.resegment_range is not None),
    "resegment_shape": ("resegmentRange", lambda own: own.resegment_range is not None),
}
"""Setting → the other one without which it does nothing, and whether that is there."""


def idle_settings(
    settings: RadiomicsSettings, image_types: Collection[str], feature_classes: Collection[str]
) -> Iterator[str]:
    """A sentence for each setting that was stated, is not the default, and has no effect.

    Args:
        settings: For all image types.
        image_types: Those that are made.
        feature_classes: Those that are measured.
    """
    for name in sorted(settings.model_fields_set):
        field = RadiomicsSettings.model_fields[name]
        if _same(getattr(settings, name), field.default):
            continue
        key = f"setting.{field.alias or name}"
        if name in FILTER_OF and FILTER_OF[name] not in image_types:
            yield f"{key} has no effect: imageType lists no {FILTER_OF[name]}"
        elif name in CLASS_OF and not set(CLASS_OF[name]) & set(feature_classes):
            yield f"{key} has no effect: featureClass lists no {' or '.join(CLASS_OF[name])}"
        elif name in NEEDED and not NEEDED[name][1](settings):
            yield f"{key} has no effect without {NEEDED[name][0]}"


def _same(value: Any, default: Any) -> bool:
    return bool(value == default)
