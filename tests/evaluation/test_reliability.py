"""Intraclass correlations are those of the literature and of pingouin, for all features at once."""

from __future__ import annotations

import numpy as np
import pytest

import rdfc_core as rdfc
from rdfc_core.errors import DataError
from rdfc_core.evaluation.reliability import intraclass_correlation

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Six subjects, four judges: Table 2 of Shrout & Fleiss 1979."""

EXPECTED = {
    "1,1": (0.166, -0.133, 0.723),
    "2,1": (0.290, 0.019, 0.761),
    "3,1": (0.715, 0.342, 0.946),
}
"""Estimates as published there; intervals by McGraw & Wong, as R's ``psych::ICC`` gives them."""


@pytest.mark.parametrize("kind", EXPECTED)
def test_the_example_of_shrout_and_fleiss(kind):
    found = intraclass_correlation(SHROUT_FLEISS[:, :, None], kind)
    values = found.icc[0], found.low[0], found.high[0]
    assert values == pytest.approx(EXPECTED[kind], abs=0.0011)


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_feature_is_that_of_pingouin(kind):
    pingouin = pytest.importorskip("pingouin")
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(15, 1, 12)) * rng.uniform(0, 3, 12)
    measured = signal + rng.normal(size=(15, 3, 12)) + rng.normal(size=(1, 3, 12))
    found = intraclass_correlation(measured, kind)
    cases, ways = np.indices(measured.shape[:2]).reshape(2, -1)
    for place in range(measured.shape[2]):
        table = {"case": cases, "way": ways, "value": measured[:, :, place].ravel()}
        theirs = pingouin.intraclass_corr(pandas.DataFrame(table), "case", "way", "value")
        row = theirs.iloc[["1,1", "2,1", "3,1"].index(kind)]
        low, high = row[next(name for name in row.index if name.startswith("CI95"))]
        assert found.icc[place] == pytest.approx(row["ICC"], abs=1e-9)
        assert (found.low[place], found.high[place]) == pytest.approx((low, high), abs=0.0051)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """2,000 simulated features with a known correlation of 0.6."""
    rng = np.random.default_rng(1)
    signal = np.sqrt(0.6) * rng.normal(size=(25, 1, 2000))
    measured = signal + np.sqrt(0.4) * rng.normal(size=(25, 2, 2000))
    for kind in EXPECTED:
        found = intraclass_correlation(measured, kind, confidence=0.9)
        covered = np.mean((found.low <= 0.6) & (found.high >= 0.6))
        assert covered == pytest.approx(0.9, abs=0.025), kind
        assert np.median(found.icc) == pytest.approx(0.6, abs=0.02)


def test_equal_measurements_agree_perfectly_and_a_shift_costs_agreement_alone():
    once = np.random.default_rng(2).normal(size=(10, 1, 3))
    same = intraclass_correlation(np.repeat(once, 2, axis=1), "2,1")
    assert same.icc == pytest.approx([1, 1, 1])
    assert same.low == pytest.approx([1, 1, 1])
    shifted = np.concatenate([once, once + 2.0], axis=1)
    assert intraclass_correlation(shifted, "3,1").icc == pytest.approx([1, 1, 1])
    assert (intraclass_correlation(shifted, "2,1").icc < 0.6).all()


def test_constant_and_missing_features_have_none():
    measured = np.random.default_rng(3).normal(size=(8, 2, 3))
    measured[:, :, 1] = 0.1
    measured[4, 1, 2] = np.nan
    found = intraclass_correlation(measured)
    np.testing.assert_array_equal(np.isnan(found.icc), [False, True, True])
    np.testing.assert_array_equal(np.isnan(found.low), [False, True, True])


def test_what_is_no_repetition_is_refused():
    with pytest.raises(DataError, match="two repetitions"):
        intraclass_correlation(np.zeros((5, 1, 3)))
    with pytest.raises(DataError, match="no intraclass correlation '2'"):
        intraclass_correlation(np.zeros((5, 2, 3)), "2")


def test_tables_are_joined_by_case_and_give_a_row_a_feature():
    pandas = pytest.importorskip("pandas")
    first = pandas.DataFrame(SHROUT_FLEISS[:, :2], columns=["a", "b"])
    first["case_id"] = [f"c{place}" for place in range(6)]
    second = pandas.DataFrame(SHROUT_FLEISS[:, 2:], columns=["a", "b"])
    second["case_id"] = first["case_id"]
    second["label"] = "benign"
    more = pandas.DataFrame([{"a": 1.0, "b": 2.0, "case_id": "other", "label": "benign"}])
    found = rdfc.feature_reliability([first, pandas.concat([second[::-1], more])], "2,1")
    measured = np.stack([SHROUT_FLEISS[:, :2], SHROUT_FLEISS[:, 2:]], axis=1)
    assert list(found.index) == ["a", "b"]
    np.testing.assert_allclose(found["icc"], intraclass_correlation(measured, "2,1").icc)
    assert set(found["cases"]) == {6}
    with pytest.raises(DataError, match="different features, for example b"):
        rdfc.feature_reliability([first, second.drop(columns="b")])
    with pytest.raises(DataError, match="c0 twice"):
        rdfc.feature_reliability([first, pandas.concat([second, second])])
    with pytest.raises(DataError, match="0 cases in common"):
        rdfc.feature_reliability([first, second.assign(case_id=list("uvwxyz"))])
