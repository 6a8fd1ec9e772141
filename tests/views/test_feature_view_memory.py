"""Handcrafted features of thousands of cases are standardised without copies of their table."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from rdfc_core.interfaces import Prepared
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

CASES, FEATURES = 2_500, 300


def prepared(cases: int, features: int) -> list[Prepared]:
    random = np.random.default_rng(0)
    table = random.normal(size=(cases, features)) * random.uniform(0.1, 1e4, features)
    table[:, 1] = 7.25
    table[random.random(table.shape) < 0.1] = np.nan
    table[:, 2] = np.nan
    names = tuple(f"f{place}" for place in range(features))
    return [Prepared(row, names) for row in table]


def a_view() -> Any:
    outline = OutlineFeatures(OutlineConfig())
    return FeatureView(FeatureViewConfig(extractor="outline", clip=5.0), outline)


@pytest.mark.parametrize(("cases", "features"), [(CASES, FEATURES), (7, 65), (3, 1), (1001, 129)])
def test_what_is_standardised_in_parts_is_what_the_whole_table_gives(cases, features):
    some = prepared(cases, max(features, 3))
    some = [Prepared(one.array[:features], one.names[:features]) for one in some]
    table = np.stack([one.array for one in some])
    known = [column[~np.isnan(column)] for column in table.T]
    median = np.array([np.median(column) if column.size else 0.0 for column in known])
    filled = np.where(np.isnan(table), median, table)
    spread = filled.std(axis=0)
    spread[spread < 1e-9] = np.inf
    view = a_view()
    view.fit(some)
    expected = ((filled - filled.mean(axis=0)) / spread).clip(-5, 5)
    np.testing.assert_allclose(view.collate(some).numpy(), expected, rtol=1e-5, atol=1e-6)
    assert view.collate([]).shape == (0, features)


def test_neither_fitting_nor_collating_copies_the_table():
    some, view = prepared(CASES, FEATURES), a_view()
    table = CASES * FEATURES * 8
    tracemalloc.start()
    view.fit(some)
    _, fitted = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    batch = view.collate(some)
    _, collated = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fitted < table
    assert collated - batch.numpy().nbytes < 2 * table
