"""Studies: shorthand, presets, overrides, and the resolved study that is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.interfaces.dataset import SplitSpec
from rdfc_core.plugin.registry import Registry

BASE = {"dataset": "manifest:root=.", "features": "outline", "encoder": "small-cnn:width=4"}


def resolved(registry: Registry, *overrides: str, **study: Any) -> ResolvedStudy:
    return resolve(load_study({**BASE, **study}, overrides), registry)


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
    assert load_study({"dataset": "manifest:root=."}).pretrain.steps == 20000
    shorter = load_study({"dataset": "manifest:root=.", "preset": "paper"}, ["pretrain.epochs=3"])
    assert shorter.pretrain.epochs == 3
    assert shorter.pretrain.learning_rate == study.pretrain.learning_rate


def test_options_of_a_preset_are_kept_for_the_same_component_and_dropped_for_another():
    same = load_study({"dataset": "manifest:root=.", "encoder": "timm:pretrained=true"})
    encoder = same.views["image"].options["encoder"]
    assert encoder == {"name": "timm", "model": "resnet18_half", "pretrained": True}
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


STUDIES = Path(__file__).parents[2] / "docs" / "studies"


@pytest.mark.parametrize("file", sorted(STUDIES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_studies_of_the_docs_resolve(registry, file):
    assert resolve(load_study(file), registry).views


def test_parts_are_built_with_the_parts_they_name(registry):
    study = resolved(registry, "encoder.width=6")
    view = study.views["image"].build(registry)
    assert view.encoder.config.width == 6
    kinds = [(part.kind, part.name) for part in study.parts()]
    assert ("image_encoder", "small-cnn") in kinds
    assert ("memory_store", "bank") in kinds


def test_evaluate_paper_stands_for_the_protocol_of_all_tables(registry):
    short = resolved(registry, evaluate="paper").evaluate
    assert short == resolved(registry, evaluate={"preset": "paper"}).evaluate
    assert short == resolved(registry, "evaluate=paper").evaluate
    further = resolved(registry, "evaluate=paper", "evaluate.label_seeds=7").evaluate
    assert further == short.model_copy(update={"label_seeds": 7})
    assert list(short.compare) == ["autoencoder", "jigsaw", "simclr"]
    assert short.methods == ("radiomics", "resnet-scratch", "hybrid-scratch", "hybrid-finetune")
    assert short.label_fractions == (0.05, 0.2, 0.5, 1.0)
    supervised = short.supervised
    assert (supervised.epochs, supervised.optimizer.name, supervised.learning_rate) == (
        100,
        "sgd",
        3e-3,
    )
    assert supervised.finetune.name == "paper"
    plain = resolved(registry).evaluate
    networks = ("hybrid-scratch", "hybrid-finetune")
    assert (plain.compare, plain.methods, plain.label_fractions) == ({}, networks, ())


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ({"label_seeds": 7}, lambda e: e.label_seeds == 7),
        ({"compare": ["simclr:width=9"]}, lambda e: [*e.compare] == ["simclr"]),
        ({"compare": {"cold": "simclr:temperature=0.05"}}, lambda e: [*e.compare] == ["cold"]),
        ({"compare": {"simclr": {"width": 9}}}, lambda e: [*e.compare] == ["simclr"]),
        ({"compare": {}}, lambda e: not e.compare),
        ({"compare": []}, lambda e: not e.compare),
        ({"supervised": {"finetune": "all"}}, lambda e: e.supervised.finetune.name == "all"),
        ({"supervised": {"epochs": 3}}, lambda e: e.supervised.optimizer.name == "sgd"),
    ],
)
def test_single_settings_of_the_protocol_are_overridden(registry, override, value):
    study = resolved(registry, evaluate={"preset": "paper", **override})
    assert value(study.evaluate)
    assert resolve(load_study(study.dump()), registry) == study
    assert len(study.evaluate.methods) == 4


def test_set_reaches_into_the_protocol_and_its_pretexts(registry):
    study = resolved(registry, "evaluate.compare.simclr.temperature=0.5", evaluate="paper")
    assert study.compare["simclr"].config.temperature == 0.5
    assert list(study.compare) == ["autoencoder", "jigsaw", "simclr"]
    assert not resolved(registry, "evaluate.compare={}", evaluate="paper").compare
    assert study.compare["simclr"].name == "simclr"
    assert ("pretext", "jigsaw") in [(part.kind, part.name) for part in study.parts()]
