"""The interface of metrics: whole weightings, or plain functions of repeated rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_absolute_error

from rdfc_core.interfaces import Metric


class Surprise(Metric):
    title = "Log loss"
    higher_is_better = False

    def score(self, truth, predictions):
        return log_loss(truth, predictions, labels=range(predictions.shape[1]))


class Vectorised(Surprise):
    def values(self, truth, predictions, weights):
        own = -np.log(predictions[np.arange(len(truth)), truth])
        with np.errstate(invalid="ignore"):
            return weights @ own / weights.sum(axis=1)

    score = Metric.score


class Deviation(Metric):
    title = "Mean absolute error"
    task = "regression"

    def score(self, truth, predictions):
        return mean_absolute_error(truth, predictions)


@pytest.fixture
def said():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 30)
    return truth, rng.dirichlet(np.ones(3), 30), rng.multinomial(30, np.full(30, 1 / 30), 20) * 1.0


def test_a_plain_function_is_asked_of_repeated_rows(said):
    truth, probabilities, weights = said
    one_by_one = Surprise().values(truth, probabilities, weights)
    np.testing.assert_allclose(one_by_one, Vectorised().values(truth, probabilities, weights))
    weighed = [log_loss(truth, probabilities, sample_weight=row) for row in weights]
    np.testing.assert_allclose(one_by_one, weighed)


def test_the_plain_score_is_that_of_equal_weights(said):
    truth, probabilities, _ = said
    assert Vectorised().score(truth, probabilities) == pytest.approx(log_loss(truth, probabilities))


def test_a_weighting_of_no_case_is_undefined(said):
    truth, probabilities, weights = said
    assert np.isnan(Surprise().values(truth, probabilities, 0 * weights)).all()


def test_numbers_are_scored_alike():
    truth, said = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 2.0])
    found = Deviation().values(truth, said, np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0]]))
    np.testing.assert_allclose(found, [2.5 / 3, 3 / 3])


def test_a_metric_without_either_method_says_which_to_write(said):
    class Empty(Metric):
        title = "Nothing"

    with pytest.raises(NotImplementedError, match=r"write one of them"):
        Empty().values(*said)
