"""How stable features are: over the cases that have them, by patient, and over users' tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rdfc_core import DataError
from rdfc_core.api.measured_tables import stability_of_tables
from rdfc_core.case import Case
from rdfc_core.evaluation.stability import one_a_patient, stability_of

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Six subjects, four judges: Table 2 of Shrout & Fleiss 1979; ICC(1,1) is .17 there."""


def test_a_feature_is_judged_by_the_cases_that_have_it_in_each_measurement():
    measured = np.concatenate([SHROUT_FLEISS, np.full((2, 4), 5.0)])[:, :, None].repeat(3, axis=2)
    measured[6, 0, 0] = measured[7, 3, 0] = np.nan  # the first feature: Shrout & Fleiss' cases
    measured[1:, 2, 1] = np.nan  # the second: one case is left
    found = stability_of(measured, ("a", "b", "c"))
    assert found.cases.tolist() == [6, 1, 8]
    assert (found.icc[0], found.low[0], found.high[0]) == pytest.approx(
        (0.166, -0.133, 0.723), abs=0.0011
    )
    assert np.isnan(found.icc[1])
    assert found.icc[2] != pytest.approx(found.icc[0], abs=0.01)


def test_the_table_is_that_of_pingouin():
    pingouin = pytest.importorskip("pingouin")
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    measured = rng.normal(size=(20, 1, 4)) * [0.5, 1, 2, 4] + rng.normal(size=(20, 5, 4))
    measured[3, 2, 1] = np.nan
    found = stability_of(measured, tuple("abcd"))
    cases, ways = np.indices(measured.shape[:2]).reshape(2, -1)
    for place in range(4):
        kept = np.flatnonzero(~np.isnan(measured[:, :, place]).any(axis=1))
        rows = np.isin(cases, kept)
        table = pandas.DataFrame(
            {"case": cases, "way": ways, "value": measured[:, :, place].ravel()}
        )[rows]
        theirs = pingouin.intraclass_corr(table, "case", "way", "value").iloc[0]  # ICC(1,1)
        low, high = theirs[next(name for name in theirs.index if name.startswith("CI95"))]
        assert found.icc[place] == pytest.approx(theirs["ICC"], abs=1e-9)
        assert (found.low[place], found.high[place]) == pytest.approx((low, high), abs=0.0051)


def test_stable_is_what_reaches_the_threshold_by_the_interval_or_the_estimate():
    measured = np.zeros((9, 3, 3))
    measured[:, :, 0] = np.arange(9.0)[:, None]
    measured[:, :, 1] = np.arange(9.0)[:, None] + np.random.default_rng(0).normal(0, 1, (9, 3))
    found = stability_of(measured, ("same", "noisy", "constant"))
    assert 0.75 < found.icc[1] < 0.98
    between = (found.icc[1] + found.low[1]) / 2
    assert found.stable(between, "low").tolist() == [True, False, False]
    assert found.stable(between, "icc").tolist() == [True, True, False]
    row = found.rows(between, "icc")[1]
    assert row["feature"] == "noisy"
    assert row["stable"] is True
    assert row["ci_low"] <= row["icc"] <= row["ci_high"]


def test_one_case_of_each_patient_is_drawn_whatever_the_order():
    cases = [
        Case(f"c{n}", f"p{n // 3}", Path(f"i{n}"), Path(f"m{n}")) for n in range(30)
    ]  # ten patients of three
    drawn = one_a_patient(cases, 6, seed=1)
    assert len({case.patient_id for case in drawn}) == len(drawn) == 6
    again = one_a_patient(cases[::-1], 6, seed=1)
    assert {case.case_id for case in again} == {case.case_id for case in drawn}
    assert len(one_a_patient(cases, None, seed=1)) == 10
    others = {tuple(c.case_id for c in one_a_patient(cases, 6, seed)) for seed in range(20)}
    assert len(others) > 15


def test_tables_of_files_are_joined_by_case(tmp_path):
    files = []
    for judge in range(4):
        rows = [f"s{n},p{n},x,{SHROUT_FLEISS[n, judge]},word" for n in range(6)]
        rows += ["alone,p9,x,1,word"] if judge == 2 else []
        file = tmp_path / f"{judge}.csv"
        header = "case_id,patient_id,label,score,comment"
        file.write_text("\n".join([header, *(rows[::-1] if judge else rows)]) + "\n")
        files.append(file)
    found = stability_of_tables(files)
    assert found.names == ("score",)
    assert found.cases.tolist() == [6]
    assert found.icc[0] == pytest.approx(0.166, abs=0.0005)
    with pytest.raises(DataError, match="no column 'id'"):
        stability_of_tables(files, key="id")
    files[1].write_text("case_id,other\ns0,1\ns1,2\ns2,3\n")
    with pytest.raises(DataError, match=r"other features than .*, for example other, score"):
        stability_of_tables(files)
    files[1].write_text("case_id,score\ns0,1\ns0,2\n")
    with pytest.raises(DataError, match="the case s0 twice"):
        stability_of_tables(files)
    files[1].write_text("case_id,score\ns0,1\n")
    with pytest.raises(DataError, match="1 cases and 1 features in common"):
        stability_of_tables(files)
    files[1].write_text("case_id,score\ns0\n")
    with pytest.raises(DataError, match="row 2 has not as many cells"):
        stability_of_tables(files)
