"""Scripts of PyRadiomics with one import changed: its documented calls, and its results."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from rdfc_features_native import RadiomicsFeatureExtractor

needs_pyradiomics = pytest.mark.skipif(
    importlib.util.find_spec("radiomics") is None, reason="PyRadiomics is not installed"
)
PARAMETERS = """
setting: {binWidth: 20, label: 2, interpolator: sitkBSpline, resampledPixelSpacing: [1, 1, 1]}
imageType: {Original: {}, LoG: {sigma: [2.0]}, Wavelet: {}}
featureClass:
  shape:
  firstorder: [Mean, Entropy]
  glcm:
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    """A volume turned in space, and a label map with two balls."""
    folder = tmp_path_factory.mktemp("scan")
    rng = np.random.default_rng(0)
    grid = np.indices((14, 30, 28)).reshape(3, -1).T * (2.5, 1, 1)
    mask = np.zeros((14, 30, 28), np.uint8)
    for value, centre, radius in ((1, (10, 8, 8), 5), (2, (20, 18, 16), 8)):
        near = ((grid - centre) ** 2).sum(axis=1) <= radius**2
        mask[near.reshape(mask.shape)] = value
    image = rng.normal(100, 25, mask.shape).cumsum(axis=2) / 5 + 40 * (mask == 2)
    for name, array in (("image", image), ("mask", mask)):
        volume = sitk.GetImageFromArray(array)
        volume.SetSpacing((1.0, 1.0, 2.5))
        volume.SetOrigin((5.0, -3.0, 2.0))
        volume.SetDirection((0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
        sitk.WriteImage(volume, str(folder / f"{name}.nrrd"))
    return folder / "image.nrrd", folder / "mask.nrrd"


def both(files, *arguments, label=None, change=lambda extractor: None, **settings):
    """The result of either class after the same calls."""
    from radiomics.featureextractor import RadiomicsFeatureExtractor as Original

    results = []
    for extractor_class in (Original, RadiomicsFeatureExtractor):
        extractor = extractor_class(*arguments, **settings)
        change(extractor)
        results.append(extractor.execute(*map(str, files), label=label))
    return results


def require_alike(theirs, ours):
    features = [name for name in theirs if not name.startswith("diagnostics")]
    assert features == [name for name in ours if not name.startswith("diagnostics")]
    for name in features:
        assert isinstance(ours[name], float), name
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6, atol=1e-8, err_msg=name)


@needs_pyradiomics
def test_defaults_give_the_same_features_in_the_same_order(files):
    theirs, ours = both(files)
    require_alike(theirs, ours)
    assert len(ours) > 107


@needs_pyradiomics
@pytest.mark.parametrize("kind", ["file", "mapping", "json"])
def test_parameters_from_a_file_a_mapping_and_json(files, kind, tmp_path):
    import yaml

    (tmp_path / "p.yaml").write_text(PARAMETERS)
    mapping = yaml.safe_load(PARAMETERS)
    if kind == "json":
        theirs, ours = both(files, change=lambda e: e.loadJSONParams(json.dumps(mapping)))
    else:
        theirs, ours = both(files, str(tmp_path / "p.yaml") if kind == "file" else mapping)
    require_alike(theirs, ours)


@needs_pyradiomics
def test_calls_of_the_documentation(files):
    def change(extractor):
        extractor.disableAllImageTypes()
        extractor.enableImageTypeByName("Original")
        extractor.enableImageTypeByName("LoG", customArgs={"sigma": [3.0]})
        extractor.enableImageTypeByName("Square")
        extractor.enableImageTypeByName("Square", enabled=False)
        extractor.disableAllFeatures()
        extractor.enableFeatureClassByName("glszm")
        extractor.enableFeaturesByName(firstorder=["Mean", "Skewness"], shape=[])
        extractor.settings["binWidth"] = 15

    require_alike(*both(files, change=change, label=2, binWidth=30))


@needs_pyradiomics
def test_what_is_told_of_image_and_mask_is_theirs(files):
    theirs, ours = both(files, label=2)
    shared = [n for n in theirs if n.startswith("diagnostics") and "-original_" in n]
    assert len(shared) == 15
    for name in shared:
        if isinstance(theirs[name], str):
            assert ours[name] == theirs[name], name
        else:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, err_msg=name)


@needs_pyradiomics
def test_images_in_memory_and_pictures(files):
    image, mask = (sitk.ReadImage(str(path)) for path in files)
    picture, outline = image[:, :, 8], mask[:, :, 8]
    from radiomics.featureextractor import RadiomicsFeatureExtractor as Original

    results = []
    for extractor_class in (Original, RadiomicsFeatureExtractor):
        extractor = extractor_class(additionalInfo=False)
        extractor.enableFeatureClassByName("shape", enabled=False)
        extractor.enableFeatureClassByName("shape2D")
        results.append(extractor.execute(picture, outline, label=2))
    require_alike(*results)
    assert not any(name.startswith("diagnostics") for name in results[1])


@needs_pyradiomics
def test_pictures_are_measured_as_without_force2d(files):
    """With it PyRadiomics gives runs and zones the same numbers; so reported as its issue 710."""
    from radiomics.featureextractor import RadiomicsFeatureExtractor as Original

    picture, outline = (sitk.ReadImage(str(path))[:, :, 8] for path in files)
    content = {"featureClass": {"glrlm": [], "glszm": []}}
    told = {}
    for name, extractor_class in (("theirs", Original), ("ours", RadiomicsFeatureExtractor)):
        for force in (True, False):
            parameters = {**content, "setting": {"force2D": force, "additionalInfo": False}}
            told[name, force] = extractor_class(parameters).execute(picture, outline, label=2)
    require_alike(told["theirs", False], told["ours", False])
    require_alike(told["theirs", False], told["ours", True])
    runs, zones = "original_glrlm_RunPercentage", "original_glszm_ZonePercentage"
    assert told["theirs", True][runs] == told["theirs", True][zones]  # the reason for the test
    assert told["ours", True][runs] != told["ours", True][zones]


def test_the_present_settings_decide_each_time(files):
    extractor = RadiomicsFeatureExtractor(binWidth=25, additionalInfo=False)
    extractor.disableAllFeatures()
    extractor.enableFeaturesByName(firstorder=["Entropy"])
    name = "original_firstorder_Entropy"
    wide = extractor.execute(*files)[name]
    extractor.settings["binWidth"] = 1
    assert extractor.execute(*files)[name] > wide
    assert extractor.execute(*files, label=2)[name] != extractor.execute(*files)[name]


def test_what_cannot_be_measured_is_a_value_error(files, tmp_path):
    extractor = RadiomicsFeatureExtractor()
    with pytest.raises(ValueError, match="No voxel of the mask has the label 7"):
        extractor.execute(*files, label=7)
    with pytest.raises(ValueError, match="cannot be read"):
        extractor.execute(tmp_path / "none.nrrd", files[1])
    with pytest.raises(ValueError, match="binWith"):
        RadiomicsFeatureExtractor(binWith=3)
    with pytest.raises(ValueError, match="no image type 'Wavelets'"):
        extractor.enableImageTypeByName("Wavelets")
    with pytest.raises(ValueError, match="no feature class 'glmc'"):
        extractor.enableFeatureClassByName("glmc")
    shifted = sitk.ReadImage(str(files[1]))
    shifted.SetOrigin((50.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="origin"):
        extractor.execute(sitk.ReadImage(str(files[0])), shifted)


def test_naming_the_distribution_loads_nothing_heavy():
    import subprocess
    import sys

    code = "import sys, rdfc_features_native; print('SimpleITK' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
