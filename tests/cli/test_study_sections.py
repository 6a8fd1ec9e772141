"""What `rdfc plugins show` says of a study's sections is what a study does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from rdfc_core.cli import study_sections
from rdfc_core.config.load import load_study
from rdfc_core.config.study import Study
from rdfc_core.plugin.component import Part

PLACES = [section.path for section in study_sections.SECTIONS]


@pytest.mark.parametrize("name", study_sections.NAMES)
def test_a_section_shows_each_of_its_options_with_a_meaning(rdfc_here, name):
    shown = rdfc_here("plugins", "show", name)
    assert shown.code == 0, shown.err
    found = study_sections.section(name)
    assert found is not None
    for option, field in found.model.model_fields.items():
        if field.exclude or option == "task":
            continue
        assert f"\n  {option}: " in shown.out
        about = json.loads(rdfc_here("plugins", "show", name, "--json").out)
        assert about["properties"][option]["description"], option


def test_every_model_below_a_study_is_a_section():
    """So that no option of a study is without a place where it is shown."""
    assert {section.model for section in study_sections.SECTIONS if section.path != "split"} == set(
        _settings_below(Study)
    )


def _settings_below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not Part:
                yield from _settings_below(inner)


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_presets_are_shown_as_a_study_gets_them(preset):
    study: Any = load_study({"preset": preset, "dataset": "any"}).model_dump(mode="json")
    for section in study_sections.SECTIONS:
        values = study
        for key in section.path.split(".") if section.path else ():
            values = values[key]
        given = study_sections.presets_of_section(section).get(preset, {})
        for key, value in given.items():
            assert values[key] == value
    image = study_sections.presets_of_component("view", "image")[preset]
    assert image.items() <= study["views"]["image"].items()
    assert "size" in image
    infonce = study_sections.presets_of_component("objective", "infonce")[preset]
    assert infonce == {k: v for k, v in study["pretext"]["objective"].items() if k != "name"}


def test_the_default_presets_numbers_are_shown(rdfc_here):
    shown = rdfc_here("plugins", "show", "pretrain.patience").out
    assert "(default: null; preset default: 4)" in shown
    assert shown.count("\n  ") == 2  # the option and its meaning; no other option
    assert "preset default: 0.1" in rdfc_here("plugins", "show", "image").out
    assert "Its options: rdfc plugins show evaluate.supervised." in (
        rdfc_here("plugins", "show", "evaluate").out
    )


def test_an_option_as_shown_can_be_set(rdfc_here, study_file, tmp_path):
    """The dotted name that is shown is the one that --set takes."""
    assert rdfc_here("plugins", "show", "evaluate.supervised.head_scale").code == 0
    study = yaml.safe_load(study_file.read_text(encoding="utf-8"))
    loaded = load_study(study, ["evaluate.supervised.head_scale=2.5"])
    assert loaded.evaluate.supervised.head_scale == 2.5


def test_an_unknown_name_is_answered_with_components_and_sections(rdfc_here):
    for name in ("splitt", "pretrain.stepps", "views.image"):
        told = rdfc_here("plugins", "show", name).refused(repr(name), "Sections of a study: study")
        assert "infonce" in told
