"""What cannot be measured, or is not supported, is said by name; what is missing has its reason."""

from dataclasses import replace

import numpy as np
import pytest

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError, StudyError
from rdfc_core.radiomics.checks import warn_of_absent_shape

ENTROPY = {"featureClass": {"firstorder": ["Entropy"], "glcm": ["Contrast"]}}
MEAN = {"featureClass": {"firstorder": ["Mean"]}}


def test_a_filter_that_the_engine_does_not_have_is_refused_by_name(make_extractor):
    with pytest.raises(StudyError, match=r"imageType\.LBP3D.*Remove LBP3D.*pyradiomics"):
        make_extractor({**MEAN, "imageType": {"LBP3D": {}}})


@pytest.mark.parametrize("setting", [{"label": 255}, {"label_channel": 1}])
def test_the_mask_value_belongs_to_the_data_set(setting, make_extractor):
    with pytest.raises(StudyError, match=rf"setting\.{next(iter(setting))} .*Set mask_value"):
        make_extractor({"setting": setting})


def test_a_spacing_for_volumes_does_not_fit_pictures(make_extractor):
    extractor = make_extractor({**MEAN, "setting": {"resampledPixelSpacing": [1, 1, 1]}})
    assert len(extractor.names(3)) == 1
    with pytest.raises(StudyError, match="has 3 values and pictures have 2"):
        extractor.names(2)


def test_integer_images_are_binned_without_overflow(measure, call_pyradiomics):
    grey = np.random.default_rng(0).integers(0, 256, (64, 64))
    mask = np.zeros((64, 64), bool)
    mask[8:56, 8:56] = True
    expected = call_pyradiomics(Tumour(Volume.of(grey.astype(np.float64)), mask), ENTROPY)
    for kind in (np.uint8, np.int16, np.uint16, np.float32, np.float64):
        found = measure(ENTROPY, Tumour(Volume.of(grey.astype(kind)), mask))
        assert found == pytest.approx(expected, rel=1e-12)
    assert found["original_firstorder_Entropy"] == pytest.approx(3.40, abs=0.02)


