"""Models that predict numbers: right, in the units of the label, and saved as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.evaluation.losses import Huber
from rdfc_core.evaluation.number_folds import number_folds
from rdfc_core.evaluation.number_models import NeighbourMean, RidgeProbe, SgdRegression
from rdfc_core.evaluation.radiomics_regression import RadiomicsRegression
from rdfc_core.evaluation.saved_members import of_pipeline
from rdfc_core.evaluation.tasks import TASKS
from rdfc_core.models.head import Head
from rdfc_core.models.members import Inputs
from rdfc_core.models.outputs import OUTPUTS

SETTINGS = EvaluateSettings(task="regression", sgd_epochs=60, sgd_learning_rate=0.05, knn_k=3)


@pytest.fixture
def drawn():
    """Two views of 80 cases, and a number in hundreds that the first of them tells."""
    rng = np.random.default_rng(0)
    features = {"a": rng.normal(3, 2, (80, 6)), "b": rng.normal(size=(80, 4))}
    truth = 500 + 40 * features["a"][:, 0] + rng.normal(0, 5, 80)
    return {k: v.astype(np.float32) for k, v in features.items()}, truth


def test_ridge_is_scikit_learns_on_standardised_features_and_labels(drawn):
    features, truth = drawn
    probe = RidgeProbe(SETTINGS, alpha=0.3)
    probe.fit(features, truth, 1)
    table = StandardScaler().fit_transform(np.hstack(list(features.values())).astype(np.float64))
    targets = (truth - truth.mean()) / truth.std()
    known = Ridge(alpha=0.3 * 10).fit(table, targets).predict(table)
    np.testing.assert_allclose(
        probe.predict(features)[:, 0], truth.mean() + truth.std() * known, rtol=1e-6
    )


@pytest.mark.parametrize("model", [RidgeProbe(SETTINGS, 0.01), SgdRegression(SETTINGS, 0)])
def test_predictions_follow_the_units_of_the_label(model, drawn):
    features, truth = drawn
    model.fit(features, truth, 1)
    one = model.predict(features)
    assert np.corrcoef(one[:, 0], truth)[0, 1] > 0.97
    model.fit(features, 1000 * truth - 7, 1)
    np.testing.assert_allclose(model.predict(features), 1000 * one - 7, rtol=1e-4)


def test_neighbours_say_the_mean_of_their_numbers():
    features = {"a": np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)}
    model = NeighbourMean(SETTINGS.model_copy(update={"knn_k": 1}))
    model.fit(features, np.array([3.0, 5.0, 9.0]), 1)
    said = model.predict({"a": np.array([[2, 0], [0, 7]], np.float32)})
    np.testing.assert_allclose(said, [[3.0], [9.0]])


@pytest.mark.parametrize(
    ("name", "kind"), [("ridge", RidgeProbe), ("sgd", SgdRegression), ("knn", NeighbourMean)]
)
def test_models_are_made_by_the_names_of_a_study(name, kind):
    assert type(TASKS["regression"].classifier(name, SETTINGS, 0, "features")) is kind


def test_conventional_radiomics_finds_the_feature_and_is_saved_as_one_linear_map():
    rng = np.random.default_rng(0)
    table = rng.normal(5, 3, (60, 20))
    truth = 10 + 4 * table[:, 3] + rng.normal(0, 1, 60)
    table[7, 5] = np.nan
    table[:, 9] = 2.0
    method = RadiomicsRegression(folds=3, seed=0)
    method.fit(table, truth, [str(i) for i in range(60)])
    said = method.predict(table)
    assert said.shape == (60, 1)
    assert np.corrcoef(said[:, 0], truth)[0, 1] > 0.99
    assert np.abs(said[:, 0] - truth).mean() < 1.5
    member = of_pipeline(method, "radiomics", "regression")
    inputs = Inputs(learnt={}, standard={}, measured={"radiomics": table}, cases={})
    np.testing.assert_allclose(member.predict(inputs), said)


def test_a_head_that_learnt_standardised_numbers_says_them_in_the_labels_units():
    truth = np.array([100.0, 200.0, 300.0])
    loss = Huber(truth, 1, balanced=False)
    head = Head([2], 1, direct=True)
    inputs = torch.randn(5, 2)
    before = head(inputs).detach()
    loss.end_head(head)
    expected = truth.mean() + truth.std() * before
    torch.testing.assert_close(head(inputs).detach(), expected.float(), rtol=1e-5, atol=1e-3)


def test_a_head_begins_with_a_probe_in_the_labels_units():
    truth = np.array([100.0, 200.0, 300.0])
    loss = Huber(truth, 1, balanced=False)
    head = Head([2], 1, direct=True)
    weight, bias = np.array([[3.0, -2.0]]), np.array([150.0])
    loss.begin_head(head, weight, bias)
    loss.end_head(head)
    inputs = torch.randn(5, 2)
    expected = inputs @ torch.tensor(weight).float().T + 150
    torch.testing.assert_close(head(inputs).detach(), expected, rtol=1e-4, atol=1e-3)


def test_one_label_that_is_far_off_weighs_linearly():
    loss = Huber(np.array([-1.0, 1.0]), 1, balanced=False)
    zero = torch.zeros(1, 1)
    assert loss.of(zero, torch.tensor([[0.5]])).item() == pytest.approx(0.125)
    assert loss.of(zero, torch.tensor([[9.0]])).item() == pytest.approx(8.5)


def test_numbers_are_said_as_they_are_and_no_temperature_touches_them():
    output = OUTPUTS["regression"]
    values = np.array([[-3.0], [12.5]])
    assert output.width(()) == 1
    np.testing.assert_array_equal(output.of_array(values), values)
    np.testing.assert_array_equal(output.tempered(values, 7.0), values)
    np.testing.assert_array_equal(output.of_tensor(torch.tensor(values)).numpy(), values)


def test_inner_folds_keep_patients_together_and_spread_the_numbers():
    rng = np.random.default_rng(0)
    patients = [f"p{i // 2}" for i in range(40)]
    truth = np.repeat(rng.normal(size=20), 2)
    folds = number_folds(truth, patients, 4, 0)
    assert len(folds) == 4
    assert sorted(np.concatenate([held for _, held in folds]).tolist()) == list(range(40))
    for train, held in folds:
        assert not {patients[i] for i in train} & {patients[i] for i in held}
        assert truth[held].min() < np.median(truth) < truth[held].max()


def test_few_or_equal_numbers_have_no_inner_folds():
    assert number_folds(np.arange(3.0), ["a", "b", "c"], 3, 0) == []
    assert number_folds(np.ones(8), [str(i) for i in range(8)], 3, 0) == []


def test_alphas_are_those_of_the_settings(drawn):
    features, truth = drawn
    weights = {}
    for alpha in (0.1, 10.0):
        probe = RidgeProbe(EvaluateSettings(task="regression", ridge_alpha=alpha))
        probe.fit(features, truth, 1)
        weights[alpha] = float(probe.model.weight[0, 0])
    assert weights[10.0] < weights[0.1] / 2
    settings = EvaluateSettings(task="regression", radiomics_alpha=(2.0, 0.5))
    assert settings.penalties == {"alpha2": 2.0, "alpha0.5": 0.5}
    assert EvaluateSettings().penalties == {"C0.01": 0.01, "C0.1": 0.1}
