"""Conventional radiomics: scikit-learn's pipeline, chosen and fitted by the training cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from rdfc_core.evaluation.conventional_radiomics import GRID, ConventionalRadiomics


def drawn(cases: int = 45, features: int = 20, classes: int = 2, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    truth = np.arange(cases) % classes
    table = rng.normal(size=(cases, features))
    table[:, :4] += 1.5 * truth[:, None]
    return table * 10.0 ** (np.arange(features) % 7 - 3), truth


def patients(cases: int) -> list[str]:
    return [f"p{i}" for i in range(cases)]


def fitted(table: Any, truth: Any, classes: int = 2, folds: int = 3) -> ConventionalRadiomics:
    method = ConventionalRadiomics(classes, balanced=True, folds=folds, seed=0)
    method.fit(table, truth, patients(len(truth)))
    return method


@pytest.mark.parametrize("classes", [2, 3])
def test_it_says_what_scikit_learn_s_own_pipeline_says(classes):
    table, truth = drawn(classes=classes)
    ours = fitted(table, truth, classes)

    def svm() -> LinearSVC:
        return LinearSVC(
            penalty="l1", dual=False, class_weight="balanced", max_iter=5000, random_state=0
        )

    theirs = GridSearchCV(
        Pipeline(
            [
                ("scale", StandardScaler()),
                ("rank", SelectKBest(k="all")),
                ("select", SelectFromModel(svm())),
                ("classify", svm()),
            ]
        ),
        {name: list(values) for name, values in GRID.items()},
        scoring="f1_weighted",
        cv=StratifiedGroupKFold(3, shuffle=True, random_state=0).split(
            truth, truth, patients(len(truth))
        ),
    ).fit(table, truth)
    assert ours.chosen == theirs.best_params_
    unseen, _ = drawn(classes=classes, seed=1)
    said = ours.predict(unseen)
    assert (said.argmax(axis=1) == theirs.predict(unseen)).all()
    np.testing.assert_allclose(said.sum(axis=1), 1)
    if classes == 2:  # one factor, so that the decisions stay in order
        decisions = theirs.decision_function(unseen)
        odds = np.log(said[:, 1] / said[:, 0])
        np.testing.assert_allclose(odds, decisions / ours.temperature, rtol=1e-6, atol=1e-9)


def test_it_learns_what_can_be_learnt_and_its_probabilities_are_not_extreme():
    table, truth = drawn(200)
    method = fitted(table, truth)
    unseen, expected = drawn(200, seed=1)
    said = method.predict(unseen)[:, 1]
    assert roc_auc_score(expected, said) > 0.9
    sure = np.abs(said - 0.5) > 0.4
    assert ((said > 0.5) == expected)[sure].mean() > 0.85  # "at least 0.9" holds, roughly


def test_at_most_300_features_are_ranked_and_the_kept_ones_are_those_that_tell():
    table, truth = drawn(80, features=400)
    method = fitted(table, truth)
    ranked = method.pipeline.named_steps["rank"].get_support()
    assert ranked.sum() == 300
    assert ranked[:4].all()
    kept = np.flatnonzero(ranked)[method.pipeline.named_steps["select"].get_support()]
    assert set(range(4)) <= set(kept.tolist())


def test_missing_and_constant_features_do_no_harm():
    table, truth = drawn()
    table[::7, 1] = np.nan
    table[:, 5], table[:, 6] = np.nan, 3.0
    method = fitted(table, truth)
    assert np.isfinite(method.predict(table)).all()


def test_a_single_case_of_each_class_is_enough_to_say_something():
    table, _ = drawn(2)
    method = fitted(table, np.array([0, 1]))
    assert method.temperature == 1
    assert method.predict(table).shape == (2, 2)


def test_a_penalty_that_leaves_no_feature_selects_none_away():
    rng = np.random.default_rng(0)
    method = fitted(rng.normal(size=(8, 5)) * 1e-3, np.arange(8) % 2)
    assert method.pipeline.named_steps["select"].get_support().any()


def test_a_class_without_training_cases_is_never_predicted():
    table, truth = drawn(classes=3)
    there = truth != 1
    said = fitted(table[there], truth[there], classes=3).predict(table)
    assert (said[:, 1] == 0).all()
    np.testing.assert_allclose(said.sum(axis=1), 1)


def test_it_follows_its_seed():
    table, truth = drawn(12)
    np.testing.assert_array_equal(
        fitted(table, truth).predict(table), fitted(table, truth).predict(table)
    )
