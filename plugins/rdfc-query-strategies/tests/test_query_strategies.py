"""The strategies keep what rdfc relies on, and choose what their papers say."""

from __future__ import annotations

import numpy as np
import pytest

from rdfc_core.interfaces import QueryPool
from rdfc_core.plugin.registry import installed
from rdfc_core.testing import check_plugin, check_query_strategy

COLD = ("typiclust", "probcover", "coreset", "maxherding")
DOUBTFUL = ("margin", "badge", "typiclust-uncertain")


def built(name, **options):
    component = installed().get("query_strategy", name)
    return component.build(component.load_config()(**options))


@pytest.mark.parametrize("name", [*COLD, *DOUBTFUL, "random"])
def test_each_strategy_keeps_its_promises(name):
    check_query_strategy(built(name))


def test_the_plugin_is_sound():
    check_plugin("rdfc_query_strategies")


HEAPS = np.repeat(np.eye(3), 10, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(30, 3))
ROWS = HEAPS / np.linalg.norm(HEAPS, axis=1, keepdims=True)
PATIENTS = tuple(f"patient-{place}" for place in range(30))


def pool(labelled=(), probabilities=None):
    known = ROWS[list(labelled)]
    return QueryPool(
        embeddings=ROWS,
        patients=PATIENTS,
        labelled=known,
        labelled_patients=tuple(f"known-{place}" for place in range(len(known))),
        truth=np.arange(len(known)) % 2,
        classes=("benign", "malignant"),
        probabilities=probabilities,
    )


def places(name, given, budget, **options):
    found = built(name, **options).choose(given, budget, np.random.default_rng(0))
    return [one.place for one in found]


@pytest.mark.parametrize("name", COLD)
def test_three_heaps_give_one_case_each(name):
    assert {place // 10 for place in places(name, pool(), 3)} == {0, 1, 2}


@pytest.mark.parametrize("name", COLD)
def test_a_heap_with_a_label_waits(name):
    assert {place // 10 for place in places(name, pool(labelled=[4]), 2)} == {1, 2}


def test_core_set_takes_the_case_furthest_from_all_labelled_ones():
    given = pool(labelled=[0, 12])
    far = np.linalg.norm(ROWS[:, None] - given.labelled[None], axis=2).min(axis=1)
    assert places("coreset", given, 1) == [int(far.argmax())]


def test_margin_takes_the_closest_two_classes_first():
    sure = np.linspace(0.5, 0.99, 30)[np.random.default_rng(1).permutation(30)]
    said = np.stack([sure, 1 - sure], axis=1)
    assert places("margin", pool([0, 12], said), 30) == np.argsort(sure).tolist()


def test_typical_cases_are_taken_from_the_doubtful_share_alone():
    sure = np.where(np.arange(30) < 20, 0.95, 0.55)
    said = np.stack([sure, 1 - sure], axis=1)
    found = places("typiclust-uncertain", pool([0, 12], said), 3, share=1 / 3)
    assert min(found) >= 20
