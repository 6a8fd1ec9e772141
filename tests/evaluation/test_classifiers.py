"""Classifiers on frozen features, against scikit-learn and against their own networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rdfc_core import StudyError
from rdfc_core.config.study import EvaluateSettings
from rdfc_core.evaluation import classifiers
from rdfc_core.evaluation.classifiers import (
    KNN,
    LogisticProbe,
    SgdProbe,
)
from rdfc_core.evaluation.tasks import TASKS
from rdfc_core.models.linear_model import LinearModel, joined


def drawn(
    cases: int = 90, classes: int = 2, widths: tuple[int, ...] = (7, 5), seed: int = 0
) -> tuple[dict[str, Any], Any]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, cases)
    features = {
        f"view{place}": (rng.normal(size=(cases, width)) * 3 + truth[:, None] + 5).astype(
            np.float32
        )
        for place, width in enumerate(widths)
    }
    return features, truth


SETTINGS = EvaluateSettings(sgd_epochs=20)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("class_weight", ["balanced", "none"])
def test_logistic_regression_is_scikit_learns_on_standardised_features(classes, class_weight):
    features, truth = drawn(classes=classes)
    settings = EvaluateSettings(class_weight=class_weight, logistic_c=0.3)
    ours = LogisticProbe(settings)
    ours.fit(features, truth, classes)
    theirs = make_pipeline(
        StandardScaler(),
        LogisticRegression(
            C=0.3, class_weight="balanced" if class_weight == "balanced" else None, max_iter=5000
        ),
    ).fit(joined(features), truth)
    unseen, _ = drawn(seed=9, classes=classes)
    np.testing.assert_allclose(
        ours.predict(unseen), theirs.predict_proba(joined(unseen)), rtol=1e-6
    )


def test_a_constant_feature_does_no_harm():
    features, truth = drawn()
    features["view0"][:, 2] = 7
    ours = LogisticProbe(SETTINGS)
    ours.fit(features, truth, 2)
    assert np.isfinite(ours.predict(features)).all()
    assert ours.model.weight[1, 2] == 0


@pytest.mark.parametrize("make", [lambda: LogisticProbe(SETTINGS), lambda: KNN(SETTINGS)])
def test_a_class_without_training_cases_is_never_predicted(make):
    features, truth = drawn(classes=3)
    there = truth != 1
    taught = {view: table[there] for view, table in features.items()}
    learner = make()
    learner.fit(taught, truth[there], 3)
    said = learner.predict(features)
    assert said.shape == (90, 3)
    assert (said[:, 1] == 0).all()
    np.testing.assert_allclose(said.sum(axis=1), 1)
    two = make()
    two.fit(taught, (truth[there] == 2).astype(int), 2)  # the same problem of two classes
    np.testing.assert_allclose(said[:, [0, 2]], two.predict(features), rtol=1e-6)


def test_the_sgd_layer_survives_a_class_without_training_cases():
    features, truth = drawn(classes=3)
    there = truth != 1
    learner = SgdProbe(SETTINGS, seed=0)
    learner.fit({view: table[there] for view, table in features.items()}, truth[there], 3)
    said = learner.predict(features)
    assert np.isfinite(said).all()
    assert not (said.argmax(axis=1) == 1).any()


@pytest.mark.parametrize(
    ("widths", "direct"), [((7, 5), False), ((300, 5), False), ((16, 16), True), ((300,), False)]
)
def test_the_sgd_layers_linear_map_is_its_own_network(widths, direct, monkeypatch):
    heads = []

    class Kept(classifiers.Head):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            heads.append(self)

    monkeypatch.setattr(classifiers, "Head", Kept)
    features, truth = drawn(widths=widths)
    learner = SgdProbe(SETTINGS, seed=0, direct=direct)
    learner.fit(features, truth, 2)
    unseen, _ = drawn(widths=widths, seed=9)
    with torch.no_grad():
        logits = heads[0](torch.from_numpy(joined(unseen)).float())
    np.testing.assert_allclose(
        learner.predict(unseen), torch.softmax(logits, dim=1), rtol=1e-3, atol=1e-5
    )
    assert learner.model.weight.shape == (2, sum(widths))


def test_wide_features_go_through_the_papers_256_units_and_embeddings_do_not():
    def inner(widths: list[int], direct: bool) -> int:
        return classifiers.Head(widths, 2, direct).classes.in_features

    assert inner([2048, 256], direct=False) == 512
    assert inner([128, 128], direct=True) == 256
    assert inner([512, 512], direct=True) == 1024


@pytest.mark.parametrize("widths", [(300, 7), (300, 400), (7, 5)])
@pytest.mark.parametrize("direct", [False, True])
def test_a_head_takes_over_a_linear_map_and_says_the_same(widths, direct):
    features, truth = drawn(classes=3, widths=widths)
    learner = LogisticProbe(SETTINGS)
    learner.fit(features, truth, 4)  # the fourth class has no case: it is never said
    head = classifiers.Head(list(widths), 4, direct)
    head.begin_with(learner.model.weight, learner.model.bias)
    unseen, _ = drawn(classes=3, widths=widths, seed=9)
    with torch.no_grad():
        said = torch.softmax(head(torch.from_numpy(joined(unseen)).float()), dim=1)
    np.testing.assert_allclose(said, learner.predict(unseen), rtol=1e-3, atol=1e-5)
    assert said[:, 3].max() == 0
    assert all(torch.isfinite(one).all() for one in head.parameters())


def test_a_head_refuses_a_map_to_more_classes_than_it_has_numbers_a_view():
    head = classifiers.Head([300], 257, direct=False)
    with pytest.raises(StudyError, match=r"of 256 numbers a view can not begin .* 257 classes"):
        head.begin_with(np.zeros((257, 300)), np.zeros(257))


def test_the_sgd_layer_learns_what_can_be_learnt_and_follows_its_seed():
    features, truth = drawn(cases=200)
    settings = EvaluateSettings(sgd_epochs=60, sgd_learning_rate=0.01)
    said = []
    for seed in (0, 0, 1):
        learner = SgdProbe(settings, seed)
        learner.fit(features, truth, 2)
        said.append(learner.predict(features))
    np.testing.assert_array_equal(said[0], said[1])
    assert not np.array_equal(said[0], said[2])
    by_logistic = LogisticProbe(settings)
    by_logistic.fit(features, truth, 2)
    best = (by_logistic.predict(features).argmax(axis=1) == truth).mean()
    assert (said[0].argmax(axis=1) == truth).mean() > best - 0.1


def test_balanced_classes_raise_the_rare_ones_probability():
    features, truth = drawn(cases=200)
    rare = np.flatnonzero(truth == 1)[12:]
    kept = np.setdiff1d(np.arange(200), rare)
    few = {view: table[kept] for view, table in features.items()}
    for make in (LogisticProbe, lambda settings: SgdProbe(settings, 0)):
        mean = {}
        for weight in ("balanced", "none"):
            learner = make(EvaluateSettings(class_weight=weight, sgd_epochs=20))
            learner.fit(few, truth[kept], 2)
            mean[weight] = learner.predict(few)[:, 1].mean()
        assert mean["balanced"] > mean["none"]


def test_neighbours_are_scikit_learns_by_cosine():
    features, truth = drawn(classes=3)
    ours = KNN(EvaluateSettings(knn_k=7))
    ours.fit(features, truth, 3)
    theirs = KNeighborsClassifier(7, metric="cosine", weights="distance", algorithm="brute")
    theirs.fit(joined(features), truth)
    unseen, _ = drawn(seed=9)
    np.testing.assert_allclose(ours.predict(unseen), theirs.predict_proba(joined(unseen)))


def test_more_neighbours_than_cases_are_all_cases():
    features, truth = drawn(cases=5)
    truth[:2] = [0, 1]
    ours = KNN(EvaluateSettings(knn_k=50))
    ours.fit(features, truth, 2)
    assert ours.predict(features).shape == (5, 2)


def test_a_linear_model_takes_its_views_by_name_and_in_its_own_order():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    weight, bias = rng.normal(size=(3, 5)), rng.normal(size=3)
    model = LinearModel(weight, bias, ("a", "b"))
    logits = np.hstack([a, b]) @ weight.T + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict({"b": b, "other": a, "a": a}), expected)


def test_extreme_logits_give_probabilities_not_nan():
    model = LinearModel(np.array([[0.0], [1e6]]), np.zeros(2), ("a",))
    assert model.predict({"a": np.array([[1.0], [-1.0]])}).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("name", "kind"), [("logistic", LogisticProbe), ("sgd", SgdProbe), ("knn", KNN)]
)
def test_classifiers_are_made_by_the_names_of_a_study(name, kind):
    classifier = TASKS["classification"].classifier
    assert type(classifier(name, SETTINGS, 0, "features")) is kind
    assert classifier("sgd", SETTINGS, 0, "embedding").direct
    assert not classifier("sgd", SETTINGS, 0, "features").direct
