"""Permutation importance of families of features, against answers known another way."""

from __future__ import annotations

import numpy as np
import pytest

from rdfc_core.evaluation import permutation_importance, supervised
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.permutation_importance import Family, contributions, families, permute
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import TrialStore
from rdfc_core.utils.progress import Progress
from tests.support.small_setup import SETTINGS, noise, setup

NAMES = (
    "original_firstorder_Mean",
    "original_glcm_Contrast",
    "wavelet-LH_glcm_Contrast",
    "log-sigma-1-0-mm_firstorder_Mean",
    "original_shape2D_Sphericity",
)
WHOLE = Family("", "", 5, "radiomics", "svm")


def prediction(truth, second, repeat=0):
    ids = tuple(f"c{i}" for i in range(len(truth)))
    return Prediction("s", ids, ids, truth, np.stack([1 - second, second], axis=1), repeat)


def told_by(said, table, truth, names, repeats=10):
    """What a model that is known says of the table, and of it with each family permuted."""
    told = {WHOLE: [prediction(truth, said(table))]}
    for (grouping, name), columns in families(names).items():
        key = Family(grouping, name, len(columns), "radiomics", "svm")
        told[key] = [
            prediction(truth, said(rows), repeat)
            for repeat, rows in enumerate(permute(table, columns, repeats, seed=1))
        ]
    return told


def test_families_are_read_off_the_names_as_pyradiomics_writes_them():
    found = {key: columns.tolist() for key, columns in families(NAMES).items()}
    assert found == {
        ("class", "firstorder"): [0, 3],
        ("class", "glcm"): [1, 2],
        ("class", "shape2D"): [4],
        ("filter", "log"): [3],
        ("filter", "original"): [0, 1, 4],
        ("filter", "wavelet"): [2],
    }
    assert families(["texture_A", "B"]).keys() == {
        ("class", "texture"),
        ("class", "B"),
        ("filter", "original"),
    }


def test_a_family_is_dealt_out_as_one_and_nothing_else_moves():
    table = np.arange(40.0).reshape(10, 4)
    (dealt,) = permute(table, np.array([1, 3]), 1, seed=0)
    np.testing.assert_array_equal(dealt[:, [0, 2]], table[:, [0, 2]])
    assert not np.array_equal(dealt[:, 1], table[:, 1])
    np.testing.assert_array_equal(dealt[:, 3] - dealt[:, 1], 2.0)  # the two still go together
    assert sorted(dealt[:, 1]) == sorted(table[:, 1])
    assert np.array_equal(table, np.arange(40.0).reshape(10, 4))


def test_only_informative_family_is_worth_the_whole_way_down_to_chance_and_others_nothing():
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.repeat([0, 1], 150))
    table = rng.normal(size=(300, 5))
    table[:, 4] = truth + 0.1 * rng.random(300)  # tells all cases apart
    found = {
        (one.family.grouping, one.family.name): one
        for one in contributions(
            told_by(lambda rows: rows[:, 4] / 2, table, truth, NAMES), 200, 0.95, seed=0
        )
    }
    shape = found["class", "shape2D"]
    assert shape.mean == pytest.approx(1 - 0.5, abs=0.03)
    assert shape.low < 0.5 < shape.high
    assert (shape.n_cases, shape.repeats) == (300, 10)
    for key in (("class", "firstorder"), ("class", "glcm"), ("filter", "log")):
        assert (found[key].mean, found[key].low, found[key].high) == (0.0, 0.0, 0.0)
    # The filter that holds the feature falls by as much: the same deals, the same cases.
    assert found["filter", "original"].mean == shape.mean


def test_importance_is_of_the_very_model_that_the_study_judges(tmp_path):
    rng = np.random.default_rng(3)
    truth = np.arange(60) % 2
    prepared = noise(60, 1)
    for one, label in zip(prepared["radiomics"], truth, strict=True):
        one.array[:3] += 2 * label + rng.normal(size=3)
    made = setup(prepared, truth, 40, SETTINGS.model_copy(update={"methods": ("radiomics",)}))
    judged = list(supervised.judge(TrialRunner(made, TrialStore(tmp_path), Progress())))
    view = made.initialisation.views["radiomics"]
    told = list(
        permutation_importance.judge(
            made.data, view.names, made.measured, made.cases["radiomics"].numpy()
        )
    )
    (whole, said), *permuted = told
    (as_judged,) = (p for variant, p in judged if variant.table == "supervised")
    assert not whole.grouping
    np.testing.assert_array_equal(said.probabilities, as_judged.probabilities)
    assert {family.grouping for family, _ in permuted} == {"class", "filter"}
    assert {p.repeat for _, p in permuted} == set(range(permutation_importance.REPEATS))


def test_without_conventional_radiomics_the_control_stands_in_and_without_both_nothing_is_told():
    truth = np.arange(40) % 2
    plain = SETTINGS.model_copy(update={"methods": ()})
    made = setup(noise(40, 2), truth, 30, plain)
    about = (("a_b_c",) * 40, made.measured, made.cases["radiomics"].numpy())
    told = list(permutation_importance.judge(made.data, *about))
    assert told[0][0] == Family("", "", 40, "radiomics", "logistic")
    standard = made.cases["radiomics"].numpy()
    expected = made.data.judge({"raw": standard}, "logistic", "embedding")[0]
    np.testing.assert_allclose(told[0][1].probabilities, expected.probabilities)
    bare = setup(noise(40, 2), truth, 30, plain.model_copy(update={"controls": ()}))
    assert list(permutation_importance.judge(bare.data, *about)) == []
    assert contributions({}, 100, 0.95, seed=0) == []
