import numpy as np
import pytest
from rdfc_core.case import Tumour, Volume
from rdfc_core.testing import check_feature_extractor

from rdfc_thirdparty_example.config import MomentsConfig
from rdfc_thirdparty_example.features import Moments


def measure(image: np.ndarray, mask: np.ndarray, spacing_mm: tuple[float, ...]) -> dict[str, float]:
    extractor = Moments(MomentsConfig(depth_mm=1.0))
    found = extractor.extract(Tumour(Volume.of(image, spacing_mm), mask))
    return dict(zip(extractor.names(mask.ndim), found.values.tolist(), strict=True))


def test_the_extractor_keeps_its_promises():
    check_feature_extractor(Moments(MomentsConfig()), ndims=(2, 3))


def test_a_ball_has_the_volume_of_a_ball_and_no_elongation():
    z, y, x = np.meshgrid(*(np.arange(n) - n // 2 for n in (21, 41, 41)), indexing="ij")
    mask = (2 * z) ** 2 + y**2 + x**2 <= 15**2  # planes are 2 mm apart
    values = measure(np.zeros(mask.shape), mask, (2.0, 1.0, 1.0))
    assert values["original_shape_VoxelVolume"] == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.02)
    assert values["original_shape_Elongation"] == pytest.approx(1, abs=0.01)


def test_a_slope_has_its_own_gradient_and_a_bright_side():
    image = 3.0 * np.arange(20)[None].repeat(20, axis=0)
    mask = np.zeros((20, 20), np.bool_)
    mask[5:15, 5:15] = True
    values = measure(image, mask, (1.0, 0.5))
    # A Sobel filter sums eight differences: 8 · 3 a sample, 0.5 mm apart.
    assert values["gradient_firstorder_Mean"] == pytest.approx(8 * 3 / 0.5)
    assert values["gradient_firstorder_StandardDeviation"] == pytest.approx(0)
    assert values["original_firstorder_Skewness"] == pytest.approx(0)
    assert values["original_moments_Asymmetry"] > 0.3
