"""Scores against scikit-learn's, for every weighting of the cases."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from rdfc_core.evaluation.metrics import scores
from rdfc_core.results.vocabulary import METRICS


def drawn(cases: int, classes: int, seed: int, ties: bool = False) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, cases)
    logits = rng.normal(size=(cases, classes)) + 0.8 * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if ties:
        probabilities = np.round(probabilities, 1)
        probabilities[:, 0] += 0.1  # no row of zeros
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    return truth, probabilities


def expected(truth: Any, probabilities: Any, weights: Any) -> dict[str, float]:
    predicted = probabilities.argmax(axis=1)
    several = probabilities.shape[1] > 2
    aurocs = [
        oracle.roc_auc_score(truth == c, probabilities[:, c], sample_weight=weights)
        for c in (range(probabilities.shape[1]) if several else [1])
    ]
    options = {"sample_weight": weights}
    return {
        "f1_weighted": oracle.f1_score(truth, predicted, average="weighted", **options),
        "accuracy": oracle.accuracy_score(truth, predicted, **options),
        "balanced_accuracy": oracle.balanced_accuracy_score(truth, predicted, **options),
        "auroc": float(np.mean(aurocs)),
        "brier": oracle.brier_score_loss(
            truth,
            probabilities,
            labels=range(probabilities.shape[1]),
            scale_by_half=True,
            **options,
        ),
    }


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_scores_equal_those_of_scikit_learn(classes, ties, seed):
    truth, probabilities = drawn(80, classes, seed, ties)
    found = scores(truth, probabilities)
    for metric, value in expected(truth, probabilities, None).items():
        assert found[metric] == pytest.approx([value]), metric


@pytest.mark.parametrize("classes", [2, 3])
def test_weighted_scores_equal_those_of_scikit_learn(classes):
    truth, probabilities = drawn(60, classes, 1, ties=True)
    weights = np.random.default_rng(2).integers(0, 4, (7, 60)).astype(float)
    found = scores(truth, probabilities, weights)
    for place, row in enumerate(weights):
        for metric, value in expected(truth, probabilities, row).items():
            assert found[metric][place] == pytest.approx(value), metric


def test_a_weight_of_two_is_the_case_twice_and_of_zero_is_no_case():
    truth, probabilities = drawn(30, 3, 3)
    weights = np.random.default_rng(4).integers(0, 3, 30)
    repeated = np.repeat(np.arange(30), weights)
    weighted = scores(truth, probabilities, weights[None].astype(float))
    several = scores(truth[repeated], probabilities[repeated])
    for metric in METRICS:
        assert weighted[metric] == pytest.approx(several[metric])


def test_perfect_reversed_and_constant_predictions():
    truth = np.array([0, 0, 1, 1])
    perfect = np.eye(2)[truth]
    best = dict.fromkeys(METRICS, 1) | {"brier": 0, "ece": 0}
    assert {metric: value[0] for metric, value in scores(truth, perfect).items()} == best
    reverse = scores(truth, 1 - perfect)
    worst = dict.fromkeys(METRICS, 0) | {"brier": 1, "ece": 1}
    assert {metric: value[0] for metric, value in reverse.items()} == worst
    constant = scores(truth, np.full((4, 2), 0.5))
    assert constant["auroc"][0] == 0.5
    assert constant["balanced_accuracy"][0] == 0.5


def test_the_calibration_error_is_the_gap_of_confidence_and_hits_over_bins():
    # Three cases said at 0.75, of which two are right; one at 1 that is wrong; one at 0.6, right.
    truth = np.array([0, 0, 1, 1, 0])
    sure = np.array([0.75, 0.75, 0.75, 1.0, 0.6])
    probabilities = np.stack([sure, 1 - sure], axis=1)
    gaps = abs(3 * 0.75 - 2), 1.0, 0.4
    assert scores(truth, probabilities)["ece"][0] == pytest.approx(sum(gaps) / 5)
    # Without the wrong one of the first three and the last: 2 × (0.75 − 1), and 1.
    weights = np.array([[1.0, 1, 0, 1, 0]])
    assert scores(truth, probabilities, weights)["ece"][0] == pytest.approx((0.5 + 1) / 3)


def test_bins_of_confidence_include_their_upper_end():
    # 0.8 belongs to (0.7, 0.8], with 0.75, where a miss and a hit make up for each other.
    truth = np.array([0, 1])
    probabilities = np.array([[0.8, 0.2], [0.75, 0.25]])
    assert scores(truth, probabilities)["ece"][0] == pytest.approx(abs(0.8 + 0.75 - 1) / 2)


def test_what_is_undefined_is_nan_and_nothing_else_is():
    truth, probabilities = np.array([1, 1, 1]), np.array([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = scores(truth, probabilities, np.array([[1.0, 1, 1], [0, 0, 0]]))
    assert np.isnan(found["auroc"]).all()
    assert found["accuracy"][0] == pytest.approx(2 / 3)
    assert found["balanced_accuracy"][0] == pytest.approx(2 / 3)  # of the classes that are there
    assert found["f1_weighted"][0] == pytest.approx(0.8)
    assert all(np.isnan(found[metric][1]) for metric in METRICS)  # no case at all


def test_all_scores_lie_between_0_and_1():
    for seed in range(20):
        truth, probabilities = drawn(25, 4, seed, ties=True)
        for metric, value in scores(truth, probabilities).items():
            assert np.isnan(value[0]) or 0 <= value[0] <= 1, metric
