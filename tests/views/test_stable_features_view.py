"""A view that keeps some features is, to all that use it, a view of these features alone."""

from __future__ import annotations

import numpy as np
import pytest

from rdfc_core.interfaces import Prepared
from rdfc_core.views.feature_view import FeatureView
from rdfc_core.views.options import FeatureViewConfig
from tests.support.small_preparers import OutlineConfig, OutlineFeatures

EXTRACTOR = OutlineFeatures(OutlineConfig())
NAMES = EXTRACTOR.names(2)
KEPT = (NAMES[9], NAMES[2], NAMES[4])


def view() -> FeatureView:
    return FeatureView(FeatureViewConfig(extractor="outline", clip=2.0), EXTRACTOR)


@pytest.fixture
def cases() -> list[Prepared]:
    table = np.random.default_rng(0).normal(3, 5, (9, len(NAMES)))
    table[2, 4] = np.nan
    return [Prepared(row, NAMES) for row in table]


@pytest.fixture
def fitted(cases) -> FeatureView:
    found = view()
    found.keep(KEPT)
    found.fit(cases)
    return found


def test_it_gives_what_a_view_of_these_features_gives(cases, fitted):
    places = [n for n, name in enumerate(NAMES) if name in KEPT]
    fewer = [Prepared(one.array[places], tuple(NAMES[n] for n in places)) for one in cases]
    alone = view()
    alone.fit(fewer)
    assert fitted.names == alone.names == (NAMES[2], NAMES[4], NAMES[9])
    np.testing.assert_array_equal(fitted.collate(cases), alone.collate(fewer))
    np.testing.assert_array_equal(fitted.measured(cases)[:], np.stack([f.array for f in fewer]))
    assert fitted.measured(cases).shape == (9, 3)
    assert fitted.accepts(2)
    assert next(fitted.tower().parameters()).shape[1] == 3


def test_its_state_brings_back_what_it_keeps(cases, fitted):
    again = view()
    again.load_state(fitted.state())
    assert again.names == fitted.names
    assert again.accepts(2)
    np.testing.assert_array_equal(again.collate(cases), fitted.collate(cases))
    np.testing.assert_array_equal(again.measured(cases)[:], fitted.measured(cases)[:])
    again.fit(cases)  # as a network that begins with what another has fitted
    assert again.names == fitted.names


def test_without_a_choice_the_state_is_as_it_was(cases, fitted):
    plain = view()
    plain.fit(cases)
    assert set(plain.state()) == {"names", "median", "mean", "scale"}
    fitted.keep(None)
    fitted.fit(cases)
    np.testing.assert_array_equal(fitted.collate(cases), plain.collate(cases))
    assert fitted.state().keys() == plain.state().keys()


def test_a_state_that_keeps_what_it_does_not_measure_is_refused(fitted):
    state = dict(fitted.state())
    state["measured"] = np.frombuffer(b"other\nfeatures", np.uint8)
    with pytest.raises(ValueError, match="keeps features that it does not measure"):
        view().load_state(state)
