"""Draws by patient: every class in every part, whenever there is such a division at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from rdfc_core.case import Case
from rdfc_core.data.labels import usable_classes
from rdfc_core.data.splits import UnsplittableError, make_splits
from rdfc_core.data.stratified_splits import (
    folds_of_patients,
    holdout_of_cases,
    holdout_of_patients,
)
from rdfc_core.interfaces.dataset import SplitSpec


def a_case(name: str, patient: str, label: str | None) -> Case:
    return Case(name, patient, Path("image"), Path("mask"), label)


def of_patients(*counts: tuple[str, int], each: int = 3) -> list[Case]:
    """So many patients of each class, each with some cases."""
    owners = [label for label, count in counts for _ in range(count)]
    return [
        a_case(f"p{p}k{k}", f"p{p}", label) for p, label in enumerate(owners) for k in range(each)
    ]


def classes_in(cases: Sequence[Case], ids: Sequence[str]) -> set[str | None]:
    wanted = set(ids)
    return {case.label for case in cases if case.case_id in wanted}


@pytest.mark.parametrize("rare", [2, 3])
def test_both_parts_of_a_holdout_hold_both_classes_whatever_the_seed(rare):
    cases = of_patients(("b", rare), ("a", 9))
    for seed in range(60):
        [split] = make_splits(cases, SplitSpec(), seed)
        assert classes_in(cases, split.train) == classes_in(cases, split.test) == {"a", "b"}
        assert 3 <= len(split.test) <= 12


def test_a_rare_class_is_in_both_parts_also_with_one_case_a_patient():
    cases = of_patients(("b", 2), ("a", 60), each=1)
    labels = [str(case.label) for case in cases]
    test = next(StratifiedShuffleSplit(1, test_size=12, random_state=0).split(labels, labels))[1]
    assert {labels[place] for place in test} == {"a"}  # as scikit-learn rounds the shares
    for seed in range(20):
        [split] = make_splits(cases, SplitSpec(), seed)
        assert classes_in(cases, split.train) == classes_in(cases, split.test) == {"a", "b"}
        assert len(split.test) == 12
        [exact] = make_splits(cases, SplitSpec(test_cases=2), seed)
        assert classes_in(cases, exact.test) == {"a", "b"}


def test_every_fold_tests_every_class_whatever_the_seed():
    cases = of_patients(("b", 3), ("a", 9), ("c", 4))
    for seed in range(40):
        for split in make_splits(cases, SplitSpec(kind="folds", folds=3), seed):
            assert classes_in(cases, split.test) == classes_in(cases, split.train) == set("abc")


def test_the_first_draw_stays_where_it_holds_every_class():
    """Studies that were split before are split the same."""
    cases = of_patients(("b", 12), ("a", 20))
    labels, patients = [str(c.label) for c in cases], [c.patient_id for c in cases]
    cut = StratifiedGroupKFold(5, shuffle=True, random_state=3)
    expected = [set(test.tolist()) for _, test in cut.split(labels, labels, patients)]
    assert folds_of_patients(labels, patients, 5, 3) == expected
    assert holdout_of_patients(labels, patients, 0.2, 3) == expected[0]
    plain = labels[::3]
    drawn = next(StratifiedShuffleSplit(1, test_size=6, random_state=3).split(plain, plain))[1]
    assert holdout_of_cases(plain, 6, 3) == set(drawn.tolist())


def divisible(labels: Sequence[str], patients: Sequence[str]) -> bool:
    """Whether any division of the patients has every class on both sides: all are tried."""
    everyone, everything = sorted(set(patients)), set(labels)
    of = {p: {label for label, q in zip(labels, patients, strict=True) if q == p} for p in everyone}
    return any(
        set().union(*(of[p] for p in held)) == everything
        and set().union(*(of[p] for p in everyone if p not in held)) == everything
        for count in range(1, len(everyone))
        for held in combinations(everyone, count)
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("abc")), min_size=4, max_size=16),
    st.floats(0.05, 0.9),
    st.integers(0, 50),
)
def test_a_holdout_is_found_wherever_there_is_one(drawn, fraction, seed):
    patients, labels = [f"p{p}" for p, _ in drawn], [label for _, label in drawn]
    cases = [a_case(str(i), p, c) for i, (p, c) in enumerate(zip(patients, labels, strict=True))]
    assume(set(usable_classes(cases, None)) == set(labels) and len(set(labels)) > 1)
    found = holdout_of_patients(labels, patients, fraction, seed)
    assert (found is not None) == divisible(labels, patients)
    if found is not None:
        rest = set(range(len(labels))) - found
        assert {labels[i] for i in found} == {labels[i] for i in rest} == set(labels)
        assert not {patients[i] for i in found} & {patients[i] for i in rest}


@settings(max_examples=80, deadline=None)
@given(
    st.integers(2, 5),
    st.lists(st.integers(0, 8), min_size=2, max_size=3),
    st.integers(1, 3),
    st.integers(0, 50),
)
def test_folds_are_found_wherever_each_class_has_patients_of_its_own(folds, more, each, seed):
    counts = Counter({label: folds + extra for label, extra in zip("abc", more, strict=False)})
    cases = of_patients(*counts.items(), each=each)
    splits = make_splits(cases, SplitSpec(kind="folds", folds=folds), seed)
    for split in splits:
        assert classes_in(cases, split.test) == classes_in(cases, split.train) == set(counts)
    tested = Counter(case_id for split in splits for case_id in split.test)
    assert tested == {case.case_id: 1 for case in cases}


def test_more_folds_than_patients_of_the_rarest_class_are_refused():
    cases = of_patients(("b", 2), ("a", 6))
    with pytest.raises(UnsplittableError, match="class 'b' has cases of 2 patients, so 3 folds"):
        make_splits(cases, SplitSpec(kind="folds", folds=3), 0)
    assert len(make_splits(cases, SplitSpec(kind="folds", folds=2), 0)) == 2


def test_a_division_that_does_not_exist_is_refused():
    pairs = [("p1", "a"), ("p2", "a"), ("p1", "b"), ("p3", "b"), ("p2", "c"), ("p3", "c")]
    cases = [a_case(str(i), patient, label) for i, (patient, label) in enumerate(pairs)]
    with pytest.raises(UnsplittableError, match="No division by patient has every class"):
        make_splits(cases, SplitSpec(), 0)


def test_a_class_of_one_patient_counts_as_unlabelled():
    cases = [*of_patients(("b", 4), ("a", 9)), a_case("one", "p99", "rare")]
    for spec in (SplitSpec(), SplitSpec(kind="folds", folds=3)):
        for split in make_splits(cases, spec, 0):
            assert "one" in split.pretext
            assert "one" not in {*split.train, *split.test}
            assert classes_in(cases, split.test) == {"a", "b"}


def test_labels_that_are_none_of_the_classes_count_as_unlabelled():
    cases = of_patients(("b", 4), ("a", 9), ("other", 5))
    [split] = make_splits(cases, SplitSpec(), 0, classes=("a", "b", "absent"))
    assert classes_in(cases, [*split.train, *split.test]) == {"a", "b"}
    assert classes_in(cases, split.pretext) == {"a", "b", "other"}
    assert usable_classes(cases, ("absent", "b", "a")) == ("b", "a")


def test_an_image_of_two_patients_on_both_sides_is_a_leak():
    cases = of_patients(("b", 8), ("a", 8), each=1)
    [split] = make_splits(cases, SplitSpec(), 0)
    images = {case.case_id: f"image of {case.case_id}" for case in cases}
    make_splits(cases, SplitSpec(), 0, images=images)
    twins = {**images, split.test[0]: images[split.train[0]]}
    with pytest.raises(
        Exception,
        match=f"{split.test[0]} in the test part and {split.train[0]}.*are outlines of one image",
    ):
        make_splits(cases, SplitSpec(), 0, images=twins)
    inside = {**images, split.train[1]: images[split.train[0]]}
    make_splits(cases, SplitSpec(), 0, images=inside)
