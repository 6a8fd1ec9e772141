"""Each way in which PyRadiomics goes wrong in silence ends in a number that is right, a named
missing feature, or one sentence."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from rdfc_core.case import Tumour, Volume
from rdfc_core.errors import DataError, PluginError, StudyError

pytest.importorskip("radiomics", reason="PyRadiomics has no build for this Python")

ENTROPY = {"featureClass": {"firstorder": ["Entropy"], "glcm": ["Contrast"]}}
MEAN = {"featureClass": {"firstorder": ["Mean"]}}


def values_of(extractor, tumour):
    return dict(zip(extractor.names(tumour.ndim), extractor.extract(tumour).values, strict=True))


def test_integer_images_are_binned_without_overflow(make_extractor, call_pyradiomics):
    grey = np.random.default_rng(0).integers(0, 256, (64, 64))
    mask = np.zeros((64, 64), bool)
    mask[8:56, 8:56] = True
    extractor = make_extractor(ENTROPY)
    # By hand: bins of 25 from 0; entropy in bits; about log2(255 / 25) for a uniform image.
    share = np.bincount(grey[mask] // 25) / mask.sum()
    for kind in (np.uint8, np.int16, np.uint16, np.float32):
        found = values_of(extractor, Tumour(Volume.of(grey.astype(kind)), mask))
        assert found["original_firstorder_Entropy"] == pytest.approx(-(share @ np.log2(share)))
        assert found["original_firstorder_Entropy"] == pytest.approx(3.40, abs=0.02)
        assert found["original_glcm_Contrast"] == pytest.approx(17.5, abs=0.3)
    with np.errstate(over="ignore"):
        naive = call_pyradiomics(Tumour(Volume.of(grey.astype(np.uint8)), mask), ENTROPY)
    assert naive["original_firstorder_Entropy"] < 0.5  # the trap itself


@pytest.mark.parametrize("scale", ["0 to 1", "-1 to 1", "normalised"])
def test_an_image_on_another_scale_than_the_bins_is_refused(scale, make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    unit = tumour.image.array / 255
    settings = {"binWidth": 25, "normalize": scale == "normalised"}
    array = unit * 2 - 1 if scale == "-1 to 1" else unit
    on_scale = Tumour(replace(tumour.image, array=array), tumour.mask)
    with pytest.raises(DataError, match=r"binWidth 25 makes [12] bins? .*Set binWidth to about 0"):
        make_extractor({**ENTROPY, "setting": settings}).extract(on_scale)


def test_the_suggested_bin_width_and_a_bin_count_both_do(make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    unit = Tumour(replace(tumour.image, array=tumour.image.array / 255), tumour.mask)
    for setting in ({"binWidth": 0.03}, {"binCount": 32}):
        found = values_of(make_extractor({**ENTROPY, "setting": setting}), unit)
        assert 3 < found["original_firstorder_Entropy"] <= 5


def test_a_homogeneous_tumour_in_a_normal_image_is_measured(make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    dark = np.where(tumour.mask, 2 + tumour.image.array / 100, tumour.image.array)
    found = values_of(make_extractor(ENTROPY), Tumour(Volume.of(dark), tumour.mask))
    assert found["original_firstorder_Entropy"] == pytest.approx(0, abs=1e-12)


def test_a_constant_tumour_is_refused_as_damaged(make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    blank = np.where(tumour.mask, 0, tumour.image.array)
    with pytest.raises(DataError, match=rf"all {tumour.mask.sum()} voxels .* value 0"):
        make_extractor(MEAN).extract(Tumour(Volume.of(blank), tumour.mask))


def test_a_bin_width_that_would_need_gigabytes_is_refused(make_tumour, make_extractor):
    with pytest.raises(DataError, match=r"binWidth 0\.001 makes .* bins .* gigabytes"):
        make_extractor({"setting": {"binWidth": 0.001}}).extract(make_tumour((20, 24)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinite_voxels_are_refused_anywhere_in_the_image(
    bad, make_tumour, make_extractor
):
    tumour = make_tumour((20, 24))
    tumour.image.array[0, 0] = bad
    with pytest.raises(DataError, match="1 NaN or infinite voxels"):
        make_extractor(MEAN).extract(tumour)


@pytest.mark.parametrize("setting", [{}, {"resampledPixelSpacing": [0.5, 0.5]}])
def test_a_mask_of_another_grid_is_refused_with_resampling_too(
    setting, make_tumour, make_extractor
):
    tumour = make_tumour((20, 24))
    with pytest.raises(DataError, match=r"mask has shape \(20, 23\) and the image \(20, 24\)"):
        make_extractor({**MEAN, "setting": setting}).extract(
            Tumour(tumour.image, tumour.mask[:, :-1])
        )


@pytest.mark.parametrize("setting", [{"label": 255}, {"label_channel": 1}])
def test_the_mask_value_belongs_to_the_data_set(setting, make_extractor):
    with pytest.raises(StudyError, match=rf"setting\.{next(iter(setting))} .*Set mask_value"):
        make_extractor({"setting": setting})


@pytest.mark.parametrize(
    ("shape", "inside", "words"),
    [
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
        make_extractor(MEAN).extract(Tumour(make_tumour(shape).image, mask))


def test_a_mask_that_resampling_flattens_is_refused(make_tumour, make_extractor):
    mask = np.zeros((12, 12), bool)
    mask[6, 5:8] = mask[5, 6] = True
    coarse = {**MEAN, "setting": {"resampledPixelSpacing": [4, 4]}}
    with pytest.raises(DataError, match=r"after resampling.*finer resampledPixelSpacing"):
        make_extractor(coarse).extract(Tumour(make_tumour((12, 12)).image, mask))


def test_a_volume_of_three_slices_misses_its_log_features_with_the_reason(
    make_tumour, make_extractor
):
    tumour = make_tumour((3, 20, 20))
    content = {**MEAN, "imageType": {"Original": {}, "LoG": {"sigma": [1, 1.0]}}}
    extractor = make_extractor(content)
    features = extractor.extract(tumour)
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
    features = make_extractor(content).extract(make_tumour((6, 20, 20), (1.5, 1, 1)))
    np.testing.assert_array_equal(np.isnan(features.values), [False, False])
    features = make_extractor(content).extract(make_tumour((6, 20, 20), (1, 1, 1)))
    np.testing.assert_array_equal(np.isnan(features.values), [False, True])
    assert "sigma 6 mm needs an image of at least 7 × 7 × 7" in next(
        iter(features.missing.values())
    )


def test_a_volume_of_one_slice_keeps_all_but_its_log_features(make_tumour, make_extractor):
    tumour = make_tumour((1, 24, 26))
    mask = make_tumour((24, 26)).mask[None]
    extractor = make_extractor("ct")
    features = extractor.extract(Tumour(tumour.image, mask))
    logs = {name for name in extractor.names(3) if name.startswith("log-")}
    assert set(features.missing) == logs
    assert len(logs) == 5 * 91


def test_force2d_does_not_flatten_a_picture(make_tumour, make_extractor):
    tumour = make_tumour((20, 24))
    content = {
        "imageType": {"Original": {}, "Wavelet": {"force2D": True}},
        "featureClass": {"glcm": [], "shape2D": []},
    }
    flat = {**content, "setting": {"force2D": True}}
    plain = {**content, "imageType": {"Original": {}, "Wavelet": {}}}
    assert values_of(make_extractor(flat), tumour) == values_of(make_extractor(plain), tumour)
    assert len(make_extractor(flat).names(2)) == 9 + 5 * 24


def test_shape2d_of_a_volume_is_the_picture_s_for_one_slice_and_missing_for_more(
    make_tumour, make_extractor
):
    picture = make_tumour((20, 24), (0.5, 0.7))
    mask = np.zeros((5, 20, 24), bool)
    mask[2] = picture.mask
    image = make_tumour((5, 20, 24), (3, 0.5, 0.7)).image
    extractor = make_extractor({"featureClass": {"shape2D": []}, "setting": {"force2D": True}})
    single = extractor.extract(Tumour(image, mask))
    np.testing.assert_allclose(single.values, extractor.extract(picture).values)
    mask[3] = picture.mask
    double = extractor.extract(Tumour(image, mask))
    assert np.isnan(double.values).all()
    assert set(double.missing) == set(extractor.names(3))
    assert "this one spans 2" in double.missing["original_shape2D_Perimeter"]


def test_shape2d_across_the_middle_axis_is_missing_because_pyradiomics_confuses_axes(
    make_tumour, make_extractor
):
    mask = np.zeros((9, 5, 9), bool)
    mask[2:7, 2, 3:8] = True
    content = {
        "featureClass": {"shape2D": ["Perimeter"]},
        "setting": {"force2D": True, "force2Ddimension": 1},
    }
    features = make_extractor(content).extract(Tumour(make_tumour((9, 5, 9)).image, mask))
    assert "mistakes its axes" in features.missing["original_shape2D_Perimeter"]


def test_features_of_a_mask_without_neighbours_are_missing_by_name(make_tumour, make_extractor):
    mask = np.zeros((9, 9), bool)
    mask[1, 1] = mask[4, 6] = mask[7, 2] = True
    features = make_extractor(ENTROPY).extract(Tumour(make_tumour((9, 9)).image, mask))
    assert np.isfinite(features.values[0])
    assert list(features.missing) == ["original_glcm_Contrast"]
    assert "not defined" in features.missing["original_glcm_Contrast"]


def test_lbp2d_without_scikit_image_is_refused_when_chosen(make_extractor, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(PluginError, match=r"skimage.*for LBP2D"):
        make_extractor({**MEAN, "imageType": {"LBP2D": {}}})


def test_a_filter_that_vanishes_during_extraction_is_an_error_that_names_it(
    make_tumour, make_extractor, monkeypatch
):
    extractor = make_extractor({**MEAN, "imageType": {"Original": {}, "LBP2D": {}}})
    assert len(values_of(extractor, make_tumour((12, 12)))) == 2
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(DataError, match="left out without a reason: lbp-2D_firstorder_Mean"):
        extractor.extract(make_tumour((12, 12)))


def test_lbp3d_without_its_libraries_is_refused_when_chosen(make_extractor, monkeypatch):
    monkeypatch.setitem(sys.modules, "trimesh.creation", None)
    with pytest.raises(PluginError, match="for LBP3D"):
        make_extractor({**MEAN, "imageType": {"LBP3D": {}}})


def test_a_volume_of_two_slices_is_not_resampled_with_a_spline(make_tumour, make_extractor):
    tumour = make_tumour((2, 20, 20), (2.5, 0.7, 0.7))
    tumour = Tumour(tumour.image, np.repeat(make_tumour((20, 20)).mask[None], 2, axis=0))
    setting = {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkBSpline"}
    with pytest.raises(DataError, match=r"20 × 20 × 2 voxels .* interpolator to sitkLinear"):
        make_extractor({**MEAN, "setting": setting}).extract(tumour)
    setting["interpolator"] = "sitkLinear"
    assert not make_extractor({**MEAN, "setting": setting}).extract(tumour).missing
    setting |= {"interpolator": "sitkBSpline", "resampledPixelSpacing": [0.7, 0, 2.5]}
    assert not make_extractor({**MEAN, "setting": setting}).extract(tumour).missing


def test_what_pyradiomics_raises_becomes_a_sentence_about_the_case(make_tumour, make_extractor):
    content = {**MEAN, "setting": {"minimumROISize": 10_000}}
    with pytest.raises(DataError, match=r"could not measure .*too small.*drop the case"):
        make_extractor(content).extract(make_tumour((12, 12)))


def test_a_spacing_of_metres_is_not_resampled_to_millimetres(make_tumour, make_extractor):
    settings = {"resampledPixelSpacing": [1, 1, 1]}
    extractor = make_extractor({"featureClass": {"firstorder": ["Mean"]}, "setting": settings})
    tumour = make_tumour((12, 12, 12), spacing_mm=(1000.0, 1000.0, 1000.0))
    with pytest.raises(DataError, match=r"1000 × 1000 × 1000 mm would make .* voxels, more than"):
        extractor.extract(tumour)


@pytest.mark.parametrize("shape", [(20, 24), (8, 12, 14)])
@pytest.mark.parametrize(
    "setting", [{}, {"preCrop": True}, {"resampledPixelSpacing": 1.5, "interpolator": "sitkLinear"}]
)
def test_a_mask_that_covers_the_picture_is_measured_as_the_picture(
    make_tumour, make_extractor, shape, setting
):
    """PyRadiomics 3.0.1 takes a mask without a 0 for an empty one."""
    if "resampledPixelSpacing" in setting:
        setting = {**setting, "resampledPixelSpacing": [1.5] * len(shape)}
    image = make_tumour(shape).image
    content = {**MEAN, "setting": setting}
    (mean,) = make_extractor(content).extract(Tumour(image, np.ones(shape, bool))).values
    tolerance = 1e-12 if not setting.get("interpolator") else 0.05
    assert mean == pytest.approx(image.array.mean(), rel=tolerance)
