"""The values are PyRadiomics' own, under names that are known before anything is measured."""

import json
import logging
import pickle
import random
from dataclasses import replace
from importlib.resources import as_file, files

import numpy as np
import pytest
import yaml

from rdfc_core.case import Tumour
from rdfc_core.radiomics import vocabulary
from rdfc_core.radiomics.parameters import bundled_sets, load_parameters
from rdfc_core.testing import check_feature_extractor, check_plugin

radiomics = pytest.importorskip("radiomics", reason="PyRadiomics has no build for this Python")
import SimpleITK as sitk  # noqa: E402, N813

from rdfc_features_pyradiomics import extractor as module  # noqa: E402

PICTURE, VOLUME = (40, 49), (9, 24, 27)
ANISOTROPIC_MM = (2.0, 0.9, 0.7)
SETS = [("ultrasound", PICTURE, (0.5, 0.6)), ("ct", VOLUME, ANISOTROPIC_MM)]
SETS += [("ct-3d", VOLUME, ANISOTROPIC_MM)]


def bundled_file(name):
    return yaml.safe_load(
        files("rdfc_core.radiomics.parameter_sets").joinpath(f"{name}.yaml").read_text()
    )


def random_file(seed):
    """A parameter file of any image types, classes and settings that PyRadiomics takes."""
    chance = random.Random(seed)
    own = {
        "LoG": {"sigma": chance.sample([0.5, 1, 2.0, 3], 2)},
        "Wavelet": {"level": chance.randint(1, 2), "wavelet": chance.choice(["haar", "coif1"])},
        "Square": {"binWidth": chance.choice([5, 12.5])},
    }
    usable = [name for name in vocabulary.IMAGE_TYPES if name != "LBP3D"]
    classes = [name for name in vocabulary.FEATURES if name != "shape2D"]
    return {
        "imageType": {name: own.get(name, {}) for name in chance.sample(usable, 3)},
        "featureClass": {
            "firstorder": chance.choice([None, [], ["StandardDeviation", "Mean"]]),
            **{
                name: chance.choice([[], chance.sample(vocabulary.FEATURES[name], 3)])
                for name in chance.sample(classes, 2)
            },
        },
        "setting": {
            "binWidth": chance.choice([10, 25.0]),
            "distances": chance.choice([[1], [1, 2]]),
            "normalize": chance.choice([True, False]),
            "normalizeScale": 100,
            "weightingNorm": chance.choice([None, "euclidean", "manhattan"]),
            "force2D": chance.choice([True, False]),
        },
    }


@pytest.mark.parametrize(("name", "shape", "spacing_mm"), SETS)
def test_a_bundled_set_gives_exactly_what_pyradiomics_gives(
    name, shape, spacing_mm, make_tumour, make_extractor, call_pyradiomics
):
    tumour = make_tumour(shape, spacing_mm)
    extractor = make_extractor(name)
    oracle = call_pyradiomics(tumour, bundled_file(name))
    features = extractor.extract(tumour)
    assert extractor.names(tumour.ndim) == tuple(oracle)
    np.testing.assert_array_equal(features.values, list(oracle.values()))
    assert features.missing == {}


