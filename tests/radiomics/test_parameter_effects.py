"""Every setting of a parameter file has an effect on both extractors, or is refused by name."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import RdfcError
from rdfc_core.interfaces import FeatureExtractor
from rdfc_core.plugin.registry import Registry
from rdfc_core.radiomics.parameters import bundled_sets, load_parameters, parse_parameters
from rdfc_core.radiomics.settings import RadiomicsSettings

EXTRACTORS = ("native", "pyradiomics")
CLASSES = {"firstorder": ["Energy", "Mean", "Entropy"], "glcm": ["Correlation", "JointEntropy"]}
CLASSES |= {"gldm": ["DependenceEntropy"], "shape": ["VoxelVolume"], "glrlm": ["RunEntropy"]}

ALIASES = {field.alias or name: name for name, field in RadiomicsSettings.model_fields.items()}

CHANGES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "normalize": (True, {"binCount": 16}, "Original"),
    "normalizeScale": (50.0, {"normalize": True, "binCount": 16}, "Original"),
    "removeOutliers": (1.0, {"normalize": True, "binCount": 16}, "Original"),
    "resampledPixelSpacing": ([2, 2, 2], {}, "Original"),
    "interpolator": ("sitkLinear", {"resampledPixelSpacing": [2, 2, 2]}, "Original"),
    "padDistance": (1, {"resampledPixelSpacing": [1.5, 1.5, 1.5]}, "Wavelet"),
    "preCrop": (True, {"padDistance": 1}, "Wavelet"),
    "resegmentRange": ([90, 160], {}, "Original"),
    "resegmentMode": ("sigma", {"resegmentRange": [0.5, 150]}, "Original"),
    "resegmentShape": (True, {"resegmentRange": [90, 160]}, "Original"),
    "force2D": (True, {}, "Original"),
    "force2Ddimension": (1, {"force2D": True}, "Original"),
    "binWidth": (10.0, {}, "Original"),
    "binCount": (8, {}, "Original"),
    "voxelArrayShift": (300, {}, "Original"),
    "distances": ([1, 2], {}, "Original"),
    "symmetricalGLCM": (False, {}, "Original"),
    "weightingNorm": ("euclidean", {}, "Original"),
    "gldm_a": (2, {}, "Original"),
    "sigma": ([2.5], {"sigma": [1.5]}, "LoG"),
    "wavelet": ("haar", {}, "Wavelet"),
    "start_level": (1, {}, "Wavelet"),
    "level": (2, {}, "Wavelet"),
    "gradientUseSpacing": (False, {}, "Gradient"),
    "lbp2DRadius": (2.0, {"binWidth": 1}, "LBP2D"),
    "lbp2DSamples": (12, {"binWidth": 1}, "LBP2D"),
    "lbp2DMethod": ("default", {"binWidth": 1}, "LBP2D"),
}
"""Setting → another value, the settings that it needs, and the image type that shows it."""

REFUSALS: dict[str, tuple[Any, str]] = {
    "label": (2, r"setting.label is 2 .* Set mask_value there"),
    "label_channel": (1, r"setting.label_channel is 1 .* Set mask_value there"),
    "additionalInfo": (True, r"setting.additionalInfo: rdfc gives features alone"),
}
"""Setting → a value, and the sentence that refuses it."""

OF_THE_CASE: dict[str, tuple[Any, str]] = {
    "minimumROIDimensions": (3, r"must be longer than one voxel along 3 axes"),
    "minimumROISize": (10_000, r"ROI size|minimumROISize asks for more than 10000"),
}
"""Setting → a value, and the sentence that then refuses a flat, small tumour."""

OF_THE_GRID = {"correctMask": True, "geometryTolerance": 0.5}
"""Settings of how image and mask are brought together, before an extractor sees them."""

OF_LBP_3D = ("lbp3DLevels", "lbp3DIcosphereRadius", "lbp3DIcosphereSubdivision")
"""Settings of a filter that neither extractor has here: native never, PyRadiomics for want of
scipy's former function sph_harm."""


@pytest.fixture(scope="module")
def tumour() -> Tumour:
    shape = (10, 20, 24)
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 1)
    image = (noise - noise.min()) / np.ptp(noise) * 255
    grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    return Tumour(Volume.of(image, (3.0, 1.2, 1.0)), sum(g**2 for g in grid) < 0.6)


