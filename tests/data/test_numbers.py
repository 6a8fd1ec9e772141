"""Labels that are numbers: read strictly, split by patient, and told from classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rdfc_core.case import Case
from rdfc_core.data.cells import label_number, not_a_number
from rdfc_core.data.labels import UnsplittableError
from rdfc_core.data.number_splits import make_number_splits
from rdfc_core.data.numbers import number_findings, numbers_of, stratified, with_number_labels
from rdfc_core.data.targets import CLASSES, NUMBERS
from rdfc_core.errors import DataError, StudyError
from rdfc_core.evaluation.label_fractions import draw
from rdfc_core.interfaces import SplitSpec


def cases(labels, each: int = 1) -> list[Case]:
    """A case a label; ``each`` cases a patient."""
    return [
        Case(f"c{i:03d}", f"p{i // each:03d}", Path("i"), Path("m"), label)
        for i, label in enumerate(labels)
    ]


def numbered(count: int, each: int = 1, seed: int = 0) -> list[Case]:
    values = np.random.default_rng(seed).normal(20, 5, count)
    return cases([f"{value:.2f}" for value in values], each)


@pytest.mark.parametrize("text", ["3", "-2.5", "+.5", "7.", "1e-3", " 12.25 ", "2E5"])
def test_plain_numbers_are_read(text):
    assert label_number(text) == float(text)


@pytest.mark.parametrize("text", ["1,5", "1_000", "inf", "nan", "1e999", "", "12 mm", "٣", "0x1F"])
def test_anything_else_is_no_number(text):
    assert label_number(text) is None


def test_a_decimal_comma_is_named():
    assert "comma" in not_a_number("12,5")[0]
    assert "decimal point" in not_a_number("1.234,5")[1]
    assert "comma" not in not_a_number("high")[0]


def test_words_for_no_value_leave_a_case_unlabelled_and_others_are_refused():
    read = with_number_labels(cases(["1.5", "nan", "unknown", None]))
    assert [case.label for case in read] == ["1.5", None, None, None]
    with pytest.raises(DataError, match=r"Case c001: the label is 'high', .*\(1 more like it\)"):
        with_number_labels(cases(["1", "high", "low"]))


def test_a_target_that_does_not_vary_is_refused():
    with pytest.raises(UnsplittableError, match=r"label of all 6 labelled cases is 3\.0.*nothing"):
        make_number_splits(cases(["3.0"] * 6), SplitSpec(), 0)


def test_too_few_patients_are_refused():
    with pytest.raises(UnsplittableError, match="at least 4 patients"):
        make_number_splits(numbered(6, each=2), SplitSpec(), 0)


@pytest.mark.parametrize("each", [1, 3])
@pytest.mark.parametrize(
    "spec", [SplitSpec(), SplitSpec(kind="folds", folds=5), SplitSpec(test_fraction=0.5)]
)
def test_splits_keep_patients_together_and_spread_the_numbers(spec, each):
    listed = numbered(120, each)
    splits = make_number_splits(listed, spec, 0)
    by_id = {case.case_id: case for case in listed}
    tested = [case_id for split in splits for case_id in split.test]
    assert len(tested) == len(set(tested))
    if spec.kind == "folds":
        assert len(tested) == 120
    whole = numbers_of(listed)
    for split in splits:
        sides = [{by_id[c].patient_id for c in part} for part in (split.train, split.test)]
        assert not sides[0] & sides[1]
        own = numbers_of([by_id[case_id] for case_id in split.test])
        assert abs(own.mean() - whole.mean()) < whole.std() / 2
        assert own.min() < np.median(whole) < own.max()


@pytest.mark.parametrize("count", [4, 5, 7, 12])
def test_few_patients_are_split_all_the_same(count):
    for spec in (SplitSpec(), SplitSpec(kind="folds", folds=4), SplitSpec(test_cases=1)):
        for split in make_number_splits(numbered(count), spec, 0):
            assert split.train
            assert split.test


def test_more_folds_than_patients_are_refused():
    with pytest.raises(UnsplittableError, match=r"split\.folds: 6 patients have labelled cases"):
        make_number_splits(numbered(6), SplitSpec(kind="folds", folds=7), 0)


def test_a_column_decides_as_it_is():
    listed = [
        replace(case, columns={"split": "test" if i % 3 else "train"})
        for i, case in enumerate(numbered(12))
    ]
    [split] = make_number_splits(listed, SplitSpec(kind="column"), 0)
    assert split.train == tuple(f"c{i:03d}" for i in range(0, 12, 3))


def test_a_training_part_that_does_not_vary_is_refused():
    listed = cases(["1", "1", "1", "2", "3", "4"])
    listed = [
        replace(case, columns={"split": "train" if case.label == "1" else "test"})
        for case in listed
    ]
    with pytest.raises(UnsplittableError, match="training part of column are all alike"):
        make_number_splits(listed, SplitSpec(kind="column"), 0)


def test_more_test_cases_than_there_are_is_refused():
    with pytest.raises(StudyError, match="test_cases"):
        make_number_splits(numbered(8), SplitSpec(test_cases=8), 0)


def test_a_share_of_the_labels_spans_the_numbers_and_is_part_of_a_larger_one():
    listed = numbered(60)
    strata = NUMBERS.with_strata(listed)
    few, more = (set(draw(strata, share, 0)) for share in (0.1, 0.4))
    assert few < more
    assert {strata[i].label for i in few} == {"quantile 1", "quantile 2", "quantile 3"}
    assert len(few) == 6


def test_a_patient_is_in_one_stratum():
    strata = stratified(numbered(30, each=3), 5)
    of_patient = {}
    for case in strata:
        assert of_patient.setdefault(case.patient_id, case.label) == case.label
    assert sorted(np.unique(list(of_patient.values()), return_counts=True)[1]) == [2] * 5


@pytest.mark.parametrize(
    "labels", [[str(i) for i in range(25)], ["1.5", "2.5", "1.5", "2.5"], ["0", "1", "0.5", "1"]]
)
def test_numbers_among_classes_are_refused_by_a_sentence_that_names_the_task(labels):
    listed = cases([label for label in labels for _ in range(2)])
    with pytest.raises(UnsplittableError, match="set task=regression"):
        CLASSES.splits(listed, SplitSpec(), 0, None, None, sorted(set(labels)))


def test_numbers_of_a_data_set_without_classes_are_refused_in_one_sentence():
    listed = numbered(30)
    with pytest.raises(UnsplittableError, match="set task=regression"):
        CLASSES.splits(listed, SplitSpec(), 0, None, None, ())
    [found] = CLASSES.findings(listed, ())
    assert "set task=regression" in found.fix


@pytest.mark.parametrize("labels", [["0", "1"], ["1", "2", "3"], ["1.0", "2.0"], ["G1", "1.5"]])
def test_grades_and_words_are_classes(labels):
    listed = cases([label for label in labels for _ in range(6)])
    assert CLASSES.splits(listed, SplitSpec(), 0, None, None, labels)


def test_a_number_that_may_stand_for_no_value_is_doubted():
    usual = [f"{value:.1f}" for value in np.random.default_rng(0).normal(5, 1, 30)]
    [found] = number_findings(cases([*usual, "999", "999"]))
    assert "2 cases have the label 999" in found.message
    assert not list(number_findings(cases([*usual, "9.0"])))
