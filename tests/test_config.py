"""Studies: shorthand, presets, overrides, messages, and the resolved study that is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from rdfc_core import PluginError, StudyError
from rdfc_core.config import ResolvedStudy, load_study, resolve
from rdfc_core.interfaces.dataset import SplitSpec
from rdfc_core.plugins import Registry

BASE = {"dataset": "manifest:root=.", "features": "outline", "encoder": "small-cnn:width=4"}


def resolved(registry: Registry, *overrides: str, **study: Any) -> ResolvedStudy:
    return resolve(load_study({**BASE, **study}, overrides), registry)


def complaint(registry: Registry, *overrides: str, **study: Any) -> str:
    with pytest.raises(StudyError) as caught:
        resolved(registry, *overrides, **study)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_shorthand_and_canonical_form_are_the_same_study(registry):
    canonical = {
        "dataset": {"name": "manifest", "root": "."},
        "views": {
            "radiomics": {"name": "features", "extractor": {"name": "outline"}},
            "image": {"name": "image", "encoder": {"name": "small-cnn", "width": 4}},
        },
        "pretext": {"objective": {"name": "infonce", "temperature": 0.1}},
    }
    short = resolved(registry, objective="infonce:temperature=0.1")
    assert short.dump()["views"]["image"]["size"] == [64, 64]  # the preset's
    full = resolve(load_study(canonical), registry)
    assert short == full


def test_a_study_is_read_from_a_yaml_file(registry, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(BASE), encoding="utf-8")
    assert resolve(load_study(path), registry) == resolved(registry)


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("pretrain.epochs=7", ("pretrain", "epochs"), 7),
        ("encoder.width=5", ("views", "image", "encoder", "width"), 5),
        ("views.image.encoder.width=5", ("views", "image", "encoder", "width"), 5),
        ("encoder=small-cnn:width=6", ("views", "image", "encoder", "width"), 6),
        ("features.percentile=20", ("views", "radiomics", "extractor", "percentile"), 20.0),
        ("views.image.size=[32,48]", ("views", "image", "size"), [32, 48]),
        ("views.image.size=average", ("views", "image", "size"), "average"),
        ("objective.temperature=0.5", ("pretext", "objective", "temperature"), 0.5),
        ("memory.momentum=0.9", ("pretext", "memory", "momentum"), 0.9),
        ("pretext.width=32", ("pretext", "width"), 32),
        ("dataset.root=..", ("dataset", "root"), str(Path("..").resolve())),
        ("evaluate.classifiers=[knn]", ("evaluate", "classifiers"), ["knn"]),
        ("split.kind=folds", ("split", "kind"), "folds"),
        (" seed =3", ("seed",), 3),
    ],
)
def test_set_changes_one_option_of_a_study_in_shorthand_and_nothing_else(
    registry, override, path, value
):
    before, after = resolved(registry).dump(), resolved(registry, override).dump()
    found: Any = after
    for key in path:
        found = found[key]
    assert found == value
    place: Any = before
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert after == before


def test_set_works_on_a_canonical_study_in_the_same_way(registry):
    views = {"image": {"encoder": {"name": "small-cnn"}}, "radiomics": {"extractor": "outline"}}
    canonical = {"dataset": "manifest:root=.", "views": views}
    for override in ("encoder.width=5", "views.image.encoder.width=5"):
        study = resolve(load_study(canonical, [override]), registry)
        assert study.views["image"].dump()["encoder"] == {"name": "small-cnn", "width": 5}
    assert views["image"] == {"encoder": {"name": "small-cnn"}}  # the given study is left alone


def test_set_adds_a_view_of_another_kind(registry):
    study = resolved(registry, "views.greys=greys:bins=4")
    assert list(study.views) == ["radiomics", "image", "greys"]
    assert study.views["greys"].dump() == {"name": "greys", "bins": 4}


def test_a_preset_fills_in_what_a_study_does_not_say(registry):
    study = load_study({"dataset": "manifest:root=.", "preset": "paper"})
    assert study.pretrain.epochs == 700
    assert study.views["image"].options["encoder"] == {"name": "timm", "model": "resnet50"}
    assert load_study({"dataset": "manifest:root=."}).pretrain.epochs == 100
    shorter = load_study({"dataset": "manifest:root=.", "preset": "paper"}, ["pretrain.epochs=3"])
    assert shorter.pretrain.epochs == 3
    assert shorter.pretrain.learning_rate == study.pretrain.learning_rate


def test_options_of_a_preset_are_kept_for_the_same_component_and_dropped_for_another():
    same = load_study({"dataset": "manifest:root=.", "encoder": "timm:pretrained=true"})
    encoder = same.views["image"].options["encoder"]
    assert encoder == {"name": "timm", "model": "resnet18", "pretrained": True}
    other = load_study({"dataset": "manifest:root=.", "encoder": "small-cnn"})
    assert other.views["image"].options["encoder"] == {"name": "small-cnn"}
    assert other.views["image"].options["size"] == [64, 64]  # an option of the view itself


def test_views_that_a_study_does_not_list_are_not_added(registry):
    only = {"image": {"encoder": "small-cnn"}, "greys": "greys"}
    study = load_study({"dataset": "manifest:root=.", "views": only})
    assert list(study.views) == ["image", "greys"]


def test_one_option_of_a_view_set_on_the_command_line_leaves_the_other_views(registry):
    study = load_study({"dataset": "manifest:root=."}, ["views.image.size=[32,32]"])
    assert list(study.views) == ["radiomics", "image"]
    study = load_study({"dataset": "manifest:root=.", "encoder": "small-cnn"})
    assert list(study.views) == ["radiomics", "image"]


def test_a_view_is_recognised_by_the_part_it_names(registry):
    views = {"texture": {"extractor": "outline"}, "grey": {"encoder": "small-cnn", "size": [8, 8]}}
    study = resolve(load_study({"dataset": "manifest:root=.", "views": views}), registry)
    assert {name: view.name for name, view in study.views.items()} == {
        "texture": "features",
        "grey": "image",
    }


WRONG = {
    "unknown option of an encoder": (
        {"encoder": "small-cnn:widht=3"},
        "views.image.encoder.widht: there is no such option. Did you mean 'width'? "
        "Known here: width.",
    ),
    "unknown option of a view": (
        {"views": {"image": {"encoder": "small-cnn", "sise": 3}}, "encoder": None},
        "encoder: it stands for views.image.encoder, which is there, too. Drop one.",
    ),
    "unknown option of an objective": (
        {"pretext": {"objective": {"temprature": 1}}},
        "pretext.objective.temprature: there is no such option. Did you mean 'temperature'?",
    ),
    "value out of bounds": (
        {"objective": "infonce:temperature=0"},
        "pretext.objective.temperature: input should be greater than 0 (given: 0).",
    ),
    "shorthand without a value": (
        {"encoder": "small-cnn:width"},
        "views.image.encoder: 'width' in 'small-cnn:width' is not KEY=VALUE",
    ),
    "shorthand with an open bracket": (
        {"encoder": "small-cnn:width=[1"},
        "views.image.encoder: '[1' in 'small-cnn:width=[1' is not valid YAML",
    ),
    "a number for a component": ({"features": 3}, "views.radiomics.extractor: write NAME"),
    "no name": ({"dataset": {"root": "."}}, "dataset.name: this is needed and missing."),
    "empty name": ({"dataset": ""}, "dataset: string should have at least 1 character"),
    "a word for a size": (
        {"views": {"image": {"size": "large"}}},
        "views.image.size: input should be a valid tuple, or input should be 'average' "
        "(given: 'large').",
    ),
    "a size of one number": (
        {"views": {"image": {"size": [32]}}},
        "views.image: size is [height, width] or [planes, height, width], all at least 1.",
    ),
    "a number for the views": (
        {"views": 3},
        "features: it stands for views.radiomics.extractor, and views is 3, which holds no options",
    ),
    "a view with a dot": ({"views": {"a.b": "greys"}}, "views: call a view by letters, digits"),
    "a view called size": ({"views": {"size": "greys"}}, "views: 'size' is taken by rdfc"),
    "unknown setting": (
        {"pretrain": {"epoch": 3}},
        "pretrain.epoch: there is no such option. Did you mean 'epochs'?",
    ),
    "negative epochs": ({"pretrain": {"epochs": -1}}, "pretrain.epochs: input should be greater"),
    "unknown classifier": (
        {"evaluate": {"classifiers": ["logistic", "svm"]}},
        "evaluate.classifiers.1: input should be 'logistic', 'sgd' or 'knn' (given: 'svm').",
    ),
    "unknown split": ({"split": {"kind": "loo"}}, "split.kind: input should be 'holdout'"),
    "unknown split option": (
        {"split": {"fold": 3}},
        "split.fold: there is no such option. Did you mean 'folds'?",
    ),
    "unknown option of a reader": (
        {"readers": {"pictures": {"max_pixel": 9}}},
        "readers.pictures.max_pixel: there is no such option. Did you mean 'max_pixels'?",
    ),
    "unknown word": (
        {"encoders": "small-cnn"},
        "encoders: there is no such option. Did you mean 'encoder'?",
    ),
    "unknown preset": (
        {"preset": "papers"},
        "preset: there is no 'papers'. Use one of: default, paper.",
    ),
    "a rule about two options": (
        {"pretext": {"terms": [["image", "image"], ["image", "image"]]}},
        "pretext: the term ['image', 'image'] stands twice: name it once and give it a weight.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_named_by_its_path_in_one_sentence(registry, case):
    study, message = WRONG[case]
    assert complaint(registry, **study).startswith(message)


def test_a_misspelt_option_keeps_its_path_on_the_command_line(registry):
    message = complaint(registry, "views.image.encoder.widht=3")
    assert message.startswith("views.image.encoder.widht: there is no such option. Did you mean")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "--set seed: write KEY=VALUE, for example pretrain.epochs=10."),
        ("", "--set : write KEY=VALUE"),
        ("seed=[", "--set seed=[: while parsing a flow node"),
        ("=3", "--set =3: write KEY=VALUE"),
        ("seed.x=3", "--set seed.x=3: seed is 7, which holds no options."),
        ("pretrain.=3", "pretrain.: there is no such option."),
    ],
)
def test_a_malformed_override_is_quoted(registry, override, message):
    assert complaint(registry, override, seed=7).startswith(message)


def test_further_faults_are_counted(registry):
    message = complaint(registry, pretrain={"epochs": -1, "batch_size": 0, "momentum": 2})
    assert message.endswith("(2 more like this.)")


def test_an_unknown_component_lists_what_is_installed(registry):
    with pytest.raises(PluginError, match=r"no image encoder 'small-cmm'\. Did you mean 'small-c"):
        resolved(registry, encoder="small-cmm")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"dataset: [", "is not valid YAML"),
        (b"\xff\xfe\x00", "is not valid YAML"),
        (b"- dataset", "holds no mapping"),
        (b"", "holds no mapping"),
    ],
)
def test_a_file_that_is_no_study_is_named(tmp_path, content, message):
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_no_study(tmp_path):
    for path in (tmp_path / "nowhere.yaml", tmp_path):
        with pytest.raises(StudyError, match="cannot be read"):
            load_study(path)


@pytest.mark.parametrize("preset", ["default", "paper"])
def test_the_resolved_study_written_as_yaml_resolves_to_itself(registry, tmp_path, preset):
    study = resolve(
        load_study(
            {
                "dataset": "manifest:root=.",
                "preset": preset,
                "views": {
                    "image": {"encoder": "small-cnn", "size": [16, 24], "window": [0, 255]},
                    "radiomics": {"extractor": "outline:percentile=20", "clip": 5},
                    "greys": "greys",
                },
                "pretext": {"terms": [["radiomics", "image"], ["image", "image"]]},
                "split": {"kind": "folds", "folds": 3},
                "evaluate": {"classifiers": ["sgd"]},
            },
            ["seed=5"],
        ),
        registry,
    )
    path = tmp_path / "study.yaml"
    written = {**study.dump(), "versions": {"python": "3"}}
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    again = resolve(load_study(path), registry)
    assert again == study
    assert again.dump() == study.dump()


def test_relative_paths_are_resolved_where_the_study_is_read(registry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolved(registry).dump()["dataset"]["root"] == str(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    home = resolved(registry, dataset="manifest:root=~/data").dump()["dataset"]["root"]
    assert home == os.fspath(tmp_path / "data")


def test_a_study_overrides_any_part_of_the_data_sets_protocol(registry):
    study = resolved(registry, split={"folds": 3})
    spec = study.split_spec(SplitSpec(kind="folds", folds=5, pretext="unlabelled"))
    assert spec == SplitSpec(kind="folds", folds=3, pretext="unlabelled")


def test_parts_are_built_with_the_parts_they_name(registry):
    study = resolved(registry, "encoder.width=6")
    view = study.views["image"].build(registry)
    assert view.encoder.config.width == 6
    kinds = [(part.kind, part.name) for part in study.parts()]
    assert ("image_encoder", "small-cnn") in kinds
    assert ("memory_store", "bank") in kinds
