"""What holds without PyRadiomics too: the component, its availability and its options."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

import rdfc_features_pyradiomics
from rdfc_core.config.resolve import resolve_part
from rdfc_core.errors import PluginError, StudyError
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import installed
from rdfc_core.radiomics.parameters import load_parameters
from rdfc_features_pyradiomics.config import PyRadiomicsConfig

OWN = "featureClass: {firstorder: [Mean]}\nsetting: {binWidth: 7}\n"


def component():
    (found,) = rdfc_features_pyradiomics.rdfc_components()
    return found


def test_the_plugin_is_found_by_its_entry_point():
    found = installed().found[("feature_extractor", "pyradiomics")]
    assert [str(source).split()[0] for _, source in found] == ["rdfc-features-pyradiomics"]


def test_the_component_is_available_where_pyradiomics_is_installed():
    assert (component().unavailable is None) == (importlib.util.find_spec("radiomics") is not None)


def test_without_pyradiomics_the_component_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics", None)
    assert "Use Python 3.11" in component().unavailable
    with pytest.raises(PluginError, match=r"'pyradiomics' is not available.*3\.0\.1.*3\.12"):
        component().load()


def test_naming_the_component_and_its_options_loads_nothing_heavy():
    code = (
        "import sys, rdfc_features_pyradiomics as plugin\n"
        "plugin.rdfc_components()[0].load_config()\n"
        "print({'radiomics', 'SimpleITK', 'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_auto_is_the_ultrasound_set_for_pictures_and_ct_3d_for_volumes():
    by_ndim = PyRadiomicsConfig().by_ndim()
    assert by_ndim == {2: load_parameters("ultrasound"), 3: load_parameters("ct-3d")}


def test_a_file_is_replaced_by_its_content_so_that_the_study_needs_no_file(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    config = PyRadiomicsConfig(parameters=str(file))
    kept = yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json")))
    file.unlink()
    again = PyRadiomicsConfig(**kept)
    assert again == config
    assert again.by_ndim()[3].settings.bin_width == 7
    assert str(tmp_path) not in str(kept)


def test_a_relative_path_means_the_working_directory_of_the_first_run(tmp_path, monkeypatch):
    (tmp_path / "own.yaml").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    config = PyRadiomicsConfig(parameters="own.yaml")
    monkeypatch.chdir(os.sep)
    assert config.by_ndim()[2].settings.bin_width == 7


def test_the_content_of_a_file_may_stand_in_the_study():
    config = PyRadiomicsConfig(parameters=yaml.safe_load(OWN))
    assert config.by_ndim()[2].feature_names(2) == ("original_firstorder_Mean",)


@pytest.mark.skipif(importlib.util.find_spec("radiomics") is None, reason="needs PyRadiomics")
@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ("ultrasond", "Did you mean 'ultrasound'"),
        ({"setting": {"binWdith": 3}}, "Did you mean 'binWidth'"),
    ],
)
def test_a_study_is_told_where_its_parameters_do_not_fit(parameters, complaint):
    part = Part(name="pyradiomics", options={"parameters": parameters})
    with pytest.raises(StudyError) as caught:
        resolve_part("feature_extractor", part, installed(), "features")
    assert str(caught.value).startswith("features.parameters")
    assert complaint in str(caught.value)


def test_an_unknown_option_is_refused():
    with pytest.raises(ValidationError):
        PyRadiomicsConfig(parametres="ct")


def test_the_readme_shows_every_bundled_set():
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    for name in ("ultrasound", "ct", "ct-3d", "auto"):
        assert f"`{name}`" in readme
