"""Labels bought batch after batch: by whom, from what, and what they are worth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from rdfc_core.case import Case
from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.data.splits import Split
from rdfc_core.evaluation.linear_probe import LabelledSplit
from rdfc_core.evaluation.query_curves import curves
from rdfc_core.evaluation.query_pool import PoolCases
from rdfc_core.evaluation.query_simulation import Bought, simulate, with_random
from rdfc_core.interfaces import Query, QueryStrategy

TRAIN, TEST = 40, 30
CLASSES = ("benign", "malignant")


class Spy(QueryStrategy):
    """Takes the first candidates, and keeps what it was shown."""

    def __init__(self, needs_model=False):
        self.pools, self.needs_model = [], needs_model

    def choose(self, pool, budget, generator):
        self.pools.append(pool)
        return [Query(place, "the first") for place in range(budget)]


def split_of(labels=(2, 4, 10), repeats=2, unit="case", patients=None):
    ids = [f"case-{place}" for place in range(TRAIN + TEST)]
    patients = patients or ids
    cases = {
        name: Case(name, patient, None, None, label=CLASSES[place % 2])
        for place, (name, patient) in enumerate(zip(ids, patients, strict=True))
    }
    split = Split("fold-1", tuple(ids[:TRAIN]), tuple(ids[:TRAIN]), tuple(ids[TRAIN:]))
    settings = EvaluateSettings(
        label_unit=unit, querying={"labels": labels, "repeats": repeats}, logistic_c=1.0
    )
    return LabelledSplit.of(split, cases, CLASSES, settings, seed=0)


def features(apart=1.0):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(TRAIN + TEST, 4)).astype(np.float32)
    rows[:, 0] += apart * (np.arange(len(rows)) % 2)
    return {"image": rows}


def bought(data, tables, **strategies):
    told = simulate(data, tables, CLASSES, with_random(strategies), lambda *_: None)
    found = {}
    for key, prediction in told:
        found.setdefault(key, []).append(prediction)
    return found


def test_a_strategy_is_shown_training_cases_and_the_labels_it_has_bought():
    spy, tables = Spy(), features()
    bought(split_of(repeats=1), tables, spy=spy)
    unit = tables["image"][:TRAIN] / np.linalg.norm(tables["image"][:TRAIN], axis=1, keepdims=True)
    assert [len(pool) for pool in spy.pools] == [40, 38, 36]
    for pool, known in zip(spy.pools, (0, 2, 4), strict=True):
        np.testing.assert_allclose(pool.labelled, unit[:known], atol=1e-6)
        np.testing.assert_allclose(pool.embeddings, unit[known:], atol=1e-6)
        assert pool.truth.tolist() == [place % 2 for place in range(known)]
        assert (pool.probabilities is None) == (known == 0)


def test_other_test_cases_change_nothing_that_is_bought():
    one, other = Spy(), Spy()
    bought(split_of(repeats=1), features(), spy=one)
    tables = features()
    tables["image"][TRAIN:] = 99
    data = split_of(repeats=1)
    data.truth[TRAIN:] = 1 - data.truth[TRAIN:]
    bought(data, tables, spy=other)
    for mine, theirs in zip(one.pools, other.pools, strict=True):
        for name in ("embeddings", "labelled", "truth", "probabilities"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name))


def test_one_that_asks_a_model_draws_at_random_until_two_classes_are_known():
    spy = Spy(needs_model=True)
    found = bought(split_of(labels=(1, 4, 10), repeats=1), features(), spy=spy)
    assert all(pool.probabilities is not None for pool in spy.pools)
    assert [len(pool) for pool in spy.pools][-1] == 36
    [first] = found[Bought("spy", 1)]  # of one label, that label is said of all
    assert set(first.probabilities.max(axis=1)) == {1.0}


def test_patients_are_counted_and_bring_all_their_cases():
    patients = [f"patient-{place // 4}" for place in range(TRAIN + TEST)]
    spy = Spy()
    found = bought(
        split_of(labels=(2, 5), repeats=1, unit="patient", patients=patients), features(), spy=spy
    )
    assert [len(pool) for pool in spy.pools] == [10, 8]
    [told] = found[Bought("spy", 5)]
    assert (told.labelled_patients, told.labelled_cases) == (5, 20)
    rows = PoolCases.of(
        {"image": features()["image"][:TRAIN]}, patients[:TRAIN], CLASSES, "patient"
    ).features
    mean = rows[:4].mean(axis=0)
    np.testing.assert_allclose(spy.pools[0].embeddings[0], mean / np.linalg.norm(mean))


def test_numbers_of_labels_that_a_split_does_not_have_are_left_out():
    found = bought(split_of(labels=(2, 40, 41), repeats=1), features())
    assert {key.labels for key in found} == {2, 40}


def test_points_are_the_scores_and_differences_from_random_draws():
    found = bought(split_of(labels=(10, 20), repeats=3), features(2.0), spy=Spy())
    points = {(one.strategy, one.labels): one for one in curves(found, "f1_weighted", 200, 0.95, 0)}
    assert set(points) == {(s, n) for s in ("random", "spy") for n in ((10,), (20,), (10, 20))}

    def score(key):
        return np.mean(
            [f1_score(p.truth, p.probabilities.argmax(1), average="weighted") for p in found[key]]
        )

    for count in (10, 20):
        one = points["spy", (count,)]
        assert one.mean == pytest.approx(score(Bought("spy", count)))
        assert one.difference == pytest.approx(one.mean - score(Bought("random", count)))
        assert one.diff_low <= one.difference <= one.diff_high
        assert points["random", (count,)].difference == 0
    both = points["spy", (10, 20)]
    assert both.mean == pytest.approx((points["spy", (10,)].mean + points["spy", (20,)].mean) / 2)


class Oracle(QueryStrategy):
    """Takes what lies furthest to either side in turn, where random draws may miss a side."""

    def choose(self, pool, budget, generator):
        order = np.argsort(pool.embeddings[:, 0])
        sides = np.stack([order, order[::-1]], axis=1).ravel()
        return [Query(int(place), "far out") for place in sides[:budget]]


def test_what_is_worth_more_has_an_interval_above_zero():
    data, tables = split_of(labels=(2,), repeats=10), features(0.0)
    rows = tables["image"][:, :1]
    rows[:, 0] = np.where(np.arange(TRAIN + TEST) % 2, 1.0, -1.0)
    rows[10:TRAIN, 0] = 0  # most training cases say nothing; the oracle finds the others
    found = bought(data, {"image": rows}, oracle=Oracle())
    points = curves(found, "f1_weighted", 500, 0.95, 0)
    own = next(one for one in points if one.strategy == "oracle")
    assert own.mean == 1
    assert own.diff_low > 0
