"""Learnt features beside handcrafted ones, at equal weight."""

from __future__ import annotations

import tracemalloc

import numpy as np

from rdfc_core.evaluation.feature_blocks import IMAGE, RADIOMICS, blocks


def test_learnt_features_are_standardised_where_they_lie():
    random = np.random.default_rng(0)
    image = random.normal(3, 2, (20_000, 100)).astype(np.float32)
    standard = np.zeros((20_000, 25), np.float32)
    tracemalloc.start()
    try:
        found = blocks(standard, image, 5_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * image.nbytes
    assert found[RADIOMICS] is standard
    taught = image[:5_000].astype(np.float64)
    expected = (image - taught.mean(axis=0)) / taught.std(axis=0) * 0.5
    np.testing.assert_allclose(found[IMAGE], expected, atol=1e-4)
    assert found[IMAGE].dtype == np.float32
