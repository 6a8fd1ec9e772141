"""The check of evaluators: what a sound one passes, and what a broken one is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from rdfc_core.evaluation.evaluators import labels_of
from rdfc_core.interfaces import Evaluator, EvaluatorCases, Labels
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_evaluator


class Probabilities:
    def __init__(self, network, classes):
        self.network, self.classes = network, classes

    def predict(self, cases):
        pictures = cases.views["image"].flatten(1)
        with torch.no_grad():
            return self.network(pictures).softmax(1).numpy()


class OnPictures(Evaluator):
    """A network whose weights come from torch's global generator, as is usual."""

    inputs = ("views",)

    def fit(self, cases, labels, seed):
        network = nn.Linear(256, labels.classes)
        targets = torch.from_numpy(labels.truth)
        optimizer = torch.optim.SGD(network.parameters(), 0.1)
        for _ in range(3):
            optimizer.zero_grad()
            nn.functional.cross_entropy(
                network(cases.views["image"].flatten(1)), targets
            ).backward()
            optimizer.step()
        return Probabilities(network, labels.classes)


class Linear(Evaluator):
    """Sound, but for what is done to it below."""

    inputs = ("features", "columns")

    def fit(self, cases, labels, seed):
        self.scaler = StandardScaler().fit(cases.table())
        self.model = LogisticRegression(random_state=seed)
        self.model.fit(self.scaler.transform(cases.table()), labels.truth)
        self.classes = labels.classes
        return self

    def predict(self, cases):
        found = np.zeros((len(cases), self.classes))
        found[:, self.model.classes_] = self.model.predict_proba(
            self.scaler.transform(cases.table())
        )
        return found


class Apart(Linear):
    def fit(self, cases, labels, seed):
        learnt = Linear()
        return Linear.fit(learnt, cases, labels, seed)


class ByTheOthers(Apart):
    def fit(self, cases, labels, seed):
        learnt = ByTheOthers()
        return Linear.fit(learnt, cases, labels, seed)

    def predict(self, cases):
        self.scaler = StandardScaler().fit(cases.table())
        return super().predict(cases)


class Forgetful(Apart):
    """Has no column for a class that is missing."""

    def fit(self, cases, labels, seed):
        learnt = super().fit(cases, labels, seed)
        learnt.classes = len(set(labels.truth))
        return learnt


class Unseeded(Apart):
    def fit(self, cases, labels, seed):
        noise = np.random.default_rng().permutation(labels.truth)
        return super().fit(cases, type(labels)(noise, labels.weights, labels.classes), seed)


class Scaling(Apart):
    def fit(self, cases, labels, seed):
        next(iter(cases.features.values()))[:] *= 2
        return super().fit(cases, labels, seed)


class WithoutGradients(Apart):
    def fit(self, cases, labels, seed):
        torch.set_grad_enabled(False)
        return super().fit(cases, labels, seed)


class OfEverything(Apart):
    inputs = ("features", "labels")


NAMES = ("gradient-boosting", "random-forest", "class-frequencies")


@pytest.mark.parametrize("name", NAMES)
def test_those_that_core_brings_along_pass(name):
    component = installed().get("evaluator", name)
    few = {"random-forest": {"trees": 10}, "gradient-boosting": {"iterations": 10}}
    check_evaluator(component.build(component.load_config()(**few.get(name, {}))))


def test_a_network_that_draws_its_weights_as_usual_passes():
    before = torch.get_rng_state(), np.random.get_state()[1]
    check_evaluator(OnPictures())
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])


def test_a_classifier_that_gives_a_new_predictor_passes():
    check_evaluator(Apart())


@pytest.mark.parametrize(
    ("evaluator", "told"),
    [
        (Linear(), r"Linear.fit\(\) changed what an earlier fit\(\) gave; give a new predictor"),
        (ByTheOthers(), "says something else of a case when others are asked beside it"),
        (
            Forgetful(),
            r"predict\(\) gave float64 \(36, 2\) for 36 cases; give probabilities of all",
        ),
        (Unseeded(), "said something else of the same cases for the same seed"),
        (Scaling(), "changed the cases or labels that it was given"),
        (WithoutGradients(), r"WithoutGradients.fit\(\) changed .* whether torch records"),
        (OfEverything(), "give a tuple of features, embeddings, handcrafted, columns, views"),
    ],
)
def test_a_broken_one_is_told(evaluator, told):
    with pytest.raises(AssertionError, match=told):
        check_evaluator(evaluator)
    assert torch.is_grad_enabled()


def test_cases_of_ones_own_are_looked_at():
    rng = np.random.default_rng(0)
    tables = {"mine": rng.normal(size=(20, 4)).astype(np.float32)}
    own = EvaluatorCases(tuple(map(str, range(20))), features=tables, columns={})
    check_evaluator(Apart(), cases=own)


class Mean(Evaluator):
    """Of numbers: their mean, for every case."""

    inputs = ()
    tasks = ("regression",)

    def __init__(self, shape=()):
        self.shape = shape

    def fit(self, cases, labels, seed):
        said, shape = Probabilities(None, 0), self.shape
        mean = np.average(labels.truth, weights=labels.weights)
        said.predict = lambda cases: np.full((len(cases), *shape), mean)
        return said


def test_an_evaluator_of_numbers_is_checked_on_numbers():
    check_evaluator(Mean())
    with pytest.raises(
        AssertionError, match=r"gave float64 \(24, 1\) .*give finite numbers, \(24,\)"
    ):
        check_evaluator(Mean((1,)))


def test_trees_learn_numbers_as_scikit_learn_does():
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(0)
    table = rng.normal(size=(60, 3))
    numbers = table[:, 0] * 2 + 5
    cases = EvaluatorCases(tuple(map(str, range(60))), handcrafted=table, names=("a", "b", "c"))
    component = installed().get("evaluator", "random-forest")
    forest = component.build(component.load_config()(trees=20))
    said = forest.fit(cases, Labels(numbers, np.ones(60), 0), seed=3).predict(cases)
    own = RandomForestRegressor(20, random_state=3)
    own.fit(table, numbers, sample_weight=np.ones(60))
    np.testing.assert_array_equal(said, own.predict(table))


def test_rare_classes_weigh_as_much_as_frequent_ones():
    truth = np.array([0] * 9 + [2])
    weights = labels_of(truth, classes=3, balanced=True).weights
    assert weights[:9].sum() == pytest.approx(weights[9]) == 5
    np.testing.assert_array_equal(labels_of(truth, 3, balanced=False).weights, 1)
