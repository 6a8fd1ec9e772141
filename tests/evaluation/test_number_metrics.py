"""Metrics of predicted numbers, against scikit-learn and scipy, also on resamples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from rdfc_core.evaluation.bootstrap import Prediction, estimates
from rdfc_core.evaluation.metrics import scores
from rdfc_core.evaluation.number_metrics import NUMBER_SCORES
from rdfc_core.results.vocabulary import NUMBER_METRICS
from rdfc_core.testing import check_metric

KNOWN = {
    "r2": r2_score,
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "spearman": lambda truth, said: spearmanr(truth, said).statistic,
}


@pytest.fixture
def said():
    """Numbers, some of them equal, and predictions of some use."""
    rng = np.random.default_rng(0)
    truth = rng.normal(40, 7, 30).round(0)
    return truth, (truth + rng.normal(0, 6, 30)).round(0)


@pytest.mark.parametrize("metric", NUMBER_METRICS)
def test_a_resample_is_scored_as_its_repeated_rows(metric, said):
    truth, predicted = said
    rng = np.random.default_rng(1)
    weights = rng.multinomial(30, np.full(30, 1 / 30), 20).astype(float)
    found = NUMBER_SCORES[metric].values(truth, predicted, weights)
    expected = []
    for row in weights.astype(int):
        rows = np.repeat(np.arange(30), row)
        expected.append(KNOWN[metric](truth[rows], predicted[rows]))
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("metric", NUMBER_METRICS)
def test_the_metrics_keep_the_promises_of_any_metric(metric):
    check_metric(NUMBER_SCORES[metric])


def test_large_numbers_that_hardly_vary_keep_their_digits():
    truth = 1e6 + np.array([0.0, 1.0, 2.0, 3.0])
    found = scores(truth, truth + np.array([0.1, -0.1, 0.1, -0.1]))
    assert found["r2"][0] == pytest.approx(1 - 0.01 / 1.25)


def test_what_does_not_vary_has_no_r2_and_no_correlation():
    found = scores(np.full(4, 3.7), np.array([1.0, 2.0, 3.0, 4.0]))
    assert np.isnan(found["r2"][0])
    assert np.isnan(found["spearman"][0])
    assert found["mae"][0] == pytest.approx(1.35)
    assert np.isnan(scores(np.arange(4.0), np.full(4, 2.0))["spearman"][0])


def test_intervals_of_numbers_are_those_of_resampled_patients(said):
    truth, predicted = said
    ids = tuple(f"c{i}" for i in range(30))
    patients = tuple(f"p{i // 3}" for i in range(30))
    of_patients = estimates([Prediction("all", ids, patients, truth, predicted)], 400, 0.95, 0)
    of_cases = estimates([Prediction("all", ids, ids, truth, predicted)], 400, 0.95, 0)
    for metric, known in KNOWN.items():
        one = of_patients[metric]
        assert one.mean == pytest.approx(known(truth, predicted))
        assert one.low <= one.mean <= one.high
        assert (one.low, one.high) != (of_cases[metric].low, of_cases[metric].high)
