import numpy as np
import pytest
from rdfc_core.case import Tumour, Volume
from rdfc_core.testing import check_view

from rdfc_thirdparty_example.config import RadialProfileConfig
from rdfc_thirdparty_example.view import RadialProfile


def test_the_view_keeps_its_promises_on_pictures_and_volumes():
    check_view(RadialProfile(RadialProfileConfig()), ndim=2)
    check_view(RadialProfile(RadialProfileConfig()), ndim=3)


def test_a_cone_of_grey_values_has_a_straight_profile():
    rows, columns = np.meshgrid(np.arange(81), np.arange(81), indexing="ij")
    radius = np.hypot(rows - 40, columns - 40)
    view = RadialProfile(RadialProfileConfig(rings=8, outside=0))
    profile = view.prepare(Tumour(Volume.of(radius), radius <= 32)).array
    # Ring r of 8 lies between radii 4r and 4r + 4; its mean radius weighs the outer half more.
    low, high = np.arange(8) * 4, np.arange(1, 9) * 4
    expected = 2 / 3 * (high**3 - low**3) / (high**2 - low**2)
    assert profile == pytest.approx(expected, abs=0.8)


def test_a_ring_outside_the_image_is_missing_with_a_reason():
    image = np.arange(36.0).reshape(6, 6)
    tumour = Tumour(Volume.of(image), np.ones((6, 6), np.bool_))
    prepared = RadialProfile(RadialProfileConfig(rings=2, outside=1)).prepare(tumour)
    assert np.isnan(prepared.array).tolist() == [False, False, True]
    assert list(prepared.missing) == ["ring_2"]
