"""Thousands of held-back cases are scored, resampled and written without tables of all at once."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from sklearn.metrics import roc_auc_score

from rdfc_core.evaluation import bootstrap
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.learners import run_of
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.evaluation.metrics import scores
from rdfc_core.pipeline.predictions_table import write_predictions
from rdfc_core.results.vocabulary import METRICS

MEGABYTE = 1_000_000


def peak_of(work: Any) -> tuple[Any, int]:
    """What the work gives, and the bytes of Python and NumPy while it ran."""
    tracemalloc.start()
    try:
        return work(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def predictions(cases: int, patients: int, repeats: int = 1, splits: int = 1) -> list[Prediction]:
    rng = np.random.default_rng(cases)
    found = []
    for split in range(splits):
        ids = tuple(f"c{split}.{place}" for place in range(cases))
        owners = tuple(f"p{split}.{place % patients}" for place in range(cases))
        truth = rng.integers(0, 2, cases)
        for repeat in range(repeats):
            second = np.clip(rng.normal(0.4 + 0.2 * truth, 0.2), 0, 1)
            said = np.stack([1 - second, second], axis=1)
            found.append(Prediction(f"fold-{split}", ids, owners, truth, said, repeat))
    return found


def test_the_auroc_of_thousands_of_different_scores_needs_no_matrix_of_cases_by_cases():
    one = predictions(3000, 3000)[0]
    weights = np.random.default_rng(0).integers(0, 3, (4, 3000)).astype(float)
    found, peak = peak_of(lambda: scores(one.truth, one.probabilities, weights))
    expected = [roc_auc_score(one.truth, one.probabilities[:, 1], sample_weight=w) for w in weights]
    np.testing.assert_allclose(found["auroc"], expected, rtol=1e-12)
    assert peak < 5 * MEGABYTE  # the matrix: 72


@pytest.mark.parametrize(("repeats", "splits"), [(1, 1), (3, 2)])
def test_resamples_in_parts_are_those_that_were_drawn_at_once(monkeypatch, repeats, splits):
    some = predictions(60, 23, repeats, splits)
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", 10**9)
    whole = bootstrap.resampled(some, 50, seed=3)
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", 7 * 23 * splits)
    parts = bootstrap.resampled(some, 50, seed=3)
    rng = np.random.default_rng(3)
    count = 23 * splits
    drawn = rng.multinomial(count, np.full(count, 1 / count), 50)
    owners = sorted({patient for one in some for patient in one.patients})
    for metric in METRICS:
        assert whole[metric].shape == (repeats, 51)
        np.testing.assert_allclose(parts[metric], whole[metric], rtol=1e-12)
    first = [one for one in some if one.repeat == 0]
    by_hand = [
        scores(
            one.truth, one.probabilities, drawn[:, [owners.index(p) for p in one.patients]] * 1.0
        )["accuracy"]
        for one in first
    ]
    np.testing.assert_allclose(whole["accuracy"][0, 1:], np.mean(by_hand, axis=0), rtol=1e-12)


def test_a_thousand_resamples_of_thousands_of_patients_are_never_in_memory_together():
    some = predictions(4000, 4000)
    _, peak = peak_of(lambda: bootstrap.resampled(some, 1000, seed=0))
    assert peak < 70 * MEGABYTE  # the weights alone: 32, and as much for each step of the scores


def test_predictions_are_written_without_an_object_a_row(tmp_path: Path):
    some = predictions(1000, 1000, repeats=40)
    entry = Variant("linear", "rdfc", "both", "features", "logistic")
    path = tmp_path / "predictions.parquet"
    _, peak = peak_of(lambda: write_predictions(path, {entry: some}, ("a", "b")))
    assert peak < 10 * MEGABYTE  # as dicts of 13 columns: more than 20
    table = parquet.read_table(path)
    assert table.num_rows == 40_000
    row = table.slice(1003, 1).to_pylist()[0]
    assert (row["case_id"], row["repeat"], row["method"]) == ("c0.3", 1, "rdfc")
    assert row["label"] == "ab"[some[1].truth[3]]
    assert row["probabilities"] == some[1].probabilities[3].tolist()


def test_a_study_without_predictions_writes_their_columns(tmp_path: Path):
    path = tmp_path / "predictions.parquet"
    write_predictions(path, {}, ("a", "b"))
    assert parquet.read_table(path).num_rows == 0


def test_rows_that_follow_each_other_are_a_view_of_the_table():
    table = np.arange(20.0).reshape(10, 2)
    for rows in ([3, 4, 5], [0], [2, 4], [5, 4], [], [-1], [1, 1]):
        places = np.array(rows, np.int64)
        np.testing.assert_array_equal(table[run_of(places)], table[places])
    assert np.shares_memory(table[run_of(np.array([3, 4, 5]))], table)
