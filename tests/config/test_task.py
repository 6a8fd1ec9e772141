"""The task of a study: what it takes of a preset, and what of a user's options it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from rdfc_core.config.load import load
from rdfc_core.errors import StudyError
from rdfc_core.plugin.registry import Registry

BASE: dict[str, Any] = {"dataset": "phantom"}


def refusal(registry: Registry, *overrides: str, **study: Any) -> str:
    with pytest.raises(StudyError) as caught:
        load({**BASE, **study}, overrides, registry)
    return str(caught.value)


def test_classes_are_told_apart_where_nothing_is_said(registry):
    study = load(BASE, (), registry)
    assert study.task == study.evaluate.task == "classification"
    assert study.evaluate.classifiers == ("logistic", "knn")
    assert study.dump()["task"] == "classification"
    assert "task" not in study.dump()["evaluate"]


def test_a_preset_is_taken_with_the_names_for_numbers(registry):
    study = load(BASE, ["task=regression"], registry)
    assert study.evaluate.classifiers == ("ridge", "knn")
    assert study.evaluate.class_weight == "none"
    assert study.evaluate.methods == ("hybrid-scratch", "hybrid-finetune")
    paper = load(BASE, ["task=regression", "evaluate=paper"], registry)
    assert paper.evaluate.classifiers == ("sgd", "ridge")


def test_a_study_that_rdfc_wrote_out_is_the_same_again(registry):
    for overrides in ((), ("task=regression",)):
        study = load(BASE, overrides, registry)
        assert load(study.dump(), (), registry) == study


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("evaluate.classifiers=[logistic]", "evaluate.classifiers: logistic tells classes apart"),
        ("evaluate.methods=[radiomics-logistic]", "Use radiomics-ridge"),
        ("evaluate.methods=[columns-logistic]", "Use columns-ridge"),
        ("evaluate.selection.candidates=[radiomics-logistic]", "evaluate.selection.candidates"),
        ("evaluate.class_weight=balanced", "evaluate.class_weight: classes are weighed"),
        ("evaluate.temperature_scaling=true", "a temperature calibrates probabilities"),
        ("evaluate.logistic_c=0.5", "set ridge_alpha"),
        ("evaluate.radiomics_c=[0.5]", "set radiomics_alpha"),
    ],
)
def test_what_tells_classes_apart_is_refused_where_a_number_is_predicted(registry, override, says):
    assert says in refusal(registry, "task=regression", override)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("evaluate.classifiers=[ridge]", "ridge predicts numbers, and task is classification"),
        ("evaluate.methods=[radiomics-ridge]", "Use radiomics-logistic"),
        ("evaluate.ridge_alpha=3", "Set logistic_c, or task: regression"),
        ("evaluate.radiomics_alpha=[3]", "Set radiomics_c, or task: regression"),
        ("evaluate.task=regression", "Write task: regression"),
    ],
)
def test_what_predicts_numbers_is_refused_where_classes_are_told_apart(registry, override, says):
    assert says in refusal(registry, override)


@pytest.mark.parametrize("task", ["survival", "cox", "Survival"])
def test_survival_is_refused_by_name_with_what_to_do_until_then(registry, task):
    said = refusal(registry, task=task)
    assert said.startswith("task:")
    assert "cannot be analysed yet" in said
    assert "Cox probe" in said
    assert "by a fixed time" in said


def test_another_task_is_refused(registry):
    assert "'classification' or 'regression'" in refusal(registry, task="ranking")
