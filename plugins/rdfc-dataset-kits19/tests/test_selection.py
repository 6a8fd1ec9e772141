"""Which cases are labelled: the paper's selection, and the same rule on an incomplete copy."""

from __future__ import annotations

from collections import Counter

import pytest

from rdfc_core.data.splits import make_splits
from rdfc_core.errors import DataError
from rdfc_dataset_kits19.dataset import Kits19

CLASSES = ("clear_cell_rcc", "papillary", "chromophobe", "oncocytoma")


def labels(dataset: Kits19) -> dict[str, str | None]:
    return {case.case_id: case.label for case in dataset.cases()}


def clear_cell(dataset: Kits19) -> set[str]:
    return {case_id for case_id, label in labels(dataset).items() if label == CLASSES[0]}


def test_the_papers_70_cases_are_labelled_and_140_serve_pretraining(layout):
    layout.touch()
    found = layout.dataset()
    assert found.classes == CLASSES
    assert Counter(labels(found).values()) == {
        "clear_cell_rcc": 20,
        "papillary": 21,
        "chromophobe": 19,
        "oncocytoma": 10,
        None: 140,
    }
    for case_id, label in labels(found).items():
        assert label in (None, layout.subtypes[case_id])


def test_five_folds_test_each_labelled_patient_once_and_share_one_pretext_set(layout):
    layout.touch()
    found = layout.dataset()
    unlabelled = {case_id for case_id, label in labels(found).items() if label is None}
    splits = make_splits(found.cases(), found.protocol(), seed=3)
    assert len(splits) == 5
    patients = {case.case_id: case.patient_id for case in found.cases()}
    assert len(set(patients.values())) == 210
    for split in splits:
        assert set(split.pretext) == unlabelled
        assert (len(split.train), len(split.test)) == (56, 14)
        parts = [{patients[c] for c in getattr(split, part)} for part in ("train", "test")]
        assert not parts[0] & parts[1]
        assert not (parts[0] | parts[1]) & {patients[c] for c in split.pretext}
    tested = [case_id for split in splits for case_id in split.test]
    assert sorted(tested) == sorted(set(labels(found)) - unlabelled)


def test_the_draw_follows_its_seed_alone(layout):
    layout.touch()
    assert clear_cell(layout.dataset(seed=7)) == clear_cell(layout.dataset(seed=7))
    drawn = [clear_cell(layout.dataset(seed=seed)) for seed in range(40)]
    assert len({frozenset(one) for one in drawn}) == 40
    # Each of 143 is drawn with a chance of 20/143: after 40 draws, about 143 · (123/143)^40 = 0.3
    # are left that never were.
    assert len(set().union(*drawn)) >= 138
    # And none in nearly every draw: 40 · 20/143 = 5.6 times on average, with a deviation of 2.2.
    assert max(Counter(case_id for one in drawn for case_id in one).values()) <= 15


def test_what_is_missing_does_not_change_the_draw_among_the_others(layout, some):
    some(60, 0, 0, 0, 0)
    present = set(layout.of("clear_cell_rcc", 60))
    some_drawn = clear_cell(layout.dataset(allow_missing=True))
    for case_id in layout.of("clear_cell_rcc")[60:]:
        layout.touch([case_id])
    assert len(some_drawn) == 20
    assert clear_cell(layout.dataset(allow_missing=True)) & present <= some_drawn


@pytest.mark.parametrize(
    ("present", "labelled", "folds"),
    [
        # Of 7 clear cell cases 3 are labelled (half, rounded down); the smallest class has 2.
        ((7, 3, 4, 2, 5), (3, 3, 4, 2), 2),
        ((41, 21, 19, 10, 0), (20, 21, 19, 10), 5),
        ((39, 21, 19, 10, 0), (19, 21, 19, 10), 5),
        ((9, 9, 9, 9, 9), (4, 9, 9, 9), 4),
        # A class with one labelled case cannot train and test: of 3 clear cell cases, 1 would be.
        ((3, 4, 4, 1, 2), (0, 4, 4, 0), 4),
    ],
)
def test_of_an_incomplete_copy_the_same_rule_selects(layout, some, present, labelled, folds):
    some(*present)
    found = layout.dataset(allow_missing=True)
    counts = Counter(labels(found).values())
    assert tuple(counts[name] for name in CLASSES) == labelled
    assert counts[None] == sum(present) - sum(labelled)
    assert found.classes == tuple(n for n, c in zip(CLASSES, labelled, strict=True) if c)
    assert (found.protocol().kind, found.protocol().folds) == ("folds", folds)
    splits = make_splits(found.cases(), found.protocol(), seed=0)
    assert {len(split.pretext) for split in splits} == {counts[None]}


def test_the_rule_that_was_used_is_told_once(layout, some):
    some(3, 4, 4, 1, 2)
    (warned,) = [p for p in layout.dataset(allow_missing=True).problems() if p.field == "cases"]
    assert warned.severity == "warning"
    for part in (
        "196 of 210 cases lack imaging.nii.gz or segmentation.nii.gz (case_",
        "8 of 14 cases are labelled",
        "0 of 3 clear_cell_rcc (at most 20, and at most half of them)",
        "0 of 1 oncocytoma (without clear_cell_rcc, oncocytoma: fewer than 2 cases)",
        "the other 6 serve pretraining",
        "4 folds, at most 5 and at most the cases of the smallest class",
    ):
        assert part in warned.message


def test_a_complete_copy_has_nothing_to_tell(layout):
    layout.touch()
    found = layout.dataset(allow_missing=True)
    assert not [p for p in found.problems() if not p.case_id]


def test_a_copy_without_a_case_to_pretrain_on_is_warned_of(layout, some):
    some(0, 4, 4, 0, 0)
    problems = list(layout.dataset(allow_missing=True).problems())
    assert "no unlabelled case is there to pretrain on" in [p.message for p in problems]


FAULTY = {"case_00015", "case_00025", "case_00037", "case_00061", "case_00117"}


def test_faulty_cases_are_used_and_warned_of_unless_they_are_left_out(layout):
    layout.touch()
    told = {p.case_id: p for p in layout.dataset().problems()}
    assert set(told) == FAULTY | {"case_00160"}
    assert {p.severity for p in told.values()} == {"warning"}
    assert "slices are repeated, and the mask is faulty" in told["case_00015"].message
    assert "slices are repeated" in told["case_00117"].message
    assert "the mask is faulty" in told["case_00037"].message
    assert "512 × 796" in told["case_00160"].message

    found = layout.dataset(leave_out_faulty=True)
    assert set(labels(layout.dataset())) - set(labels(found)) == FAULTY
    deviation, odd = found.problems()
    assert (deviation.case_id, odd.case_id) == ("", "case_00160")
    lost = Counter(layout.subtypes[case_id] for case_id in FAULTY)
    counts = Counter(labels(found).values())
    assert counts["clear_cell_rcc"] == 20  # others are drawn instead
    for name in CLASSES[1:]:
        assert counts[name] == Counter(layout.subtypes.values())[name] - lost[name]
    assert "case_00015, case_00025, case_00037, case_00061, case_00117 left out as faulty" in (
        deviation.message
    )


def test_a_faulty_case_that_is_left_out_may_be_missing(layout):
    layout.touch(case_id for case_id in layout.subtypes if case_id != "case_00037")
    assert len(layout.dataset(leave_out_faulty=True).cases()) == 205
    with pytest.raises(DataError, match=r"\(case_00037\)"):
        layout.dataset().cases()
