"""DeLong's test against its definition, pair by pair, and against cases known by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.delong import delong, influences
from rdfc_core.evaluation.metrics import scores


def prediction(
    truth: Any, score: Any, patients: Any = None, split: str = "holdout", repeat: int = 0
) -> Prediction:
    ids = tuple(f"{split}-{i}" for i in range(len(truth)))
    score = np.asarray(score, float)
    probabilities = score if score.ndim == 2 else np.stack([1 - score, score], axis=1)
    found = tuple(patients) if patients is not None else ids
    return Prediction(split, ids, found, np.asarray(truth), probabilities, repeat)


def naive(truth: Any, columns: list[Any]) -> tuple[list[float], NDArray[np.float64]]:
    """Areas and their covariance by DeLong's definition: every positive against every negative."""
    truth = np.asarray(truth)
    v10, v01 = [], []
    for score in columns:
        up, down = np.asarray(score)[truth == 1], np.asarray(score)[truth == 0]
        psi = np.array([[1.0 if x > y else 0.5 if x == y else 0.0 for y in down] for x in up])
        v10.append(psi.mean(axis=1))
        v01.append(psi.mean(axis=0))
    covariance = np.cov(v10) / len(v10[0]) + np.cov(v01) / len(v01[0])
    return [float(one.mean()) for one in v10], covariance


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_areas_and_error_are_those_of_the_definition(seed, ties):
    rng = np.random.default_rng(seed)
    truth = rng.permutation([1] * 17 + [0] * 25)
    a, b = rng.normal(size=(2, 42)) + 0.7 * truth
    if ties:
        a, b = a.round(), b.round()
    a, b = stats.norm.cdf(a), stats.norm.cdf(b)
    areas, covariance = naive(truth, [a, b])
    found = delong([prediction(truth, a)], [prediction(truth, b)])
    assert found.value == pytest.approx(areas[0] - areas[1])
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert found.error**2 == pytest.approx(variance)
    z = abs(areas[0] - areas[1]) / math.sqrt(variance)
    assert found.p == pytest.approx(2 * (1 - stats.norm.cdf(z)))


def test_a_case_worked_by_hand():
    # Positives 3, 1; negatives 2, 0. Of four pairs three are in order: θ = 3/4.
    # V10 = (1, 1/2), V01 = (1/2, 1): each has variance 1/8; (1/8)/2 + (1/8)/2 = 1/8.
    area, shares = influences(np.array([True, True, False, False]), np.array([3.0, 1, 2, 0]))
    assert area == 0.75
    assert np.square(shares).sum() == pytest.approx(1 / 8)
    assert shares.sum() == pytest.approx(0)
    # Against a method without any knowledge, whose variance is 0: z = (1/4)/√(1/8) = 1/√2.
    truth = [1, 1, 0, 0]
    found = delong(
        [prediction(truth, [0.9, 0.4, 0.6, 0.1])], [prediction(truth, [0.5, 0.5, 0.5, 0.5])]
    )
    assert found.value == pytest.approx(0.25)
    assert found.p == pytest.approx(2 * stats.norm.sf(1 / math.sqrt(2)))
    low, high = found.interval(0.95)
    assert (low + high) / 2 == pytest.approx(0.25)
    assert high - low == pytest.approx(2 * 1.959964 * math.sqrt(1 / 8))


def test_the_order_of_the_methods_turns_the_sign_and_nothing_else():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 50)
    a, b = (prediction(truth, rng.random(50)) for _ in range(2))
    there, back = delong([a], [b]), delong([b], [a])
    assert there.value == pytest.approx(-back.value)
    assert there.p == pytest.approx(back.p)


@pytest.mark.parametrize("change", [lambda p: p, lambda p: p**3])
def test_methods_that_order_cases_alike_do_not_differ(change):
    rng = np.random.default_rng(3)
    truth, score = rng.integers(0, 2, 50), rng.random(50)
    found = delong([prediction(truth, score)], [prediction(truth, change(score))])
    assert (found.value, found.p) == (0, 1)


def test_reversed_scores_mirror_the_area_and_keep_the_error():
    rng = np.random.default_rng(4)
    truth, score = rng.integers(0, 2, 40), rng.random(40)
    flat = [prediction(truth, np.full(40, 0.5))]
    up, down = (delong([prediction(truth, s)], flat) for s in (score, 1 - score))
    assert up.value == pytest.approx(-down.value)
    assert up.error == pytest.approx(down.error)


