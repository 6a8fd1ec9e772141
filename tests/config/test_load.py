"""A study is loaded in order, and options with names of before are refused or translated."""

from __future__ import annotations

import pytest
import yaml

from rdfc_core import StudyError
from rdfc_core.config import renamed
from rdfc_core.config.load import load_study, read_recorded, without_added

STUDY = {"dataset": "phantom", "encoder": "timm"}


@pytest.fixture
def old_names(monkeypatch) -> None:
    """As if options had been called otherwise until today."""
    names = {"pretrain.rounds": "epochs", "views.*.edge": "margin", "old_seed": "seed"}
    monkeypatch.setattr(renamed, "RENAMED", names)


@pytest.mark.parametrize(
    ("written", "path", "new"),
    [
        ({"pretrain": {"rounds": 3}}, "pretrain.rounds", "pretrain.epochs"),
        ({"views": {"image": {"edge": 0.2}}}, "views.image.edge", "views.image.margin"),
        ({"old_seed": 3}, "old_seed", "seed"),
    ],
)
def test_a_users_study_with_an_old_name_is_refused_with_the_new_one(
    old_names, tmp_path, written, path, new
):
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(STUDY | written), encoding="utf-8")
    for source in (STUDY | written, file):
        with pytest.raises(StudyError, match=rf"^{path}: .*Write {new}\.$"):
            load_study(source)
    value = written
    for key in path.split("."):
        value = value[key]
    with pytest.raises(StudyError, match=rf"^--set {path}={value}: .*Write {new}\.$"):
        load_study(STUDY, [f"{path}={value}"])
    with pytest.raises(StudyError, match=rf"Write {new}\.$"):
        load_study(STUDY, {path: value})


def test_the_study_that_a_run_wrote_is_translated(old_names, tmp_path):
    recorded = {
        "dataset": {"name": "phantom"},
        "views": {"image": {"name": "image", "encoder": {"name": "timm"}, "edge": 0.2}},
        "pretrain": {"rounds": 3, "steps": 5},
        "old_seed": 4,
        "versions": {"rdfc-core": "0.1.0"},
        "inputs": {},
    }
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(recorded), encoding="utf-8")
    found = without_added(read_recorded(file))
    assert found["pretrain"] == {"epochs": 3, "steps": 5}
    assert found["views"]["image"]["margin"] == 0.2
    assert "edge" not in found["views"]["image"]
    assert found["seed"] == 4
    assert set(found) == {"dataset", "views", "pretrain", "seed"}
    for source in (file, recorded):  # as in: rdfc run runs/mine/study.yaml
        study = load_study(source)
        assert (study.seed, study.pretrain.epochs) == (4, 3)
        assert study.views["image"].options["margin"] == 0.2


def test_every_renamed_option_is_one_of_today():
    from rdfc_core.config.study import Study

    for old, name in renamed.RENAMED.items():
        *keys, last = old.split(".")
        model = Study
        for key in keys:
            model = model.model_fields[key].annotation
        assert name in model.model_fields, old
        assert last not in model.model_fields, old


def test_nothing_is_changed_in_what_is_given(tmp_path):
    given = {"dataset": {"name": "phantom", "cases": 4}, "pretrain": {"epochs": 3}}
    before = yaml.safe_dump(given)
    load_study(given, {"dataset.cases": 9, "pretrain.epochs": 1})
    assert yaml.safe_dump(given) == before
