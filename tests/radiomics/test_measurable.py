"""What both engines refuse, told in one place."""

from __future__ import annotations

import numpy as np
import pytest

from rdfc_core.errors import DataError
from rdfc_core.radiomics.measurable import check_extent, check_grey_levels, check_still_finite
from rdfc_core.radiomics.settings import RadiomicsSettings


def widths(width: float) -> list[tuple[str, RadiomicsSettings]]:
    return [("Original", RadiomicsSettings.model_validate({"binWidth": width}))]


def test_a_homogeneous_tumour_in_an_image_of_the_right_scale_is_measured():
    check_grey_levels(np.array([40.0, 41.0]), lambda: 200.0, widths(25), most_bins=100)


def test_an_image_of_another_scale_is_refused_with_a_bin_width_that_would_do():
    with pytest.raises(
        DataError, match=r"from 0 to 0\.8 .*image.s over 1.* 1 bin of them: it would lose"
    ):
        check_grey_levels(np.array([0.0, 0.8]), lambda: 1.0, widths(25), most_bins=100)


def test_too_many_bins_are_refused():
    with pytest.raises(DataError, match=r"makes 201 bins of them: it would need gigabytes"):
        check_grey_levels(np.array([0.0, 2000.0]), lambda: 2000.0, widths(10), most_bins=200)


def test_the_image_s_range_is_asked_only_where_the_tumour_s_is_narrow():
    check_grey_levels(np.array([0.0, 100.0]), lambda: pytest.fail("asked"), widths(25), 100)


@pytest.mark.parametrize(
    ("extents", "when", "message"),
    [
        ((1, 1, 1), "", r"the mask is one voxel: its box is 1 × 1 × 1 voxels, .*Correct the mask"),
        ((1, 1, 4), "after resampling", r"voxels after resampling, .*Choose a finer resampled"),
        ((0, 0, 0), "after resegmenting", r"no voxel is left .*Widen resegmentRange, correct"),
    ],
)
def test_a_mask_without_a_texture_is_refused(extents, when, message):
    with pytest.raises(DataError, match=message):
        check_extent(extents, 2, when)


def test_spoilt_images_are_refused():
    check_still_finite(np.zeros(3))
    with pytest.raises(DataError, match="NaN or infinite"):
        check_still_finite(np.array([0.0, np.nan]))