@pytest.mark.parametrize("scale", ["0 to 1", "-1 to 1", "normalised"])
def test_an_image_on_another_scale_than_the_bins_is_refused(scale, make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    unit = tumour.image.array / 255
    settings = {"binWidth": 25, "normalize": scale == "normalised"}
    array = unit * 2 - 1 if scale == "-1 to 1" else unit
    on_scale = Tumour(replace(tumour.image, array=array), tumour.mask)
    with pytest.raises(DataError, match=r"binWidth 25 makes [12] bins? .*Set binWidth to about 0"):
        make_extractor({**ENTROPY, "setting": settings}).extract(on_scale)


def test_a_homogeneous_tumour_in_a_normal_image_is_measured(make_tumour, measure):
    tumour = make_tumour((20, 24))
    dark = np.where(tumour.mask, 2 + tumour.image.array / 100, tumour.image.array)
    found = measure(ENTROPY, Tumour(Volume.of(dark), tumour.mask))
    assert found["original_firstorder_Entropy"] == pytest.approx(0, abs=1e-12)


def test_a_constant_tumour_is_refused_as_damaged(make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    blank = np.where(tumour.mask, 0, tumour.image.array)
    with pytest.raises(DataError, match=rf"all {tumour.mask.sum()} voxels .* value 0"):
        make_extractor(MEAN).extract(Tumour(Volume.of(blank), tumour.mask))


def test_a_bin_width_that_would_need_gigabytes_is_refused(make_tumour, make_extractor):
    with pytest.raises(DataError, match=r"binWidth 1e-07 makes .* bins .* gigabytes"):
        make_extractor({"setting": {"binWidth": 1e-7}}).extract(make_tumour((20, 24)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinite_voxels_are_refused_anywhere_in_the_image(
    bad, make_tumour, make_extractor
):
    tumour = make_tumour((20, 24))
    tumour.image.array[0, 0] = bad
    with pytest.raises(DataError, match="1 NaN or infinite voxels"):
        make_extractor(MEAN).extract(tumour)


def test_a_constant_image_cannot_be_normalised(make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    flat = Tumour(Volume.of(np.full((20, 24), 3.0)), tumour.mask)
    with pytest.raises(DataError, match=r"all .* voxels of the tumour have the value 3"):
        make_extractor({**MEAN, "setting": {"normalize": True}}).extract(flat)


def test_a_mask_of_another_grid_is_refused(make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    with pytest.raises(DataError, match=r"mask has shape \(20, 23\) and the image \(20, 24\)"):
        make_extractor(MEAN).extract(Tumour(tumour.image, tumour.mask[:, :-1]))


@pytest.mark.parametrize(
    ("shape", "inside", "words"),
    [
        ((9, 9), np.s_[0:0], "mask is empty"),
        ((9, 9), np.s_[4, 4], "one voxel"),
        ((9, 9), np.s_[4, 2:7], "too flat.*1 × 5 voxels"),
        ((5, 9, 9), np.s_[1:4, 4, 4], "too flat.*3 × 1 × 1 voxels"),
    ],
)
def test_a_mask_of_one_voxel_or_one_line_is_refused(
    shape, inside, words, make_tumour, make_extractor
):
    mask = np.zeros(shape, bool)
    mask[inside] = True
    with pytest.raises(DataError, match=words):
        make_extractor(MEAN).extract(make_tumour(shape, mask=mask))


def test_a_mask_that_resampling_flattens_is_refused(make_tumour, make_extractor):
    mask = np.zeros((12, 12), bool)
    mask[6, 5:8] = mask[5, 6] = True
    coarse = {**MEAN, "setting": {"resampledPixelSpacing": [4, 4]}}
    with pytest.raises(DataError, match=r"after resampling.*finer resampledPixelSpacing"):
        make_extractor(coarse).extract(make_tumour((12, 12), mask=mask))


def test_a_mask_that_resegmenting_empties_is_refused(make_tumour, make_extractor):
    content = {**MEAN, "setting": {"resegmentRange": [1000, 2000]}}
    with pytest.raises(DataError, match=r"resegmentRange leaves 0 of .*1000, 2000.*Widen"):
        make_extractor(content).extract(make_tumour((12, 12)))


def test_a_mask_smaller_than_asked_for_is_refused(make_tumour, make_extractor):
    tumour = make_tumour((12, 12))
    voxels = int(tumour.mask.sum())
    content = {**MEAN, "setting": {"minimumROISize": voxels}}
    with pytest.raises(DataError, match=rf"{voxels} voxels.*minimumROISize.*more than {voxels}"):
        make_extractor(content).extract(tumour)
    content["setting"]["minimumROISize"] = voxels - 1
    assert not make_extractor(content).extract(tumour).missing


def test_a_mask_of_fewer_dimensions_than_asked_for_is_refused(make_tumour, make_extractor):
    tumour = make_tumour((1, 12, 12), mask=make_tumour((12, 12)).mask[None])
    content = {**MEAN, "setting": {"minimumROIDimensions": 3}}
    with pytest.raises(DataError, match="along 3 axes"):
        make_extractor(content).extract(tumour)


def test_a_volume_of_two_slices_is_not_resampled_with_a_spline(make_tumour, make_extractor):
    mask = np.repeat(make_tumour((20, 20)).mask[None], 2, axis=0)
    tumour = make_tumour((2, 20, 20), (2.5, 0.7, 0.7), mask=mask)
    setting = {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkBSpline"}
    with pytest.raises(DataError, match=r"20 × 20 × 2 voxels .* interpolator to sitkLinear"):
        make_extractor({**MEAN, "setting": setting}).extract(tumour)
    setting["interpolator"] = "sitkLinear"
    assert not make_extractor({**MEAN, "setting": setting}).extract(tumour).missing


def test_a_volume_of_three_slices_misses_its_log_features_with_the_reason(
    make_tumour, make_extractor
):
    content = {**MEAN, "imageType": {"Original": {}, "LoG": {"sigma": [1, 1.0]}}}
    extractor = make_extractor(content)
    features = extractor.extract(make_tumour((3, 20, 20)))
    np.testing.assert_array_equal(np.isnan(features.values), [False, True, True])
    assert set(features.missing) == set(extractor.names(3)[1:])
    assert (
        "at least 4 × 4 × 4 voxels, and this one has 20 × 20 × 3"
        in features.missing["log-sigma-1-mm-3D_firstorder_Mean"]
    )


def test_a_sigma_wider_than_the_image_is_missing_and_the_others_are_not(
    make_tumour, make_extractor
):
    content = {**MEAN, "imageType": {"LoG": {"sigma": [1, 6]}}}
    features = make_extractor(content).extract(make_tumour((6, 20, 20)))
    np.testing.assert_array_equal(np.isnan(features.values), [False, True])
    assert "sigma 6 mm needs an image of at least 7 × 7 × 7" in next(
        iter(features.missing.values())
    )


def test_features_of_a_mask_without_neighbours_are_missing_by_name(make_tumour, make_extractor):
    mask = np.zeros((9, 9), bool)
    mask[1, 1] = mask[4, 6] = mask[7, 2] = True
    features = make_extractor(ENTROPY).extract(make_tumour((9, 9), mask=mask))
    assert np.isfinite(features.values[0])
    assert list(features.missing) == ["original_glcm_Contrast"]
    assert "not defined" in features.missing["original_glcm_Contrast"]


def test_shape2d_of_a_volume_is_the_picture_s_for_one_slice_and_missing_for_more(
    make_tumour, make_extractor
):
    picture = make_tumour((20, 24), (0.5, 0.7))
    mask = np.zeros((5, 20, 24), bool)
    mask[2] = picture.mask
    image = make_tumour((5, 20, 24), (3, 0.5, 0.7)).image
    extractor = make_extractor({"featureClass": {"shape2D": []}, "setting": {"force2D": True}})
    single = extractor.extract(Tumour(image, mask.copy()))
    np.testing.assert_allclose(single.values, extractor.extract(picture).values)
    mask[3] = picture.mask
    double = extractor.extract(Tumour(image, mask))
    assert np.isnan(double.values).all()
    assert "this one spans 2" in double.missing["original_shape2D_Perimeter"]


def test_as_many_grey_levels_as_voxels_are_measured(make_tumour, measure):
    tumour = make_tumour((12, 14))
    content = {"featureClass": {"glcm": [], "glszm": []}, "setting": {"binWidth": 1e-3}}
    found = measure(content, tumour)
    voxels = tumour.mask.sum()
    assert found["original_glszm_ZonePercentage"] == 1
    assert found["original_glcm_Id"] == pytest.approx(0, abs=1e-3)
    # Every level once: each pair of neighbours is its own cell, counted both ways.
    assert 1 / found["original_glcm_JointEnergy"] > voxels


@pytest.mark.parametrize("name", ["ct", "ct-3d"])
def test_features_do_not_depend_on_which_axis_a_file_stores_the_slices_along(
    name, make_tumour, make_extractor
):
    first = make_tumour((9, 24, 27), (2.0, 0.9, 0.7))
    image = first.image
    last = Tumour(
        replace(
            image,
            array=np.moveaxis(image.array, 0, 2),
            spacing_mm=(*image.spacing_mm[1:], image.spacing_mm[0]),
            direction=image.direction[:, [1, 2, 0]],
        ),
        np.moveaxis(first.mask, 0, 2),
    )
    assert (first.image.slice_axis, last.image.slice_axis) == (0, 2)
    extractor = make_extractor(name)
    np.testing.assert_array_equal(extractor.extract(last).values, extractor.extract(first).values)


def test_a_spacing_of_metres_is_not_resampled_to_millimetres(make_tumour, make_extractor):
    extractor = make_extractor({**MEAN, "setting": {"resampledPixelSpacing": [1, 1, 1]}})
    tumour = make_tumour((12, 12, 12), spacing_mm=(1000.0, 1000.0, 1000.0))
    with pytest.raises(DataError, match=r"1000 × 1000 × 1000 mm would make .* voxels, more than"):
        extractor.extract(tumour)


def test_a_missing_shape_class_is_warned_of_where_such_a_tumour_is_measured(
    make_extractor, make_tumour, caplog
):
    warn_of_absent_shape.cache_clear()
    extractor = make_extractor({"featureClass": {"shape2D": [], "firstorder": []}})
    extractor.extract(make_tumour((12, 14)))
    extractor.names(3)  # as `predict` asks of pictures whether volumes would do, too
    assert caplog.records == []
    for _ in range(2):
        extractor.extract(make_tumour((6, 12, 14)))
    (record,) = caplog.records
    assert "List shape in featureClass" in record.getMessage()
