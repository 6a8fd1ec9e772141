"""Prediction sets and operating points, against another library, a formula and a simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from crepes import ConformalClassifier, ConformalRegressor

from rdfc_core import StudyError
from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.config.safeguard_settings import OperatingPointSettings
from rdfc_core.evaluation.bootstrap import resample_weights
from rdfc_core.evaluation.conformal import (
    calibrate_interval,
    calibrate_sets,
    conformal_quantile,
    patients_needed,
    sets_of,
)
from rdfc_core.evaluation.judged_safeguards import Shares
from rdfc_core.evaluation.operating_points import (
    called_positive,
    choose_point,
    refuse_unfit_points,
)

CLASSES = ("benign", "malignant", "other")


def drawn(count: int, seed: int, classes: int = 3):
    """Probabilities that lean to the label, and the labels."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, count)
    logits = rng.normal(0, 1, (count, classes)) + 1.5 * np.eye(classes)[truth]
    said = np.exp(logits)
    return said / said.sum(axis=1, keepdims=True), truth


def patients(count: int) -> list[str]:
    return [f"P{k:04d}" for k in range(count)]


APART = [0.831, 0.907, 0.953]
"""Shares of which no number of cases is a whole one: crepes takes a tie in, others leave it out."""


@pytest.mark.parametrize("coverage", APART)
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_are_those_of_crepes_where_a_patient_has_one_case(coverage, by_class):
    said, truth = drawn(151, 0)
    new, _ = drawn(80, 1)
    made = calibrate_sets(said, truth, patients(151), CLASSES, coverage, by_class)
    own = sets_of(new, CLASSES, [made])
    scores = 1 - said[np.arange(151), truth]
    for place in range(3):
        taught = scores[truth == place] if by_class else scores
        known = ConformalClassifier().fit(taught)
        sets = known.predict_set((1 - new)[:, [place]], confidence=coverage, smoothing=False)
        np.testing.assert_array_equal(own[:, place], sets[:, 0].astype(bool))


@pytest.mark.parametrize("coverage", APART)
def test_intervals_are_those_of_crepes_where_a_patient_has_one_case(coverage):
    rng = np.random.default_rng(3)
    said, truth = rng.normal(0, 2, 77), rng.normal(0, 2, 77)
    made = calibrate_interval(said, truth, patients(77), coverage)
    known = ConformalRegressor().fit(truth - said).predict_int(np.zeros(1), confidence=coverage)
    assert [-made.half_width, made.half_width] == pytest.approx(known[0].tolist())


def test_a_patient_counts_once_however_many_cases_it_has():
    rng = np.random.default_rng(4)
    scores, owners = rng.random(30), patients(30)
    times = rng.integers(1, 6, 30)
    many = np.repeat(scores, times), np.repeat(owners, times).tolist()
    assert conformal_quantile(*many, 0.9) == conformal_quantile(scores, owners, 0.9)


