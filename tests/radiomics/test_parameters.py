"""Parameter files: the bundled sets hold what was published, and nothing is dropped in silence."""

import json
import math
import subprocess
import sys

import pytest

from rdfc_core.errors import StudyError
from rdfc_core.radiomics.parameters import bundled_sets, load_parameters, parse_parameters

# PyRadiomics' documentation counts 18 first-order features, 24 GLCM (of which the paper takes 22),
# 16 GLRLM, 16 GLSZM, 5 NGTDM, 14 GLDM, 14 shape and 9 shape2D.
TEXTURE_AND_INTENSITY = 18 + 22 + 16 + 16 + 5 + 14


def parse(**blocks):
    return parse_parameters(blocks, "the test")


def refusal(**blocks):
    with pytest.raises(StudyError) as caught:
        parse(**blocks)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "bin_width", "shape", "force_2d", "spacing_mm", "shift"),
    [
        ("ultrasound", 16, {"shape2D"}, False, None, 0),
        ("ct", 20, set(), True, (0.8, 0.8, 0), 1000),
        ("ct-3d", 25, {"shape"}, False, (1, 1, 1), 1000),
    ],
)
def test_the_bundled_sets_hold_what_their_sources_state(
    name, bin_width, shape, force_2d, spacing_mm, shift
):
    parameters = load_parameters(name)
    settings = parameters.settings
    assert set(parameters.image_types) == {"Original", "LoG", "Wavelet", "Gradient"}
    assert parameters.settings_of("LoG").sigma_mm == (1, 2, 3, 4, 5)
    assert set(parameters.feature_classes) - shape == {
        *("firstorder", "glcm", "glrlm", "glszm", "ngtdm", "gldm")
    }
    assert len(parameters.feature_classes["glcm"]) == 22
    assert settings.bin_width == bin_width
    assert settings.pad_distance == 10
    assert settings.force_2d is force_2d
    assert settings.force_2d_dimension is None
    assert settings.resampled_spacing_mm == spacing_mm
    assert settings.voxel_array_shift == shift


def test_the_bundled_sets_are_these_three():
    assert bundled_sets() == ("ct", "ct-3d", "ultrasound")


@pytest.mark.parametrize(
    ("name", "ndim", "shape", "images"),
    [
        ("ultrasound", 2, 9, 1 + 5 + 4 + 1),  # a picture has 4 wavelet bands
        ("ct", 3, 0, 1 + 5 + 4 + 1),  # and so has a volume, slice by slice
        ("ct-3d", 3, 14, 1 + 5 + 8 + 1),
    ],
)
def test_a_bundled_set_gives_its_classes_on_every_image(name, ndim, shape, images):
    names = load_parameters(name).feature_names(ndim)
    assert len(names) == len(set(names)) == shape + images * TEXTURE_AND_INTENSITY


def test_features_are_named_as_pyradiomics_names_them():
    names = parse(
        imageType={"LoG": {"sigma": [2, 0.5]}, "Wavelet": {"level": 2}, "LBP2D": {}},
        featureClass={"shape": ["Sphericity"], "firstorder": ["Mean"]},
        setting={"force2D": True},
    ).feature_names(3)
    assert names == (
        "original_shape_Sphericity",
        "log-sigma-2-mm-3D_firstorder_Mean",
        "log-sigma-0-5-mm-3D_firstorder_Mean",
        "wavelet-LH_firstorder_Mean",
        "wavelet-HL_firstorder_Mean",
        "wavelet-HH_firstorder_Mean",
        "wavelet2-LH_firstorder_Mean",
        "wavelet2-HL_firstorder_Mean",
        "wavelet2-HH_firstorder_Mean",
        "wavelet2-LL_firstorder_Mean",
        "lbp-2D_firstorder_Mean",
    )


def test_pictures_have_shape2d_and_volumes_have_shape():
    parameters = parse(featureClass={"shape": [], "shape2D": []})
    assert {name.split("_")[1] for name in parameters.feature_names(2)} == {"shape2D"}
    assert {name.split("_")[1] for name in parameters.feature_names(3)} == {"shape"}


def test_shape2d_of_volumes_needs_force2d():
    parameters = parse(featureClass={"shape2D": []}, setting={"force2D": True})
    assert len(parameters.feature_names(3)) == 9


