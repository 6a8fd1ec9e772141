"""The component: found, light, configured as its neighbour is, quick to start."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

import rdfc_features_native
from rdfc_core.config.resolve import resolve_part
from rdfc_core.errors import StudyError
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.radiomics.parameters import load_parameters
from rdfc_core.testing import check_feature_extractor, check_plugin
from rdfc_features_native import extractor as module
from rdfc_features_native.config import NativeConfig

OWN = "featureClass: {firstorder: [Mean]}\nsetting: {binWidth: 7}\n"


def output_of(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_plugin_is_found_by_its_entry_point():
    found = installed().found[("feature_extractor", "native")]
    assert [str(source).split()[0] for _, source in found] == ["rdfc-features-native"]


def test_the_plugin_keeps_the_promises_of_plugins():
    check_plugin("rdfc-features-native")


@pytest.mark.parametrize(("name", "ndims"), [("auto", (2, 3)), ("ultrasound", (2,)), ("ct", (3,))])
def test_the_extractor_keeps_the_promises_of_its_kind(name, ndims, make_extractor):
    check_feature_extractor(make_extractor(name), ndims)


def test_naming_the_component_and_its_options_loads_nothing_heavy():
    heavy = {"numba", "llvmlite", "SimpleITK", "torch", "numpy", "pywt", "skimage", "scipy"}
    code = (
        "import sys, rdfc_features_native as plugin\n"
        "plugin.rdfc_components()[0].load_config()\n"
        f"print({heavy} & set(sys.modules))"
    )
    assert output_of(code) == "set()"


def test_the_extractor_loads_only_what_it_needs():
    code = (
        "import sys, rdfc_features_native.extractor\n"
        "print({'torch', 'skimage', 'radiomics', 'pandas', 'sklearn'} & set(sys.modules))"
    )
    assert output_of(code) == "set()"


def test_auto_is_the_ultrasound_set_for_pictures_and_ct_3d_for_volumes():
    by_ndim = NativeConfig().by_ndim()
    assert by_ndim == {2: load_parameters("ultrasound"), 3: load_parameters("ct-3d")}


def test_a_file_is_replaced_by_its_content_so_that_the_study_needs_no_file(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    config = NativeConfig(parameters=str(file))
    kept = yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json")))
    file.unlink()
    again = NativeConfig(**kept)
    assert again == config
    assert again.by_ndim()[3].settings.bin_width == 7
    assert str(tmp_path) not in str(kept)


def test_a_study_is_told_where_its_parameters_do_not_fit():
    part = Part(name="native", options={"parameters": {"setting": {"binWdith": 3}}})
    with pytest.raises(StudyError, match=r"^features\.parameters.*Did you mean 'binWidth'"):
        resolve_part("feature_extractor", part, installed(), "features")


def test_an_unknown_option_is_refused():
    with pytest.raises(ValidationError):
        NativeConfig(parametres="ct")


def test_a_pickled_extractor_measures_the_same(make_tumour, make_extractor):
    extractor = make_extractor({"featureClass": {"firstorder": [], "shape2D": []}})
    tumour = make_tumour((12, 14))
    values = extractor.extract(tumour).values
    copy = pickle.loads(pickle.dumps(extractor))
    assert copy.names(2) == extractor.names(2)
    assert copy.recipe() == extractor.recipe()
    np.testing.assert_array_equal(copy.extract(tumour).values, values)


def test_the_recipe_holds_the_engine_and_the_parameters(make_extractor, monkeypatch):
    recipes = [make_extractor(name).recipe() for name in ("auto", "ultrasound", "ct", "ct-3d")]
    recipes += [make_extractor({"setting": {"binWidth": width}}).recipe() for width in (24, 25)]
    monkeypatch.setattr(module, "ENGINE", module.ENGINE + 1)
    recipes.append(make_extractor("ct").recipe())
    assert len({json.dumps(recipe) for recipe in recipes}) == len(recipes)
    assert all(recipe["extractor"] == "native" for recipe in recipes)


@pytest.fixture
def sealed_copy(tmp_path):
    """The package in a folder of its own, beside which no compiled code can be kept."""
    package = Path(rdfc_features_native.__file__).parent
    copy = tmp_path / "site" / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "__pycache__").touch()  # a file where the folder would be: holds for root too
    return copy.parent


DISCRETISE = (
    "import numpy as np, rdfc_features_native\n"
    "from rdfc_features_native.discretise import discretise\n"
    "print(*discretise(np.arange(9.0), 0.0, 8.0, 2.5, None).codes)"
)
"""Runs one compiled function."""


def test_compiled_code_is_kept_where_numba_is_told_to(tmp_path):
    output_of(DISCRETISE, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert list((tmp_path / "cache").rglob("*.nbi"))


def test_a_package_that_cannot_be_written_to_is_compiled_into_the_users_cache(
    sealed_copy, tmp_path
):
    environment = {
        "PYTHONPATH": str(sealed_copy),
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path / "user"),
        "NUMBA_CACHE_DIR": "",
    }
    code = DISCRETISE + f"\nassert rdfc_features_native.__file__.startswith({str(tmp_path)!r})"
    assert output_of(code, **environment) == "1 1 1 2 2 3 3 3 4"
    assert list((tmp_path / "user").rglob("*.nbi"))


def test_where_nothing_can_be_kept_functions_are_compiled_each_time(monkeypatch):
    numba = pytest.importorskip("numba")
    from rdfc_features_native.compiling import compiled

    original = numba.njit

    def nowhere(*function, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return original(*function, **options)

    monkeypatch.setattr(numba, "njit", nowhere)

    def halve(value):
        return value / 2

    assert compiled(halve)(3) == 1.5


def test_the_readme_shows_every_bundled_set():
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    for name in ("ultrasound", "ct", "ct-3d", "auto"):
        assert f"`{name}`" in readme