def test_p_is_uniform_where_two_methods_are_equally_good():
    p = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        truth = rng.permutation([1] * 40 + [0] * 60)
        common = rng.normal(size=100) + truth
        a, b = (stats.norm.cdf(common + rng.normal(size=100)) for _ in range(2))
        p.append(delong([prediction(truth, a)], [prediction(truth, b)]).p)
    # 400 trials: three standard errors of a share of 0.05 are 0.033, of 0.5 they are 0.075.
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.033)
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.075)


def test_copies_of_a_patient_s_case_make_nothing_surer():
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 60)
    a, b = rng.random(60) + 0.3 * truth, rng.random(60) + 0.1 * truth
    alone = delong([prediction(truth, a)], [prediction(truth, b)])
    patients = [f"p{i}" for i in np.repeat(range(60), 4)]
    many = [[prediction(np.repeat(truth, 4), np.repeat(score, 4), patients)] for score in (a, b)]
    together = delong(*many)
    assert together.value == pytest.approx(alone.value)
    # √(m/(m − 1)) of many cases, of which there seem to be four times as many.
    assert together.error == pytest.approx(alone.error, rel=0.03)
    apart = [[prediction(np.repeat(truth, 4), np.repeat(score, 4))] for score in (a, b)]
    assert delong(*apart).error == pytest.approx(alone.error / 2, rel=0.03)


def test_folds_of_other_patients_add_their_variances():
    rng = np.random.default_rng(6)
    folds: list[list[Prediction]] = [[], []]
    variances = []
    for fold in range(3):
        truth = rng.permutation([1] * 12 + [0] * 18)
        a, b = rng.random(30) + 0.4 * truth, rng.random(30)
        pair = [prediction(truth, one, split=f"fold-{fold}") for one in (a, b)]
        for method, one in zip(folds, pair, strict=True):
            method.append(one)
        variances.append(delong([pair[0]], [pair[1]]).error ** 2)
    found = delong(*folds)
    assert found.error**2 == pytest.approx(sum(variances) / 9)


def test_folds_that_are_drawn_anew_of_the_same_patients_add_no_information():
    rng = np.random.default_rng(6)
    truth = rng.permutation([1] * 12 + [0] * 18)
    a, b = rng.random(30) + 0.4 * truth, rng.random(30)
    patients = [f"p{i}" for i in range(30)]
    once, twice = (
        [
            [prediction(truth, score, patients, f"fold-1.{repeat}") for repeat in range(count)]
            for score in (a, b)
        ]
        for count in (1, 2)
    )
    assert delong(*twice).error == pytest.approx(delong(*once).error)


def test_repetitions_on_the_same_cases_are_averaged_with_their_covariance():
    rng = np.random.default_rng(7)
    truth = rng.permutation([1] * 20 + [0] * 30)
    columns = [rng.random(50) + 0.4 * truth for _ in range(3)]
    _, covariance = naive(truth, columns)
    contrast = np.array([0.5, 0.5, -1.0])
    repeated = [prediction(truth, one, repeat=i) for i, one in enumerate(columns[:2])]
    found = delong(repeated, [prediction(truth, columns[2])])
    assert found.error**2 == pytest.approx(contrast @ covariance @ contrast)


def test_of_several_classes_the_mean_of_one_versus_rest_is_compared():
    rng = np.random.default_rng(8)
    truth = rng.integers(0, 3, 60)
    a, b = (rng.dirichlet(np.ones(3), 60) + w * np.eye(3)[truth] for w in (0.4, 0.2))
    found = delong([prediction(truth, a)], [prediction(truth, b)])
    areas = [scores(truth, one)["auroc"][0] for one in (a, b)]
    assert found.value == pytest.approx(areas[0] - areas[1])
    # The error of a mean by the jackknife over cases, which DeLong's nearly equals.
    without = []
    for case in range(60):
        kept = np.arange(60) != case
        left = [scores(truth[kept], one[kept])["auroc"][0] for one in (a, b)]
        without.append(left[0] - left[1])
    jackknife = math.sqrt(59 / 60 * np.square(without - np.mean(without)).sum())
    assert found.error == pytest.approx(jackknife, rel=0.05)


def test_a_single_case_of_a_class_leaves_the_error_undefined():
    one = prediction([1, 0, 0, 0], [0.9, 0.1, 0.2, 0.3])
    assert math.isnan(delong([one], [one]).p)
