"""Intervals: patients are resampled, splits averaged, repetitions pooled."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import stats

from rdfc_core.evaluation.bootstrap import Prediction, bootstrap, estimates
from rdfc_core.evaluation.metrics import scores
from rdfc_core.results.vocabulary import METRICS


def prediction(
    truth: Any, probabilities: Any, patients: Any = None, split: str = "holdout", repeat: int = 0
) -> Prediction:
    ids = tuple(f"{split}-{i}" for i in range(len(truth)))
    found = tuple(patients) if patients is not None else ids
    return Prediction(
        split, ids, found, np.asarray(truth), np.asarray(probabilities, float), repeat
    )


def right_with(chance: float, cases: int, seed: int, **options: Any) -> Prediction:
    """Predictions that are right with a given chance, independently."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, cases)
    predicted = np.where(rng.random(cases) < chance, truth, 1 - truth)
    return prediction(truth, np.eye(2)[predicted] * 0.8 + 0.1, **options)


def test_the_interval_of_an_accuracy_is_the_binomial_one():
    found = estimates([right_with(0.8, 400, 0)], 4000, 0.95, 0)["accuracy"]
    spread = np.sqrt(found.mean * (1 - found.mean) / 400)
    z = stats.norm.ppf(0.975)
    assert found.low == pytest.approx(found.mean - z * spread, abs=0.006)
    assert found.high == pytest.approx(found.mean + z * spread, abs=0.006)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(300):
        found = estimates([right_with(0.8, 100, seed)], 300, 0.9, seed)["accuracy"]
        covered += found.low <= 0.8 <= found.high
    # 300 trials at 0.9: three standard errors are 0.052; the percentile method runs a little low.
    assert 0.84 < covered / 300 < 0.96


def test_a_wider_coverage_gives_a_wider_interval():
    one = [right_with(0.7, 150, 1)]
    narrow, wide = (estimates(one, 2000, level, 0)["auroc"] for level in (0.6, 0.95))
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high
    assert narrow.mean == wide.mean


def test_cases_of_one_patient_are_resampled_together():
    base = right_with(0.75, 60, 2)
    alone = estimates([base], 4000, 0.95, 0)["accuracy"]
    fourfold = prediction(
        np.repeat(base.truth, 4), np.repeat(base.probabilities, 4, axis=0), np.repeat(range(60), 4)
    )
    together = estimates([fourfold], 4000, 0.95, 0)["accuracy"]
    # Copies of a patient's case tell nothing new: mean and interval must stay as they were.
    assert together.mean == alone.mean
    assert together.low == pytest.approx(alone.low, abs=0.01)
    assert together.high == pytest.approx(alone.high, abs=0.01)
    apart = prediction(fourfold.truth, fourfold.probabilities)
    wrong = estimates([apart], 4000, 0.95, 0)["accuracy"]
    assert wrong.high - wrong.low < 0.6 * (together.high - together.low)


def test_every_resample_has_as_many_patients_as_there_are():
    patients = ["a", "a", "b", "c", "c", "c"]
    truth = np.array([0, 1, 0, 1, 0, 1])
    one = prediction(truth, np.eye(2)[truth], patients)
    drawn = bootstrap([one], 500, 0)["accuracy"]
    assert (drawn == 1).all()
    # Patient a is half right: with k of three draws being a, its share of cases is known.
    half = prediction(truth, np.eye(2)[[1, 1, 0, 1, 0, 1]], patients)
    possible = {
        1 - a / (2 * a + b + 3 * c) for a in range(4) for b in range(4 - a) for c in [3 - a - b]
    }
    found = bootstrap([half], 500, 0)["accuracy"]
    assert all(min(abs(value - p) for p in possible) < 1e-12 for value in found)
    assert len(np.unique(found.round(9))) > 4


def test_the_mean_over_splits_is_reported_with_its_spread():
    folds = [
        right_with(chance, 50, seed, split=f"fold-{seed}")
        for seed, chance in enumerate((0.6, 0.8, 0.9))
    ]
    found = estimates(folds, 500, 0.95, 0)
    for metric in METRICS:
        values = [scores(one.truth, one.probabilities)[metric][0] for one in folds]
        assert found[metric].mean == pytest.approx(np.mean(values))
        assert found[metric].sd == pytest.approx(np.std(values, ddof=1))
    # Three folds of 50 together are worth about 150 cases.
    pooled = 1.96 * np.sqrt(sum(c * (1 - c) / 50 for c in (0.6, 0.8, 0.9))) / 3
    half_width = (found["accuracy"].high - found["accuracy"].low) / 2
    assert half_width == pytest.approx(pooled, rel=0.25)


def test_one_split_has_no_spread():
    assert np.isnan(estimates([right_with(0.8, 40, 0)], 200, 0.95, 0)["accuracy"].sd)


def test_repetitions_are_pooled_so_that_the_interval_holds_their_spread():
    weak = right_with(0.5, 200, 0, repeat=0)
    strong = prediction(weak.truth, np.eye(2)[weak.truth], repeat=1)
    drawn = bootstrap([weak, strong], 300, 0)["accuracy"]
    assert drawn.shape == (600,)
    assert (drawn[300:] == 1).all()
    found = estimates([weak, strong], 300, 0.95, 0)["accuracy"]
    assert found.mean == pytest.approx(
        (scores(weak.truth, weak.probabilities)["accuracy"][0] + 1) / 2
    )
    assert found.low < 0.55
    assert found.high == 1


def test_the_same_seed_resamples_the_same_patients_for_every_method():
    a, b = right_with(0.7, 80, 5), right_with(0.7, 80, 5)
    np.testing.assert_array_equal(bootstrap([a], 200, 3)["auroc"], bootstrap([b], 200, 3)["auroc"])
    assert not np.array_equal(bootstrap([a], 200, 3)["auroc"], bootstrap([a], 200, 4)["auroc"])


def test_a_test_part_of_one_class_leaves_only_what_is_defined():
    one = prediction([1, 1, 1, 1], [[0.2, 0.8], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing of NumPy's may reach the user
        found = estimates([one], 200, 0.95, 0)
    assert found["accuracy"].mean == 0.75
    assert np.isnan([found["auroc"].mean, found["auroc"].low, found["auroc"].high]).all()


def test_a_rare_class_that_a_resample_misses_does_not_undo_the_interval():
    truth = [1] + [0] * 19
    one = prediction(truth, [[0.3, 0.7]] + [[0.6, 0.4]] * 19)
    found = estimates([one], 500, 0.95, 0)["auroc"]
    assert (found.mean, found.low, found.high) == (1, 1, 1)
