"""Metrics of single classes, against scikit-learn on repeated rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, precision_score, recall_score, roc_curve

from rdfc_core.errors import StudyError
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_metric

CLASSES = ("benign", "cyst", "malignant")
NAMES = ("sensitivity", "specificity", "ppv", "npv", "specificity-at-sensitivity", "log-loss")


def built(name, **options):
    component = installed().get("metric", name)
    return component.build(component.load_config()(**options))


def oracle(name, truth, said, positive=1, share=0.9):
    """The metric by scikit-learn."""
    is_so, called = truth == positive, said.argmax(axis=1) == positive
    if name == "log-loss":
        return log_loss(truth, said, labels=range(said.shape[1]))
    if name == "specificity-at-sensitivity":
        fpr, tpr, _ = roc_curve(is_so, said[:, positive], drop_intermediate=False)
        return (1 - fpr)[tpr >= share - 1e-12].max()
    score = recall_score if name in ("sensitivity", "specificity") else precision_score
    if name in ("specificity", "npv"):
        is_so, called = ~is_so, ~called
    return score(is_so, called)


def cases(classes, seed=0, count=80):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, count)
    said = np.round(rng.dirichlet(np.ones(classes), count) + np.eye(classes)[truth] / 2, 2)
    return truth, said / said.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [2, 3])
def test_resamples_equal_scikit_learn_on_repeated_rows(name, classes):
    options = {} if name == "log-loss" else {"positive": CLASSES[1]}
    metric = built(name, **options)
    metric.set_classes(CLASSES[:classes])
    truth, said = cases(classes)
    weights = np.random.default_rng(1).multinomial(len(truth), np.full(80, 1 / 80), 20)
    found = metric.values(truth, said, weights.astype(np.float64))
    for row, value in zip(weights, found, strict=True):
        rows = np.repeat(np.arange(len(truth)), row)
        assert value == pytest.approx(oracle(name, truth[rows], said[rows]))


@pytest.mark.parametrize("name", NAMES)
def test_each_keeps_its_promises(name):
    for classes in (CLASSES[:2], CLASSES):
        check_metric(built(name, **({} if name == "log-loss" else {"positive": "cyst"})), classes)


def test_nine_of_ten_found_are_ninety_percent():
    truth = np.array([1] * 10 + [0] * 4)
    positive = np.array([*np.linspace(0.99, 0.6, 9), 0.1, 0.7, 0.5, 0.4, 0.05])
    metric = built("specificity-at-sensitivity", positive="cyst", sensitivity=0.9)
    metric.set_classes(CLASSES[:2])
    assert metric.score(truth, np.stack([1 - positive, positive], axis=1)) == 0.75


def test_what_a_split_without_the_class_says_is_undefined():
    metric = built("sensitivity", positive="cyst")
    metric.set_classes(CLASSES[:2])
    truth, said = cases(2)
    assert np.isnan(metric.score(np.zeros_like(truth), said))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "sensitivity has to know its class. Set its option positive to one of: benign, cyst"),
        ({"positive": "Malignant"}, "sensitivity names 'Malignant'. Set its option positive"),
    ],
)
def test_which_class_is_positive_is_never_assumed(options, told):
    with pytest.raises(StudyError, match=told):
        built("sensitivity", **options).set_classes(CLASSES)