@pytest.mark.parametrize(("level", "needed"), [(0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_too_few_patients_give_no_quantile(level, needed):
    assert patients_needed(level) == needed
    scores = np.arange(needed, dtype=float)
    assert conformal_quantile(scores, patients(needed), level) == needed - 1
    assert math.isinf(conformal_quantile(scores[1:], patients(needed - 1), level))


def test_sets_hold_as_many_cases_of_new_patients_as_asked_where_cases_are_alike():
    """Cases of one patient share most of their noise: as independent cases they would mislead."""
    rng, level, held = np.random.default_rng(5), 0.9, []
    for _ in range(600):
        sizes = rng.integers(1, 12, 24)
        owners = np.repeat(np.arange(24), sizes)
        scores = rng.normal(0, 1, 24)[owners] + 0.3 * rng.normal(0, 1, len(owners))
        limit = conformal_quantile(scores, [str(one) for one in owners], level)
        new = rng.normal(0, 1) + 0.3 * rng.normal(0, 1, int(rng.integers(1, 12)))
        held.append(float((new <= limit).mean()))
    error = np.std(held) / math.sqrt(len(held))
    assert level - 3 * error < np.mean(held) < level + 1 / 25 + 3 * error


def test_classes_are_calibrated_apart_where_each_has_patients_enough():
    said, truth = drawn(60, 6)
    assert calibrate_sets(said, truth, patients(60), CLASSES, 0.9).by_class
    rare = np.flatnonzero(truth == 2)[8:]
    kept = np.setdiff1d(np.arange(60), rare)  # 8 patients of the third class: 9 are needed
    few = said[kept], truth[kept], patients(len(kept))
    together = calibrate_sets(*few, CLASSES, 0.9)
    assert not together.by_class
    assert len(set(together.thresholds.values())) == 1
    asked = calibrate_sets(*few, CLASSES, 0.9, by_class=True)
    assert not asked.thresholds
    assert asked.why_not == (
        "8 training patients of the class other could be held back, and sets that hold the label "
        "as often as asked need 9"
    )
    nothing = calibrate_sets(said[:8], truth[:8], patients(8), CLASSES, 0.9)
    assert nothing.why_not.startswith("8 training patients could be held back")


@pytest.mark.parametrize("aim", [0.8, 0.9, 0.95])
def test_an_operating_point_is_the_threshold_that_costs_least_of_those_that_reach_its_aim(aim):
    said, truth = drawn(200, 7, classes=2)
    two = ("no", "yes")
    sure = choose_point(OperatingPointSettings(sensitivity=aim, positive="yes"), said, truth, two)
    spared = choose_point(OperatingPointSettings(specificity=aim, positive="yes"), said, truth, two)
    own = said[:, 1]
    possible = [*own, *np.nextafter(own, 2)]
    of_positives = {t: float((own[truth == 1] >= t).mean()) for t in possible}
    of_others = {t: float((own[truth == 0] < t).mean()) for t in possible}
    assert sure.threshold == max(t for t in own if of_positives[t] >= aim)
    assert spared.threshold == min(t for t in possible if of_others[t] >= aim)
    assert sure.sensitivity == of_positives[sure.threshold] >= aim
    assert spared.specificity == of_others[spared.threshold] >= aim
    called = called_positive(said, two, [sure])
    assert called[truth == 1].mean() == sure.sensitivity


def test_a_point_may_look_for_the_first_class_and_needs_ten_cases():
    said, truth = drawn(60, 8, classes=2)
    asked = OperatingPointSettings(sensitivity=0.9, positive="no")
    second = OperatingPointSettings(sensitivity=0.9, positive="no")
    mirrored = choose_point(second, said[:, ::-1], 1 - truth, ("yes", "no"))
    found = choose_point(asked, said, truth, ("no", "yes"))
    assert (found.positive, found.threshold) == ("no", mirrored.threshold)
    few = np.flatnonzero(truth == 0)[9:]
    kept = np.setdiff1d(np.arange(60), few)
    none = choose_point(asked, said[kept], truth[kept], ("no", "yes"))
    assert none.threshold is None
    assert none.why_not.startswith("9 training cases of the class no could be held back")


def test_points_are_refused_that_do_not_tell_two_classes_of_the_data_apart():
    settings = EvaluateSettings.model_validate(
        {"operating_points": [{"sensitivity": 0.95, "positive": "b"}]}
    )
    refuse_unfit_points(settings, ("a", "b"))
    with pytest.raises(StudyError, match="there are 3"):
        refuse_unfit_points(settings, ("a", "b", "c"))
    named = EvaluateSettings.model_validate(
        {"operating_points": [{"specificity": 0.9, "positive": "malignent"}]}
    )
    with pytest.raises(StudyError, match="'malignent', and the classes are benign and malignant"):
        refuse_unfit_points(named, ("benign", "malignant"))
    for wrong in ({}, {"sensitivity": 0.9, "specificity": 0.9}):
        with pytest.raises(ValueError, match="one aim"):
            OperatingPointSettings.model_validate({"positive": "a", **wrong})
    twice = [{"sensitivity": 0.9, "positive": one} for one in "ab"]
    with pytest.raises(ValueError, match=r"sensitivity_0\.9 stands twice"):
        EvaluateSettings.model_validate({"operating_points": twice})


def test_shares_have_an_exact_interval_where_no_resample_differs():
    owners = patients(20)
    shares = Shares(owners, resample_weights(owners, 200, 0), 0.95)
    every = shares.of(np.ones(20, bool))
    assert every.estimate == every.high == 1
    assert every.low == pytest.approx(0.025 ** (1 / 20))  # Clopper and Pearson
    half = shares.of(np.arange(20) < 10)
    assert half.low < half.estimate == 0.5 < half.high
    assert shares.of(np.ones(20, bool), np.zeros(20, bool)).estimate is None