@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`")  # the oracle's
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("shape", [(17, 20), (9, 11, 12)])
def test_any_parameter_file_gives_the_promised_names_and_pyradiomics_values(
    seed, shape, make_tumour, make_extractor, call_pyradiomics
):
    tumour = make_tumour(shape)
    content = random_file(seed)
    extractor = make_extractor(content)
    features = extractor.extract(tumour)
    if len(shape) == 2:
        content["setting"]["force2D"] = False  # a picture is its own slice
    oracle = call_pyradiomics(tumour, content)
    assert extractor.names(tumour.ndim) == tuple(oracle)
    np.testing.assert_array_equal(features.values, list(oracle.values()))


@pytest.mark.parametrize(("name", "ndims"), [("auto", (2, 3)), ("ultrasound", (2,)), ("ct", (3,))])
def test_the_extractor_keeps_the_promises_of_its_kind(name, ndims, make_extractor):
    check_feature_extractor(make_extractor(name), ndims)


def test_the_plugin_keeps_the_promises_of_plugins():
    check_plugin("rdfc-features-pyradiomics")


def test_the_vocabulary_is_pyradiomics_own():
    classes = {name: kind.getFeatureNames() for name, kind in radiomics.getFeatureClasses().items()}
    assert tuple(classes) == tuple(vocabulary.FEATURES)
    for name, found in classes.items():
        usual = tuple(feature for feature, deprecated in found.items() if not deprecated)
        others = {feature for feature, deprecated in found.items() if deprecated}
        assert vocabulary.FEATURES[name] == usual
        computed = set(vocabulary.ON_REQUEST.get(name, ()))
        assert computed | set(vocabulary.RETIRED.get(name, {})) == others
    assert set(vocabulary.IMAGE_TYPES) == set(radiomics.getImageTypes())
    pywt = pytest.importorskip("pywt")
    assert set(vocabulary.WAVELETS) == set(pywt.wavelist(kind="discrete"))


@pytest.mark.parametrize("name", bundled_sets())
def test_pyradiomics_reads_the_bundled_files(name):
    with as_file(files("rdfc_core.radiomics.parameter_sets") / f"{name}.yaml") as path:
        theirs = radiomics.featureextractor.RadiomicsFeatureExtractor(str(path))
    ours = load_parameters(name).dump()
    assert theirs.enabledImagetypes == ours["imageType"]
    assert set(theirs.enabledFeatures) == set(ours["featureClass"])
    shared = set(theirs.settings) & set(ours["setting"]) - {"force2Ddimension", "additionalInfo"}
    assert {key: theirs.settings[key] for key in shared} == {
        key: ours["setting"][key] for key in shared
    }


@pytest.mark.parametrize("name", ["ct", "ct-3d"])
def test_features_do_not_depend_on_which_axis_a_file_stores_the_slices_along(
    name, make_tumour, make_extractor
):
    first = make_tumour(VOLUME, ANISOTROPIC_MM)
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


def test_a_stated_force2ddimension_counts_the_axes_as_stored(
    make_tumour, make_extractor, call_pyradiomics
):
    tumour = make_tumour((16, 18, 7))
    content = {
        "imageType": {"Original": {}, "Wavelet": {}},
        "featureClass": {"glcm": [], "glrlm": []},
        "setting": {"force2D": True, "force2Ddimension": 2},
    }
    # Axial slices lie along the first axis here; the file asks for the third.
    measured = make_extractor(content).extract(tumour).values
    np.testing.assert_array_equal(measured, list(call_pyradiomics(tumour, content).values()))
    content["setting"].pop("force2Ddimension")
    assert not np.array_equal(make_extractor(content).extract(tumour).values, measured)


def test_a_pickled_extractor_measures_the_same(make_tumour, make_extractor):
    extractor = make_extractor({"featureClass": {"firstorder": [], "shape2D": []}})
    copy = pickle.loads(pickle.dumps(extractor))
    tumour = make_tumour((12, 14))
    assert copy.names(2) == extractor.names(2)
    assert copy.recipe() == extractor.recipe()
    np.testing.assert_array_equal(copy.extract(tumour).values, extractor.extract(tumour).values)


def test_the_recipe_holds_version_handling_and_the_content_of_a_file(tmp_path, make_extractor):
    file = tmp_path / "own.yaml"
    file.write_text("featureClass: {ngtdm: [Busyness]}\nsetting: {binWidth: 7}\n")
    recipe = make_extractor(str(file)).recipe()
    assert json.loads(json.dumps(recipe)) == recipe
    assert (recipe["extractor"], recipe["pyradiomics"]) == ("pyradiomics", "3.0.1")
    assert recipe["handling"] == module.HANDLING
    assert recipe["parameters"]["setting"]["binWidth"] == 7
    assert recipe["parameters"]["featureClass"] == {"ngtdm": ["Busyness"]}
    assert str(tmp_path) not in json.dumps(recipe)


def test_the_recipe_changes_with_parameters_and_handling(make_extractor, monkeypatch):
    recipes = [make_extractor(name).recipe() for name in ("auto", "ultrasound", "ct", "ct-3d")]
    recipes.append(make_extractor({"setting": {"binWidth": 24}}).recipe())
    recipes.append(make_extractor({"setting": {"binWidth": 25}}).recipe())
    monkeypatch.setattr(module, "HANDLING", module.HANDLING + 1)
    recipes.append(make_extractor("ct").recipe())
    assert len({json.dumps(recipe) for recipe in recipes}) == len(recipes)


def test_extraction_is_quiet_and_leaves_threads_and_logging_as_they_were(
    make_tumour, make_extractor, capfd, caplog, recwarn
):
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    logger = logging.getLogger("radiomics")
    level = logger.level
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(3)
    caplog.set_level(logging.DEBUG)
    try:
        content = {"imageType": {"LoG": {"sigma": [9]}, "LBP2D": {}, "Original": {}}}
        features = make_extractor(content).extract(make_tumour((3, 12, 14)))
        assert features.missing  # PyRadiomics warns of the LoG that it leaves out
        assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 3
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert logger.level == level
    assert [record for record in caplog.records if record.name.startswith("radiomics")] == []
    assert capfd.readouterr() == ("", "")
    assert list(recwarn) == []


def test_a_missing_shape_class_is_warned_of_where_such_a_tumour_is_measured(
    make_extractor, make_tumour, caplog
):
    module.warn_of_absent_shape.cache_clear()
    extractor = make_extractor({"featureClass": {"shape": [], "firstorder": []}})
    extractor.extract(make_tumour((6, 12, 14)))
    extractor.names(2)  # as `predict` asks of volumes whether pictures would do, too
    assert caplog.records == []
    for _ in range(2):
        extractor.extract(make_tumour((12, 14)))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("rdfc", "WARNING")
    assert "List shape2D in featureClass" in record.getMessage()
