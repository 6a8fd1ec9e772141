"""What does not fit in a study is named by its path, in one sentence, with the nearest name."""

from __future__ import annotations

from typing import Any

import pytest

from rdfc_core import PluginError, StudyError
from rdfc_core.config.load import load_study
from rdfc_core.config.resolve import ResolvedStudy, resolve
from rdfc_core.plugin.registry import Registry

BASE = {"dataset": "manifest:root=.", "features": "outline", "encoder": "small-cnn:width=4"}


def resolved(registry: Registry, *overrides: str, **study: Any) -> ResolvedStudy:
    return resolve(load_study({**BASE, **study}, overrides), registry)


def complaint(registry: Registry, *overrides: str, **study: Any) -> str:
    with pytest.raises(StudyError) as caught:
        resolved(registry, *overrides, **study)
    message = str(caught.value)
    assert "\n" not in message
    return message


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
        "views.image: size is [height, width] or [planes, height, width], all from 1 to 4096.",
    ),
    "a number for the views": (
        {"views": 3},
        "features: it stands for views.radiomics.extractor, and views is 3, which holds no options",
    ),
    "unknown protocol": ({"evaluate": "papr"}, "evaluate: there is no 'papr'. Use one of: paper."),
    "a list for a protocol": ({"evaluate": {"preset": ["paper"]}}, "evaluate: there is no ['paper"),
    "unknown setting of fine-tuning": (
        {"evaluate": {"supervised": {"finetune": "papr"}}},
        "evaluate.supervised.finetune: there is no setting 'papr'; use one of paper, paper-frozen",
    ),
    "a setting of fine-tuning with a name that is taken": (
        {"evaluate": {"supervised": {"finetune": {"name": "all", "freeze": ["image"]}}}},
        "evaluate.supervised.finetune: the name 'all' is taken; call your own setting otherwise",
    ),
    "two settings of one name": (
        {"evaluate": {"supervised": {"sweep": ["all", "all"]}}},
        "evaluate.supervised.sweep: two settings have one name",
    ),
    "a setting that is judged and swept in two ways": (
        {
            "evaluate": {
                "supervised": {
                    "finetune": {"name": "x", "freeze": ["image"]},
                    "sweep": [{"name": "x", "reinit": ["image"]}],
                }
            }
        },
        "evaluate: supervised: two settings are called 'x'; rename one",
    ),
    "a pretext that stands twice": (
        {"evaluate": {"compare": ["simclr", "simclr:width=9"]}},
        "evaluate.compare: one pretext stands twice; name them: {name: pretext, …}",
    ),
    "a pretext under a name that is taken": (
        {"evaluate": {"compare": {"rdfc": "simclr"}}},
        "evaluate.compare: 'rdfc' is taken; call the pretext something else",
    ),
    "a pretext whose name is a path": (
        {"evaluate": {"compare": {"../x": "simclr"}}},
        "evaluate.compare: call a pretext by letters, digits, _ and -, not '../x'",
    ),
    "unknown option of a pretext that is compared": (
        {"evaluate": {"compare": ["simclr:temprature=1"]}},
        "evaluate.compare.simclr.temprature: there is no such option. Did you mean 'temperature'?",
    ),
    "a share of no labels": (
        {"evaluate": {"label_fractions": [0]}},
        "evaluate.label_fractions.0: input should be greater than 0 (given: 0).",
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
        "evaluate.classifiers.1: input should be 'logistic', 'ridge', 'sgd' or 'knn' (given:",
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
        (b"dataset: 2020-13-45", "is not valid YAML"),
        (b"dataset: &d {name: phantom, options: *d}", "is not valid YAML: it is nested"),
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


def test_a_reader_without_a_name_is_refused_by_its_path(registry):
    assert complaint(registry, readers={"": {}}).startswith("readers.name: ")


def test_a_list_that_is_too_short_is_named(registry):
    message = complaint(registry, **{"views": {"image": {"window": [1]}}})
    assert message.startswith("views.image.window")


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("radiomics.layers=1010101010101010", "more than 67108864 weights: take fewer"),
        ("radiomics.width=100000", "more than 67108864 weights: take fewer"),
        ("image.size=[100000,100000]", "all from 1 to 4096"),
        ("image.slices=1000000", "less than or equal to 1024"),
    ],
)
def test_networks_beyond_all_measure_are_refused_before_they_are_made(registry, option, reason):
    assert reason in complaint(registry, f"views.{option}")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("pretrain.learning_rate=.inf", "pretrain.learning_rate: a finite number is needed"),
        ("pretrain.learning_rate=.nan", "pretrain.learning_rate: a finite number is needed"),
        ("views.image.window=[.nan, 1]", "window.0: a finite number is needed (given: nan)"),
        ("views.image.window=[0, .inf]", "window.1: a finite number is needed (given: inf)"),
        ("pretrain.epochs=true", "pretrain.epochs: a number is needed (given: true"),
        ("pretrain.epochs=yes", "pretrain.epochs: a number is needed (given: true"),
        ("seed=off", "seed: a number is needed (given: false"),
        ("evaluate.label_fractions=[true]", "label_fractions.0: a number is needed (given: true"),
        ("dataset.mask_value=true", "mask_value: a number is needed (given: true"),
    ],
)
def test_what_is_no_number_is_refused_where_one_is_asked_for(registry, override, words):
    assert words in complaint(registry, override)


def test_words_that_yaml_reads_as_logic_stay_allowed_where_logic_is_asked_for(registry):
    study = resolved(registry, "evaluate.temperature_scaling=off", "views.image.mask_channel=yes")
    assert study.evaluate.temperature_scaling is False
