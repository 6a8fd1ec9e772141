"""Calibration, net benefit and drift, against values known another way."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression

from rdfc_core.evaluation import drift
from rdfc_core.evaluation.metrics import auroc
from rdfc_core.evaluation.net_benefit import decision_curve
from rdfc_core.evaluation.recalibration import calibration_line, shift_in_the_large, shifted

ONCE = np.ones((1, 4000))


@pytest.fixture
def calibrated():
    """Probabilities that can be taken at their word, and who has the class."""
    rng = np.random.default_rng(0)
    probability = expit(rng.normal(-0.5, 1.5, 4000))
    return probability, rng.random(4000) < probability


def test_calibrated_probabilities_have_no_shift_and_a_slope_of_one(calibrated):
    probability, truth = calibrated
    assert shift_in_the_large(truth, probability) == pytest.approx(0, abs=0.1)
    line = calibration_line(truth, probability, ONCE)
    assert line.slope[0] == pytest.approx(1, abs=0.1)
    assert line.intercept[0] == pytest.approx(0, abs=0.1)


def test_the_shift_makes_the_mean_the_observed_share(calibrated):
    probability, truth = calibrated
    wrong = expit(logit(probability) + 0.8)
    shift = shift_in_the_large(truth, wrong)
    assert shift == pytest.approx(-0.8, abs=0.1)
    assert shifted(wrong, shift).mean() == pytest.approx(truth.mean(), abs=1e-6)


def test_the_line_is_that_of_a_logistic_regression_under_every_weighting(calibrated):
    probability, truth = (one[:400] for one in calibrated)
    extreme = expit(2 * logit(probability) + 0.3)
    weights = np.random.default_rng(1).integers(0, 4, (5, 400)).astype(float)
    line = calibration_line(truth, extreme, weights)
    for row, slope, intercept in zip(weights, line.slope, line.intercept, strict=True):
        known = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000)
        known.fit(logit(extreme)[:, None], truth, sample_weight=row)
        assert slope == pytest.approx(known.coef_[0, 0], abs=1e-4)
        assert intercept == pytest.approx(known.intercept_[0], abs=1e-4)
    assert line.slope.mean() == pytest.approx(0.5, abs=0.15)  # twice as extreme as they should be


def test_what_does_not_exist_is_nan():
    truth = np.array([False, False, True, True])
    apart = np.array([0.1, 0.2, 0.8, 0.9])
    assert np.isnan(calibration_line(truth, apart, np.ones((1, 4))).slope[0])  # it grows for ever
    assert np.isnan(shift_in_the_large(np.ones(3, bool), np.array([0.2, 0.5, 0.9])))
    assert np.isnan(calibration_line(np.ones(3, bool), np.full(3, 0.4), np.ones((1, 3))).slope[0])


def test_net_benefit_counts_right_and_wrong_by_the_odds():
    truth = np.array([True, True, False, False, False])
    probability = np.array([0.9, 0.3, 0.6, 0.2, 0.1])
    curve = decision_curve(truth, probability, np.array([0.25, 0.5]))
    # At 0.25 three are acted on, two of them rightly; at 0.5 two, one of them rightly.
    assert curve.model == pytest.approx([2 / 5 - 1 / 5 / 3, 1 / 5 - 1 / 5])
    assert curve.everyone == pytest.approx([2 / 5 - 3 / 5 / 3, 2 / 5 - 3 / 5])


def test_acting_on_all_is_what_a_model_does_that_says_the_same_of_all():
    truth = np.arange(10) < 3
    curve = decision_curve(truth, np.full(10, 0.995))
    assert curve.model == pytest.approx(curve.everyone)


def test_features_are_compared_by_means_and_distributions():
    rng = np.random.default_rng(0)
    trained, here = rng.normal(0, 2, (300, 4)), rng.normal(0, 2, (200, 4))
    here[:, 2] += 3
    trained[:, 3] = 7  # constant: no scale
    trained[::7, 0] = np.nan
    first, *rest = drift.feature_drift(("a", "b", "c", "d"), trained, here)
    assert first.name == "c"
    spread = trained[:, 2].std(ddof=1)
    assert first.difference == pytest.approx((here[:, 2].mean() - trained[:, 2].mean()) / spread)
    assert first.ks == pytest.approx(ks_2samp(trained[:, 2], here[:, 2]).statistic)
    assert {one.name for one in rest} == {"a", "b"}
    assert all(abs(one.difference) < 0.3 for one in rest)


def test_places_are_told_apart_only_where_they_differ():
    rng = np.random.default_rng(0)
    trained = rng.normal(0, 1, (150, 6)).astype(np.float32)
    place = np.repeat([False, True], [150, 100])
    patients = [str(i // 2) for i in range(250)]
    for moved, least, most in ((0.0, 0.35, 0.65), (1.5, 0.9, 1.0)):
        here = rng.normal(moved, 1, (100, 6)).astype(np.float32)
        said = drift.told_apart(trained, here, patients, 0)
        assert least <= auroc(place, said, np.ones((1, 250)))[0] <= most


def test_one_in_twenty_familiar_cases_counts_as_unfamiliar():
    rng = np.random.default_rng(0)
    trained = rng.normal(0, 1, (400, 5)).astype(np.float32)
    held_back, like = (rng.normal(0, 1, (n, 5)).astype(np.float32) for n in (200, 1000))
    limit = drift.furthest_familiar(trained, held_back)
    assert (drift.distances(trained, like) > limit).mean() == pytest.approx(0.05, abs=0.04)
    assert (drift.distances(trained, like + 4) > limit).mean() > 0.95
    alone = drift.furthest_familiar(trained, held_back[:5])  # too few: the training cases instead
    assert alone == pytest.approx(limit, rel=0.25)