def extractor(registry: Registry, name: str, content: dict[str, Any]) -> FeatureExtractor:
    component = registry.get("feature_extractor", name)
    return component.load()(component.load_config()(parameters=content))


def measured(
    registry: Registry, name: str, setting: dict[str, Any], image_type: str, tumour: Tumour
) -> dict[str, float]:
    content = {"imageType": {image_type: {}}, "featureClass": CLASSES, "setting": setting}
    chosen = extractor(registry, name, content)
    features = chosen.extract(tumour)
    assert not features.missing, features.missing
    return dict(zip(chosen.names(tumour.ndim), features.values, strict=True))


def test_the_walk_leaves_out_no_setting() -> None:
    walked = [*CHANGES, *REFUSALS, *OF_THE_CASE, *OF_THE_GRID, *OF_LBP_3D]
    assert sorted(walked) == sorted(ALIASES)


@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`")
@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("key", CHANGES)
def test_a_setting_changes_what_is_measured(
    registry: Registry, tumour: Tumour, key: str, name: str
) -> None:
    value, others, image_type = CHANGES[key]
    before = measured(registry, name, others, image_type, tumour)
    after = measured(registry, name, others | {key: value}, image_type, tumour)
    assert before != after, key


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("key", REFUSALS)
def test_a_setting_that_is_not_obeyed_is_refused(registry: Registry, key: str, name: str) -> None:
    value, sentence = REFUSALS[key]
    with pytest.raises((RdfcError, ValueError), match=sentence):
        extractor(registry, name, {"setting": {key: value}})


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("key", OF_THE_CASE)
def test_a_setting_refuses_tumours(registry: Registry, tumour: Tumour, key: str, name: str) -> None:
    flat = np.zeros_like(tumour.mask)
    flat[5] = tumour.mask[5]
    flat_tumour = Tumour(tumour.image, flat)
    value, sentence = OF_THE_CASE[key]
    assert measured(registry, name, {}, "Original", flat_tumour)
    with pytest.raises(RdfcError, match=sentence):
        measured(registry, name, {key: value}, "Original", flat_tumour)


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("key", OF_THE_GRID)
def test_a_setting_of_the_grid_is_handed_to_the_cases(
    registry: Registry, key: str, name: str
) -> None:
    """What becomes of the cases then: tests/data/test_mask_grid.py."""
    assert extractor(registry, name, {"setting": {}}).mask_grid is None
    stated = extractor(registry, name, {"setting": {key: OF_THE_GRID[key]}}).mask_grid
    assert (stated.correct, stated.tolerance) == (
        (True, None) if key == "correctMask" else (False, 0.5)
    )


@pytest.mark.parametrize("name", EXTRACTORS)
@pytest.mark.parametrize("key", OF_LBP_3D)
def test_the_filter_of_a_setting_is_refused(registry: Registry, key: str, name: str) -> None:
    with pytest.raises(RdfcError, match="LBP3D"):
        extractor(registry, name, {"imageType": {"LBP3D": {key: 2}}})


NEEDING = {
    key: others
    for key, (_, others, image_type) in CHANGES.items()
    if image_type != "Original" or set(others) - {"binCount", "sigma"}
} | {key: {} for key in OF_LBP_3D}


@pytest.mark.parametrize("key", sorted(set(NEEDING) - {"preCrop", "force2Ddimension"}))
def test_a_setting_without_what_it_changes_is_told_of(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    value = CHANGES[key][0] if key in CHANGES else 3
    with caplog.at_level(logging.WARNING, logger="rdfc"):
        parse_parameters({"setting": {key: value}}, f"the file of {key}")
    (record,) = caplog.records
    assert record.getMessage().startswith(f"In the file of {key}: setting.{key} has no effect")


def test_a_complete_dump_is_read_again_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    dump = parse_parameters({"setting": {"binWidth": 10}}, "this").dump()
    assert parse_parameters(dump, "that").dump() == dump
    assert not caplog.records


@pytest.mark.parametrize("name", bundled_sets())
def test_the_bundled_sets_are_read_in_silence(name: str, caplog: pytest.LogCaptureFixture) -> None:
    load_parameters(name)
    assert not caplog.records
