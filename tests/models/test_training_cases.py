"""Distances to training cases: against scikit-learn, on cases like them and unlike them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from rdfc_core import DataError
from rdfc_core.evaluation.conformal import conformal_quantile, patient_shares
from rdfc_core.models.training_cases import (
    TrainingCases,
    patients_apart,
    save_beside,
    spread,
)
from rdfc_core.results.files import TRAINING_CASES


def drawn(count: int, seed: int) -> dict[str, np.ndarray]:
    """Features of two kinds, of very different length and number."""
    rng = np.random.default_rng(seed)
    few = rng.normal(3, 0.01, (count, 4))
    many = rng.normal(0, 5, (count, 60)) @ np.diag(np.linspace(0.1, 1, 60))
    return {"learnt.image": few.astype(np.float32), "standard.radiomics": many.astype(np.float32)}


def kept(positions: dict[str, np.ndarray], patients: list[str], k: int = 5) -> TrainingCases:
    centres, scales = spread(positions)
    blank = np.zeros(0, np.float32)
    ids = tuple(f"c{place}" for place in range(len(patients)))
    labels = tuple("ab"[place % 2] if place % 3 else None for place in range(len(patients)))
    empty = TrainingCases(ids, labels, blank, blank, blank, centres, scales)
    vectors = empty.place(positions)
    return replace(
        empty,
        vectors=vectors,
        held_out=patients_apart(vectors, patients, k).astype(np.float32),
        shares=patient_shares(patients).astype(np.float32),
    )


def test_every_kind_of_feature_weighs_alike():
    found = kept(drawn(300, 0), [str(k) for k in range(300)])
    for block in (found.vectors[:, :4], found.vectors[:, 4:]):
        assert float((block**2).sum(axis=1).mean()) == pytest.approx(1, rel=1e-4)


def test_distances_are_scikit_learn_s_to_cases_of_other_patients():
    positions, owners = drawn(90, 1), [str(k // 3) for k in range(90)]
    found = kept(positions, owners)
    for case in (0, 41, 89):
        others = [k for k in range(90) if owners[k] != owners[case]]
        near = NearestNeighbors(n_neighbors=5).fit(found.vectors[others])
        known, _ = near.kneighbors(found.vectors[[case]])
        assert found.held_out[case] == pytest.approx(known[0, -1], rel=1e-4)


def test_new_cases_are_as_far_as_scikit_learn_says_and_labelled_neighbours_are_the_nearest():
    found = kept(drawn(90, 1), [str(k) for k in range(90)])
    new = found.place(drawn(7, 2))
    far, named = found.look(new, 5, 3)
    known, _ = NearestNeighbors(n_neighbors=5).fit(found.vectors).kneighbors(new)
    np.testing.assert_allclose(far, known[:, -1], rtol=1e-4)
    labelled = [k for k, label in enumerate(found.labels) if label is not None]
    known, places = NearestNeighbors(n_neighbors=3).fit(found.vectors[labelled]).kneighbors(new)
    assert [[p for p, _ in row] for row in named] == [[labelled[p] for p in row] for row in places]
    np.testing.assert_allclose([[d for _, d in row] for row in named], known, rtol=1e-4)


def test_cases_of_the_same_kind_are_flagged_at_the_nominal_rate_and_others_all():
    owners = [str(k) for k in range(600)]
    found = kept(drawn(600, 3), owners)
    limit = conformal_quantile(found.held_out.astype(float), owners, 0.95)
    same, _ = found.look(found.place(drawn(2000, 4)), 5, 0)
    assert (same > limit).mean() == pytest.approx(0.05, abs=0.025)
    percentiles = found.percentiles(same)
    assert np.quantile(percentiles, 0.5) == pytest.approx(50, abs=6)
    shifted = {name: one + 3 * one.std(axis=0) for name, one in drawn(200, 5).items()}
    unlike, _ = found.look(found.place(shifted), 5, 0)
    assert (unlike > limit).all()
    assert (found.percentiles(unlike) == 100).all()


def test_what_lies_beside_a_model_is_read_again_for_that_model_alone(tmp_path: Path):
    found = kept(drawn(40, 6), [str(k) for k in range(40)])
    save_beside(found, tmp_path, "abc")
    again = TrainingCases.read(tmp_path, "abc")
    assert again is not None
    assert (again.case_ids, again.labels) == (found.case_ids, found.labels)
    np.testing.assert_allclose(again.vectors, found.vectors, atol=2e-3)
    np.testing.assert_array_equal(again.held_out, found.held_out)
    assert again.scales == pytest.approx(dict(found.scales))
    assert TrainingCases.read(tmp_path, "of another model") is None
    whole = (tmp_path / TRAINING_CASES).read_bytes()
    (tmp_path / TRAINING_CASES).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"training_cases\.safetensors cannot be used"):
        TrainingCases.read(tmp_path, "abc")
    save_beside(None, tmp_path, "abc")
    assert TrainingCases.read(tmp_path, "abc") is None
