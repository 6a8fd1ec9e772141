"""Folds inside the training part, and the temperature that they fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from rdfc_core.evaluation.calibration import inner_folds, out_of_fold, temperature_of
from rdfc_core.models.temperature import tempered


def test_inner_folds_hold_each_case_back_once_and_divide_no_patient():
    truth = np.arange(60) % 2
    patients = [f"p{i // 2}" for i in range(60)]
    folds = inner_folds(truth, patients, 5, 0)
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == list(range(60))
    for train, held in folds:
        assert not {patients[i] for i in train} & {patients[i] for i in held}


def test_there_are_as_many_folds_as_the_rarest_class_has_patients():
    truth = np.array([0] * 20 + [1] * 3)
    folds = inner_folds(truth, [str(i) for i in range(23)], 5, 0)
    assert len(folds) == 3
    assert all(len(np.unique(truth[train])) == 2 for train, _ in folds)


@pytest.mark.parametrize("truth", [[0, 0, 0, 1], [1, 1, 1, 1]])
def test_nothing_can_be_held_back_of_a_class_with_one_patient(truth):
    assert inner_folds(np.array(truth), ["a", "b", "c", "d"], 5, 0) == []


def test_what_is_said_out_of_fold_comes_of_the_other_cases():
    folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]

    def learn(train: Any) -> Any:
        return lambda rows: np.full((len(rows), 2), train.sum())

    held, said = out_of_fold(learn, folds)
    assert held.tolist() == [0, 1, 2, 3]
    assert said[:, 0].tolist() == [5, 5, 1, 1]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 3)) * 3
    true = softmax(logits / temperature, axis=1)
    truth = (true.cumsum(axis=1) < rng.random((20_000, 1))).sum(axis=1)
    assert temperature_of(logits, truth) == pytest.approx(temperature, rel=0.05)


def test_a_few_cases_without_a_mistake_do_not_make_it_certain():
    # Five of each class, all told apart: Platt expects (5 + 1)/(5 + 2) and finds it.
    truth = np.array([0, 1] * 5)
    logits = np.where(np.eye(2)[truth] == 1, 1.0, -1.0)
    said = softmax(logits / temperature_of(logits, truth), axis=1)
    np.testing.assert_allclose(said[np.arange(10), truth], 6 / 7, rtol=1e-3)


def test_a_temperature_changes_no_class_and_no_order():
    rng = np.random.default_rng(1)
    said = rng.dirichlet(np.ones(2), 50)
    for temperature in (0.2, 5.0):
        changed = tempered(said, temperature)
        np.testing.assert_allclose(changed.sum(axis=1), 1)
        assert (changed.argmax(axis=1) == said.argmax(axis=1)).all()
        assert (np.argsort(changed[:, 1]) == np.argsort(said[:, 1])).all()
    np.testing.assert_allclose(tempered(said, 1.0), said)
    np.testing.assert_allclose(tempered(np.array([[0.8, 0.2]]), 0.5), [[16 / 17, 1 / 17]])


def test_a_class_that_is_ruled_out_stays_so():
    assert tempered(np.array([[0.0, 0.7, 0.3]]), 2.0)[0, 0] == pytest.approx(0, abs=1e-100)