def test_an_empty_file_asks_for_the_unfiltered_image_and_every_class():
    parameters = parse(imageType={}, featureClass=None)
    assert list(parameters.image_types) == ["Original"]
    assert len(parameters.feature_names(3)) == TEXTURE_AND_INTENSITY + 2 + 14


def test_resampling_of_three_axes_does_not_fit_pictures():
    with pytest.raises(StudyError, match=r"resampledPixelSpacing has 3 values.*pictures have 2"):
        load_parameters("ct").feature_names(2)


def test_parameters_that_leave_nothing_to_measure_are_refused():
    with pytest.raises(StudyError, match="no feature that pictures have"):
        parse(featureClass={"shape": []}).feature_names(2)


@pytest.mark.parametrize(
    ("blocks", "key", "hint"),
    [
        ({"seting": {}}, "seting", "'setting'"),
        ({"setting": {"binWdith": 25}}, "setting.binWdith", "'binWidth'"),
        ({"setting": {"bin_width": 25}}, "setting.bin_width", "'binWidth'"),
        ({"imageType": {"LoG": {"sigmas": [1]}}}, "imageType.LoG.sigmas", "'sigma'"),
        ({"imageType": {"Log": {"sigma": [1]}}}, "imageType: Log", "'LoG'"),
        ({"featureClass": {"glmc": []}}, "featureClass: glmc", "'glcm'"),
        ({"featureClass": {"glcm": ["contrast"]}}, "featureClass: glcm", "'Contrast'"),
        ({"featureClass": {"glcm": [["Contrast"]]}}, "featureClass: glcm", "'Contrast'"),
        ({"setting": {"wavelet": "coiff1"}}, "setting.wavelet", "'coif1'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(blocks, key, hint):
    message = refusal(**blocks)
    assert key in message
    assert f"Did you mean {hint}?" in message


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"binWidth": "25"}, "valid number"),
        ({"binWidth": True}, "valid number"),
        ({"binWidth": 0}, "greater than 0"),
        ({"binWidth": float("nan")}, "finite"),
        ({"binCount": 3.5}, "valid integer"),
        ({"force2D": 1}, "valid boolean"),
        ({"force2Ddimension": 3}, "less than or equal to 2"),
        ({"sigma": 3}, "valid list"),
        ({"sigma": [1, True]}, "above 0"),
        ({"resampledPixelSpacing": [1, -1]}, "greater than or equal to 0"),
        ({"resampledPixelSpacing": ["1", 1]}, "valid number"),
        ({"resegmentRange": [1, 2, 3]}, "at most 2"),
        ({"interpolator": "bspline"}, "sitkLinear"),
        ({"interpolator": 11}, "sitkLinear"),
        ({"weightingNorm": "manhatten"}, "manhattan"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(setting, complaint):
    message = refusal(setting=setting)
    assert f"setting.{next(iter(setting))}" in message
    assert complaint in message


def test_settings_of_maps_are_read_and_decide_no_feature():
    parameters = parse(voxelSetting={"kernelRadius": 2, "initValue": ".nan", "voxelBatch": 10})
    assert parameters.voxel_settings.kernel_radius == 2
    assert math.isnan(parameters.voxel_settings.init_value)
    assert parameters.dump() == parse().dump()
    again = parse(**parameters.dump_all()).voxel_settings
    assert (again.kernel_radius, again.masked_kernel, again.voxel_batch) == (2, True, 10)
    assert math.isnan(again.init_value)
    assert "kernelRadius" in refusal(voxelSetting={"kernelRadios": 1})
    assert "voxelSetting.kernelRadius" in refusal(voxelSetting={"kernelRadius": 0})


def test_log_without_sigma_is_refused_because_it_would_vanish():
    assert "without sigma" in refusal(imageType={"LoG": {}})
    both = parse(imageType={"LoG": {}}, setting={"sigma": [3]}, featureClass={"ngtdm": []})
    assert len(both.feature_names(3)) == 5


def test_a_retired_feature_is_refused_with_its_equal():
    assert "it equals Id" in refusal(featureClass={"glcm": ["Homogeneity1"]})


def test_resampling_for_one_filter_alone_is_refused_because_it_has_no_effect():
    message = refusal(imageType={"Wavelet": {"resampledPixelSpacing": [1, 1, 1]}})
    assert "imageType.Wavelet.resampledPixelSpacing" in message
    assert "setting" in message


def test_a_filter_overrides_the_common_settings_for_itself():
    parameters = parse(
        imageType={"Original": {}, "LoG": {"sigma": [1], "binWidth": 5}},
        setting={"binWidth": 20, "gldm_a": 2},
    )
    assert parameters.settings_of("LoG").bin_width == 5
    assert parameters.settings_of("LoG").gldm_a == 2
    assert parameters.settings_of("Original").bin_width == 20


def test_interpolators_may_be_given_by_their_old_numbers():
    assert parse(setting={"interpolator": 3}).settings.interpolator == "sitkBSpline"
    assert parse(setting={"interpolator": None}).settings.interpolator is None


@pytest.mark.parametrize("name", bundled_sets())
def test_a_dump_is_a_parameter_file_of_the_same_content(name, tmp_path):
    parameters = load_parameters(name)
    file = tmp_path / "dump.json"
    file.write_text(json.dumps(parameters.dump()))
    assert load_parameters(file) == parameters
    assert load_parameters(str(file)).dump() == parameters.dump()


def test_a_written_out_default_does_not_change_the_dump():
    short = parse(featureClass={"ngtdm": None})
    long = parse(
        imageType={"Original": {}},
        featureClass={"ngtdm": ["Busyness", "Coarseness", "Complexity", "Contrast", "Strength"]},
        setting={"binWidth": 25.0, "padDistance": 5, "normalize": False},
    )
    assert short.dump() == long.dump()


def test_any_other_value_changes_the_dump():
    usual = parse(setting={"sigma": [1]}).dump()
    for setting in ({"sigma": [1.0]}, {"sigma": [1], "binWidth": 24}, {"sigma": [1], "gldm_a": 1}):
        assert json.dumps(parse(setting=setting).dump()) != json.dumps(usual)


def test_yaml_and_json_say_the_same(tmp_path):
    yaml_file, json_file = tmp_path / "a.yaml", tmp_path / "a.json"
    yaml_file.write_text(
        "imageType:\n  Original:\n  LoG: {sigma: [1, 2.0]}\n"
        "featureClass:\n  glcm: [Contrast]\n  shape:\n"
        "setting:\n  binWidth: 2.5e1\n  normalize: true\n"
    )
    json_file.write_text(
        '{"imageType": {"Original": {}, "LoG": {"sigma": [1, 2.0]}},'
        ' "featureClass": {"glcm": ["Contrast"], "shape": []},'
        '\t"setting": {"binWidth": 25, "normalize": true}}'
    )
    assert load_parameters(yaml_file).dump() == load_parameters(json_file).dump()


def test_numbers_are_read_by_yaml_1_2_as_pyradiomics_reads_them(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text("setting:\n  binWidth: 1e-2\n")  # a word in YAML 1.1
    assert load_parameters(file).settings.bin_width == 0.01
    file.write_text("setting:\n  normalize: yes\n")  # true in YAML 1.1, a word here
    with pytest.raises(StudyError, match=r"setting.normalize.*boolean.*'yes'"):
        load_parameters(file)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("twice.yaml", "setting:\n  binWidth: 5\n  binWidth: 25\n", "'binWidth' stands twice"),
        ("list.yaml", "- Original\n", "no mapping"),
        ("empty.yaml", "", "no mapping"),
        ("broken.yaml", "setting: {binWidth: 5\n", "not valid YAML"),
        ("broken.json", "{setting: 1}", "not valid JSON"),
        ("latin.yaml", b"# \xe9\nsetting: {}\n", "not valid YAML"),
        ("parameters.txt", "setting: {}\n", "must end in"),
    ],
)
def test_an_unreadable_file_is_refused_by_its_name(name, content, complaint, tmp_path):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StudyError) as caught:
        load_parameters(file)
    assert name in str(caught.value)
    assert complaint in str(caught.value)


def test_an_unknown_set_is_refused_with_the_nearest_one():
    with pytest.raises(StudyError, match=r"'utrasound'.*Did you mean 'ultrasound'"):
        load_parameters("utrasound")


def test_reading_parameters_does_not_need_pyradiomics():
    code = (
        "import sys; sys.modules['radiomics'] = None; sys.modules['pywt'] = None\n"
        "from rdfc_core.radiomics.parameters import load_parameters\n"
        "print(len(load_parameters('ct').feature_names(3)), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1001", "False"]


@pytest.mark.parametrize("name", ["nowhere.yaml", "x" * 300, "a\0b"])
def test_a_name_of_no_file_is_refused(name):
    with pytest.raises(StudyError, match="There is no parameter set or file"):
        load_parameters(name)
