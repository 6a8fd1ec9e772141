"""The check of metrics: what a sound one passes, and what a broken one is told."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, mean_squared_error

from rdfc_core.interfaces import Metric
from rdfc_core.testing import check_metric


class Plain(Metric):
    title = "F1"

    def score(self, truth, predictions):
        return f1_score(truth, predictions.argmax(axis=1), average="macro", zero_division=0)


class Deviation(Metric):
    title = "Mean squared error"
    task = "regression"
    higher_is_better = False
    bounds = (0, float("inf"))

    def score(self, truth, predictions):
        return mean_squared_error(truth, predictions)


class Twice(Plain):
    """``values`` and ``score`` say something else."""

    def values(self, truth, predictions, weights):
        return weights @ (truth == predictions.argmax(axis=1)) / np.maximum(weights.sum(axis=1), 1)


class Shuffled(Plain):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def score(self, truth, predictions):
        return self.rng.random()


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_a_plain_function_passes(classes):
    check_metric(Plain(), classes)


def test_a_metric_of_numbers_passes():
    check_metric(Deviation())


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (Twice(), r"score\(\) gave .* leave one of them out"),
        (Shuffled(), "gave something else when it was asked again; draw nothing at random"),
        (object(), "object is no Metric"),
    ],
)
def test_a_broken_one_is_told(metric, told):
    with pytest.raises(AssertionError, match=told):
        check_metric(metric)
