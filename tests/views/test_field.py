"""A field of fixed size in mm about the tumour."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from pydantic import ValidationError

from rdfc_core.case import Tumour
from rdfc_core.errors import DataError
from rdfc_core.views.crop import picture
from rdfc_core.views.field import field_about
from rdfc_core.views.options import ImageViewConfig
from rdfc_core.views.preparers import PicturePreparer
from rdfc_core.volume import Volume


def by_simpleitk(image, middle_mm, spacing_mm, size, wanted_mm):
    """The same field by another library, of an image that needs no smoothing."""
    volume = sitk.GetImageFromArray(image.astype(np.float32))
    volume.SetSpacing([float(mm) for mm in spacing_mm[::-1]])
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in size[::-1]])
    resampler.SetOutputSpacing([float(mm) for mm in wanted_mm[::-1]])
    first = [m - (n - 1) / 2 * w for m, n, w in zip(middle_mm, size, wanted_mm, strict=True)]
    resampler.SetOutputOrigin([float(mm) for mm in first[::-1]])
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.UseNearestNeighborExtrapolatorOn()
    return sitk.GetArrayFromImage(resampler.Execute(volume))


@pytest.mark.parametrize(
    ("size", "wanted"), [((9, 12, 15), (1.0, 0.7, 0.9)), ((10, 8, 8), (2.0, 0.35, 0.5))]
)
def test_it_is_what_simpleitk_interpolates(size, wanted):
    image, spacing = np.random.default_rng(0).normal(100, 20, (12, 20, 22)), (2.0, 0.7, 0.9)
    mask = np.zeros(image.shape, bool)
    mask[4:9, 5:14, 10:13] = True
    middle = [place * mm for place, mm in zip((6, 9, 11), spacing, strict=True)]
    found = field_about(image, mask, spacing, size, wanted)
    expected = by_simpleitk(image, middle, spacing, size, wanted)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_beyond_the_image_a_mask_is_empty_and_an_image_goes_on():
    mask = np.ones((4, 4), bool)
    inside = field_about(mask, mask, (1, 1), (8, 8), (1, 1), beyond=False)
    assert inside.sum() == 16
    image = field_about(np.full((4, 4), 7), mask, (1, 1), (8, 8), (1, 1))
    assert (image == 7).all()


def test_fine_stripes_are_grey_at_a_coarse_spacing_and_no_pattern():
    stripes = np.tile([0.0, 100.0], (60, 30))
    seen = field_about(stripes, np.ones(stripes.shape, bool), (1, 1), (10, 10), (5.3, 5.3))
    assert seen.std() < 3
    assert seen.mean() == pytest.approx(50, abs=2)


def tumour(spacing):
    array = np.zeros((10, 30, 30), np.float32)
    mask = np.zeros(array.shape, bool)
    mask[3:7, 10:16, 12:20] = True
    array[mask] = 100
    return Tumour(Volume(array, np.array(spacing), np.zeros(3), np.eye(3)), mask)


def test_the_size_of_a_tumour_stays_its_size_in_mm():
    config = ImageViewConfig(
        size=(8, 16, 16), spacing_mm=(2, 1, 1), window=(0, 100), mask_channel=True
    )
    seen = picture(tumour((2.0, 0.5, 0.5)), config, 3, None)
    assert seen.shape == (2, 8, 16, 16)
    # 4 planes of 2 mm, and 3 x 4 mm in plane.
    assert seen[1].astype(float).sum() == pytest.approx(4 * 3 * 4, rel=0.02)


def test_only_axes_that_the_encoder_sees_have_a_spacing():
    config = ImageViewConfig(size=(16, 16), spacing_mm=(1, 1))
    with pytest.raises(DataError, match="whose slices the encoder sees as channels"):
        picture(tumour((2.0, 0.5, 0.5)), config, 2, None)


def test_what_is_kept_of_boxes_is_found_as_before_and_fields_are_kept_apart():
    plain = PicturePreparer(ImageViewConfig(size=(8, 16, 16)), 3).recipe()
    assert not {"spacing_mm", "size"} & set(plain)
    one, other = (
        PicturePreparer(ImageViewConfig(size=size, spacing_mm=(2, 1, 1)), 3).recipe()
        for size in ((8, 16, 16), (8, 16, 24))
    )
    assert plain != one != other


@pytest.mark.parametrize(
    ("options", "say"),
    [
        ({"size": "average"}, "needs a size of as many numbers, not average"),
        ({"size": (16, 16)}, "needs a size of as many numbers"),
        ({"size": (4096, 4096, 64)}, "has more than"),
    ],
)
def test_what_does_not_go_with_a_field_is_refused(options, say):
    with pytest.raises(ValidationError, match=say):
        ImageViewConfig(spacing_mm=(2, 1, 1), **options)
