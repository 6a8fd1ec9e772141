"""Learnt features beside handcrafted ones, at equal weight."""

from __future__ import annotations

import tracemalloc

import numpy as np

from rdfc_core.evaluation.feature_blocks import COLUMNS, IMAGE, RADIOMICS, blocks
from rdfc_core.evaluation.saved_members import of_blocks
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.models.members import Inputs


def test_learnt_features_are_standardised_where_they_lie():
    random = np.random.default_rng(0)
    image = random.normal(3, 2, (20_000, 100)).astype(np.float32)
    standard = np.zeros((20_000, 25), np.float32)
    tracemalloc.start()
    try:
        found = blocks({"radiomics": standard}, {"image": image}, {}, 5_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * image.nbytes
    assert found[RADIOMICS].table is standard
    taught = image[:5_000].astype(np.float64)
    expected = (image - taught.mean(axis=0)) / taught.std(axis=0) * 0.5
    np.testing.assert_allclose(found[IMAGE].table, expected, atol=1e-4)
    assert found[IMAGE].table.dtype == np.float32


def test_columns_of_all_views_are_one_block_and_constant_ones_stay_quiet():
    random = np.random.default_rng(1)
    age, sex = random.normal(1, 3, (60, 1)), np.zeros((60, 1))
    sex[50:] = 1  # nobody of the training part
    tables = {"age": age.astype(np.float32), "sex": sex.astype(np.float32)}
    standard = random.normal(size=(60, 8)).astype(np.float32)
    found = blocks({"radiomics": standard}, {}, tables, 40)
    assert list(found) == [RADIOMICS, COLUMNS]
    assert found[COLUMNS].sources == {"standard.age": 1, "standard.sex": 1}
    np.testing.assert_allclose(found[COLUMNS].table[:40].std(axis=0), [2, 0], atol=1e-5)
    assert abs(found[COLUMNS].table).max() <= 2 / 1e-3


def test_a_model_on_blocks_is_saved_as_one_on_what_they_are_made_of():
    random = np.random.default_rng(2)
    standard, image, a, b = (
        random.normal(2, 3, (30, width)).astype(np.float32) for width in (7, 4, 2, 3)
    )
    found = blocks({"radiomics": standard}, {"image": image}, {"a": a, "b": b}, 20)
    model = LinearModel(random.normal(size=(2, 16)), random.normal(size=2), tuple(found))
    inputs = Inputs({"image": image}, {"radiomics": standard, "a": a, "b": b}, {}, {})
    expected = model.predict({name: block.table for name, block in found.items()})
    np.testing.assert_allclose(of_blocks(model, found).predict(inputs), expected, atol=1e-5)
