"""A study is loaded in order, and options with names of before are refused or translated."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rdfc_core import StudyError
from rdfc_core.config.load import load_study, read_recorded, without_added
from rdfc_core.config.renamed import RENAMED

STUDY = {"dataset": "phantom", "encoder": "timm"}


OLD = [
    ({"pretrain": {"cases_in": "memory"}}, "pretrain.cases_in", "pretrain.data_placement"),
    (
        {"pretrain": {"picture_format": "float16"}},
        "pretrain.picture_format",
        "pretrain.image_dtype",
    ),
    ({"evaluate": {"neighbours": 3}}, "evaluate.neighbours", "evaluate.knn_k"),
    (
        {"evaluate": {"supervised": {"decay_at": 0.5}}},
        "evaluate.supervised.decay_at",
        "evaluate.supervised.lr_milestone",
    ),
    (
        {"evaluate": {"supervised": {"finetune": {"name": "own", "head_from": "probe"}}}},
        "evaluate.supervised.finetune.head_from",
        "evaluate.supervised.finetune.head_init",
    ),
]


def value_at(study: Any, path: str) -> Any:
    for key in path.split("."):
        study = study[key]
    return study


def test_every_name_of_before_is_tried_here():
    assert {path for _, path, _ in OLD} | {"evaluate.supervised.sweep.*.head_from"} == set(RENAMED)


@pytest.mark.parametrize(("written", "path", "new"), OLD)
def test_a_users_study_with_an_old_name_is_refused_with_the_new_one(tmp_path, written, path, new):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(STUDY | written), encoding="utf-8")
    for source in (STUDY | written, file):
        with pytest.raises(StudyError, match=rf"^{path}: .*Write {new}\.$"):
            load_study(source)
    value = value_at(written, path)
    with pytest.raises(StudyError, match=rf"^--set {path}={value}: .*Write {new}\.$"):
        load_study(STUDY, [f"{path}={value}"])
    with pytest.raises(StudyError, match=rf"Write {new}\.$"):
        load_study(STUDY, {path: value})


def test_an_old_name_in_a_list_is_refused_with_its_place():
    sweep = [{"name": "one", "head_from": "probe"}]
    with pytest.raises(
        StudyError, match=r"^evaluate\.supervised\.sweep\.0\.head_from: .*head_init"
    ):
        load_study({**STUDY, "evaluate": {"supervised": {"sweep": sweep}}})


@pytest.mark.parametrize(("written", "path", "new"), OLD)
def test_the_study_that_a_run_wrote_is_translated(tmp_path, written, path, new):
    sweep = [{"name": "all"}, {"name": "one", "head_from": "probe"}]
    recorded = {
        **STUDY,
        "views": {"image": {"name": "image", "encoder": {"name": "timm"}}},
        "pretext": {"name": "simclr"},
        "evaluate": {"supervised": {"sweep": sweep}},
        **written,
        "versions": {"rdfc-core": "0.1.0"},
        "inputs": {},
    }
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(recorded), encoding="utf-8")
    found = without_added(read_recorded(file))
    assert value_at(found, new) == value_at(recorded, path)
    assert path.rpartition(".")[2] not in value_at(found, path.rpartition(".")[0])
    assert not {"versions", "inputs"} & set(found)
    if "evaluate" not in written:
        told = found["evaluate"]["supervised"]["sweep"]
        assert told == [{"name": "all"}, {"name": "one", "head_init": "probe"}]
    again = {key: value for key, value in recorded.items() if key != "encoder"}
    file.write_text(yaml.safe_dump(again), encoding="utf-8")
    for source in (file, again):  # as in: rdfc run runs/mine/study.yaml
        study = load_study(source).model_dump(mode="json")
        assert value_at(study, new) == value_at(recorded, path)


def test_nothing_is_changed_in_what_is_given(tmp_path):
    given = {"dataset": {"name": "phantom", "cases": 4}, "pretrain": {"epochs": 3}}
    before = yaml.safe_dump(given)
    load_study(given, {"dataset.cases": 9, "pretrain.epochs": 1})
    assert yaml.safe_dump(given) == before
