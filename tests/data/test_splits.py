"""Splits: by patient, stratified, exact where asked, and never leaking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdfc_core import DataError, RdfcError, StudyError
from rdfc_core.case import Case
from rdfc_core.data.splits import Split, UnsplittableError, make_splits, refuse_leaks, untested
from rdfc_core.interfaces.dataset import SplitSpec


def a_case(name: str, patient: str, label: str | None, **columns: str) -> Case:
    return Case(name, patient, Path("image"), Path("mask"), label, columns=columns)


def cohort(count: int, per_patient: int = 1, unlabelled: int = 0, share: float = 0.5) -> list[Case]:
    """Cases of which a share is malignant; the first ``unlabelled`` have no label."""
    cases = []
    for i in range(count):
        patient = i // per_patient
        label = "malignant" if round(patient * share % 1 + share, 9) >= 1 else "benign"
        cases.append(a_case(f"c{i}", f"p{patient}", None if i < unlabelled else label))
    return cases


def labels_of(cases: Sequence[Case], part: Sequence[str]) -> Counter[str | None]:
    wanted = set(part)
    return Counter(case.label for case in cases if case.case_id in wanted)


def patients_of(cases: Sequence[Case], part: Sequence[str]) -> set[str]:
    wanted = set(part)
    return {case.patient_id for case in cases if case.case_id in wanted}


def holdout(cases: Sequence[Case], seed: int = 0, **spec: object) -> Split:
    [split] = make_splits(cases, SplitSpec(**spec), seed)
    return split


@pytest.mark.parametrize("spec", [{}, {"test_cases": 728}])
def test_a_fifth_of_3644_cases_is_the_papers_728(spec):
    cases = [a_case(str(i), str(i), "benign" if i < 1641 else "malignant") for i in range(3644)]
    split = holdout(cases, **spec)
    assert (len(split.train), len(split.test)) == (2916, 728)
    assert split.pretext == split.train
    assert labels_of(cases, split.test) == {"benign": 328, "malignant": 400}  # of 1641 and 2003


def test_parts_are_disjoint_complete_and_in_the_data_sets_order():
    cases = cohort(50, unlabelled=10)
    split = holdout(cases, test_fraction=0.3)
    assert set(split.train) | set(split.test) == {c.case_id for c in cases if c.label}
    assert not set(split.train) & set(split.test)
    assert len(split.test) == 12
    order = [case.case_id for case in cases]
    for part in (split.pretext, split.train, split.test):
        assert list(part) == sorted(part, key=order.index)


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    cases = cohort(60)
    assert holdout(cases, seed=4) == holdout(cases, seed=4)
    assert holdout(cases, seed=4).test != holdout(cases, seed=5).test


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.2, 0.2), (0.1, 0.1), (0.4, 0.4), (0.6, 0.6), (0.75, 0.75)]
)
def test_the_share_held_out_is_near_what_was_asked_with_several_cases_a_patient(fraction, expected):
    cases = cohort(240, per_patient=3, share=0.4)
    split = holdout(cases, test_fraction=fraction)
    assert len(split.test) / 240 == pytest.approx(expected, abs=0.04)
    assert not patients_of(cases, split.test) & patients_of(cases, split.train)
    malignant = labels_of(cases, split.test)["malignant"] / len(split.test)
    overall = labels_of(cases, [c.case_id for c in cases])["malignant"] / 240
    assert malignant == pytest.approx(overall, abs=0.06)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 15), st.sampled_from(["a", "b", None])), min_size=6, max_size=40
    ),
    st.sampled_from(["holdout", "folds"]),
    st.sampled_from(["all", "unlabelled", "train"]),
    st.integers(0, 3),
)
def test_no_patient_is_in_the_test_part_and_in_another(drawn, kind, pretext, seed):
    cases = [a_case(f"c{i}", f"p{patient}", label) for i, (patient, label) in enumerate(drawn)]
    try:
        splits = make_splits(cases, SplitSpec(kind=kind, folds=3, pretext=pretext), seed)
    except RdfcError:
        return  # too few to split, said in a sentence: no other error may come
    for split in splits:
        tested = patients_of(cases, split.test)
        assert tested
        assert not tested & patients_of(cases, split.train)
        assert not tested & patients_of(cases, split.pretext)
        assert len(labels_of(cases, split.train)) == 2
    if kind == "folds":
        tested_once = Counter(case_id for split in splits for case_id in split.test)
        assert tested_once == {case.case_id: 1 for case in cases if case.label}


def test_folds_hold_out_every_labelled_case_once_and_are_stratified():
    cases = cohort(70, unlabelled=0, share=0.3)
    splits = make_splits(cases, SplitSpec(kind="folds", folds=5), 0)
    assert [split.name for split in splits] == [f"fold-{i}" for i in range(1, 6)]
    malignant = labels_of(cases, [case.case_id for case in cases])["malignant"]
    assert sorted(c for split in splits for c in split.test) == sorted(c.case_id for c in cases)
    for split in splits:
        assert len(split.test) == 14
        assert abs(labels_of(cases, split.test)["malignant"] - malignant / 5) < 1


def test_pretext_cases_never_belong_to_a_patient_of_the_test_part():
    labelled = cohort(40)
    more = [a_case(f"u{i}", f"p{i}", None) for i in range(40)]  # of the same patients
    split = holdout([*labelled, *more])
    tested = patients_of(labelled, split.test)
    assert len(split.pretext) == 2 * (40 - len(split.test))
    assert not tested & patients_of([*labelled, *more], split.pretext)


@pytest.mark.parametrize(
    ("pretext", "expected"), [("all", 32 + 10), ("unlabelled", 10), ("train", 32)]
)
def test_the_pretext_part_holds_the_cases_that_were_asked_for(pretext, expected):
    cases = cohort(50, unlabelled=10)
    assert len(holdout(cases, pretext=pretext).pretext) == expected


def test_repeated_folds_divide_anew_and_the_first_division_stays_what_it_was():
    cases = cohort(60, per_patient=2)
    once = make_splits(cases, SplitSpec(kind="folds", folds=3), seed=4)
    thrice = make_splits(cases, SplitSpec(kind="folds", folds=3, repeats=3), seed=4)
    names = [f"fold-{fold}.{repeat}" for repeat in (1, 2, 3) for fold in (1, 2, 3)]
    assert [split.name for split in thrice] == names
    assert [split.test for split in thrice[:3]] == [split.test for split in once]
    for repeat in range(3):
        tests = [split.test for split in thrice[3 * repeat : 3 * repeat + 3]]
        assert sorted(c for test in tests for c in test) == sorted(c.case_id for c in cases)
    assert len({frozenset(split.test) for split in thrice}) == 9


def test_under_folds_an_unlabelled_pretext_part_is_the_same_in_every_fold():
    cases = cohort(60, unlabelled=20)
    splits = make_splits(cases, SplitSpec(kind="folds", pretext="unlabelled"), 0)
    assert len({split.pretext for split in splits}) == 1
    assert len(splits[0].pretext) == 20


def by_column(*parts: str, labels: str = "ab") -> list[Case]:
    return [
        a_case(f"c{i}", f"p{i}", labels[i % 2] if part != "pretext" else None, split=part)
        for i, part in enumerate(parts)
    ]


COLUMN = ["train"] * 4 + ["test"] * 2 + ["pretext"] * 3


def test_a_column_of_the_data_set_decides():
    cases = by_column(*COLUMN)
    [split] = make_splits(cases, SplitSpec(kind="column"), 0)
    assert split.name == "column"
    assert split.train == ("c0", "c1", "c2", "c3")
    assert split.test == ("c4", "c5")
    assert split.pretext == ("c0", "c1", "c2", "c3", "c6", "c7", "c8")
    [only] = make_splits(cases, SplitSpec(kind="column", pretext="unlabelled"), 0)
    assert only.pretext == ("c6", "c7", "c8")


def test_a_labelled_case_may_serve_pretraining_only():
    cases = [*by_column(*COLUMN), a_case("extra", "pe", "a", split="pretext")]
    [split] = make_splits(cases, SplitSpec(kind="column"), 0)
    assert "extra" in split.pretext
    assert "extra" not in split.train


@pytest.mark.parametrize("missing", ["train", "test"])
def test_a_column_without_a_part_says_what_it_holds(missing):
    cases = by_column(*[part if part != missing else "" for part in COLUMN])
    with pytest.raises(UnsplittableError, match=f"no labelled case has '{missing}'.*'pretext'"):
        make_splits(cases, SplitSpec(kind="column"), 0)


@pytest.mark.parametrize("word", ["Validation", "val", "training", "0"])
def test_a_column_that_says_what_is_no_part_is_refused_with_its_cases(word):
    cases = by_column(*[part if i not in (1, 3) else word for i, part in enumerate(COLUMN)])
    with pytest.raises(
        StudyError, match=rf"says '{word}' for 2 cases \(c1, c3\), which is none of"
    ):
        make_splits(cases, SplitSpec(kind="column"), 0)
    with pytest.raises(StudyError, match="which is none of"):
        untested(cases, SplitSpec(kind="column"))


def test_parts_are_read_in_capitals_too_and_nothing_is_no_part():
    plain = by_column(*COLUMN, *["", ""])
    loud = [word.upper() if i % 2 else word.title() for i, word in enumerate(COLUMN)]
    [expected] = make_splits(plain, SplitSpec(kind="column"), 0)
    assert make_splits(by_column(*loud, "nan", "-"), SplitSpec(kind="column"), 0) == [expected]
    assert not {"c9", "c10"} & {*expected.train, *expected.test, *expected.pretext}


def test_an_unlabelled_case_of_the_test_part_is_not_pretrained_on():
    cases = [*by_column(*COLUMN), a_case("extra", "p99", None, split="test")]
    [split] = make_splits(cases, SplitSpec(kind="column"), 0)
    assert "extra" not in split.pretext
    assert "c4" not in untested(cases, SplitSpec(kind="column")).pretext
    assert len(untested(cases, SplitSpec(kind="column")).pretext) == 7


def test_a_column_that_does_not_exist_is_named():
    with pytest.raises(StudyError, match="no column 'part'; they have split"):
        make_splits(by_column(*COLUMN), SplitSpec(kind="column", column="part"), 0)


def test_a_column_that_puts_a_patient_on_both_sides_is_refused():
    cases = [*by_column(*COLUMN), a_case("again", "p4", "a", split="train")]
    with pytest.raises(DataError, match="leaks: patient p4 has c4 in the test part and again"):
        make_splits(cases, SplitSpec(kind="column"), 0)


@pytest.mark.parametrize(("lacking", "other"), [("train", "test"), ("test", "train")])
def test_a_column_that_leaves_a_class_out_of_a_part_is_refused(lacking, other):
    parts = [("a", lacking)] * 3 + [("a", other), ("b", other)] * 2
    cases = [a_case(f"c{i}", f"p{i}", label, split=part) for i, (label, part) in enumerate(parts)]
    name = {"train": "training", "test": "test"}[lacking]
    with pytest.raises(UnsplittableError, match=f"The {name} part of column has no case of .*'b'"):
        make_splits(cases, SplitSpec(kind="column"), 0)


def test_equal_content_on_both_sides_is_a_leak():
    cases = cohort(40)
    split = holdout(cases)
    prints = {case.case_id: f"content of {case.case_id}" for case in cases}
    make_splits(cases, SplitSpec(), 0, prints)
    twins = {**prints, split.test[0]: prints[split.train[0]]}
    with pytest.raises(DataError) as caught:
        make_splits(cases, SplitSpec(), 0, twins)
    assert f"{split.test[0]} in the test part and {split.train[0]}" in str(caught.value)
    assert "same patient_id" in str(caught.value)


def test_equal_content_of_a_pretext_case_is_a_leak_too_and_within_one_part_is_none():
    cases = cohort(50, unlabelled=10)
    split = holdout(cases)
    unlabelled = next(c for c in split.pretext if c not in split.train)
    with pytest.raises(DataError, match=f"{unlabelled} in the training part are the same"):
        refuse_leaks(split, cases, {split.test[0]: "x", unlabelled: "x"})
    refuse_leaks(split, cases, {split.test[0]: "x", split.test[1]: "x"})


@pytest.mark.parametrize(
    ("cases", "spec", "message"),
    [
        (cohort(9, unlabelled=9), {}, "No case has a label"),
        (cohort(9, share=0.0), {}, "All 9 labelled cases are 'benign': telling classes apart"),
        (
            cohort(9, share=0.12),
            {},
            "'malignant' 1 case of 1 patient",
        ),
        (
            [a_case(f"c{i}", f"p{i}", "b" if i > 3 else "a") for i in range(9)],
            {"kind": "folds"},
            "class 'a' has cases of 4 patients, so 5 folds cannot each",
        ),
        (
            [a_case(f"c{i}", f"p{i % 8}", "ab"[i % 8 > 1]) for i in range(24)],
            {"kind": "folds", "folds": 3},
            "class 'a' has cases of 2 patients, so 3 folds",
        ),
        (
            [a_case(f"c{i}", f"p{i % 2}", "ab"[i % 2]) for i in range(20)],
            {},
            "'a' 10 cases of 1 patient, 'b' 10 cases of 1 patient",
        ),
        (
            [a_case(f"c{i}", f"p{i}", "ab"[i % 2]) for i in range(20)],
            {"test_cases": 20},
            "20 of 20 labelled cases cannot be held out",
        ),
        (
            [a_case(f"c{i}", f"p{i}", "ab"[i % 2]) for i in range(20)],
            {"test_cases": 19},
            "19 of 20 labelled cases cannot be held out",
        ),
        (
            [a_case(f"c{i}", f"p{i}", "ab"[i % 2]) for i in range(6)],
            {"test_fraction": 0.99},
            "cannot be held out",
        ),
        (
            [a_case(f"c{i}", f"p{i // 2}", "ab"[i % 2]) for i in range(20)],
            {"test_cases": 4},
            "some patients have several cases",
        ),
    ],
)
def test_what_cannot_be_split_is_said_in_one_sentence(cases, spec, message):
    with pytest.raises((DataError, StudyError), match=message):
        make_splits(cases, SplitSpec(**spec), 0)


def numbered(cells: Sequence[str]) -> list[Case]:
    labels = ("benign", "malignant")
    return [a_case(f"c{i}", f"p{i}", labels[i % 2], fold=cell) for i, cell in enumerate(cells)]


FOLDS = SplitSpec(kind="folds", fold_column="fold")


def test_a_column_names_the_folds() -> None:
    cases = [*numbered(["10", "10", "2", "2.0", "1", "1"]), a_case("u", "pu", None)]
    found = make_splits(cases, FOLDS, seed=0)
    assert [split.name for split in found] == ["fold-1", "fold-2", "fold-10"]
    assert [split.test for split in found] == [("c4", "c5"), ("c2", "c3"), ("c0", "c1")]
    assert found[0].train == ("c0", "c1", "c2", "c3")
    assert found[0].pretext == (*found[0].train, "u")


def test_of_named_folds_some_can_be_run() -> None:
    cases = numbered(["10", "10", "2", "2", "1", "1"])
    only = FOLDS.model_copy(update={"only": (10, 2)})
    assert [split.name for split in make_splits(cases, only, 0)] == ["fold-2", "fold-10"]
    with pytest.raises(StudyError, match="no fold-3 among fold-1, fold-2, fold-10"):
        make_splits(cases, FOLDS.model_copy(update={"only": (3,)}), 0)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1", "1", "2", ""], "says '' for 1 labelled case"),
        (["1", "1", "2", "two"], "'two'"),
        (["0", "0", "1", "1"], "'0' for 2 labelled cases"),
        (["1", "1", "1.5", "1.5"], "'1.5'"),
        (["1", "1", "nan", "inf"], "'inf', 'nan'"),
        (["1", "1", "1", "1"], "every labelled case into fold 1"),
    ],
)
def test_a_fold_that_is_none_is_told_of(cells: Sequence[str], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        make_splits(numbered(cells), FOLDS, 0)


def test_named_folds_keep_patients_together_or_are_refused() -> None:
    cases = [*numbered(["1", "1", "2", "2"]), a_case("c4", "p0", "benign", fold="2")]
    with pytest.raises(DataError, match="patient p0"):
        make_splits(cases, FOLDS, 0)


def test_a_column_of_folds_is_missing_or_drawn_anew() -> None:
    cases = numbered(["1", "1", "2", "2"])
    with pytest.raises(StudyError, match=r"no column 'cv'; they have fold"):
        make_splits(cases, FOLDS.model_copy(update={"fold_column": "cv"}), 0)
    with pytest.raises(StudyError, match="names one division"):
        make_splits(cases, FOLDS.model_copy(update={"repeats": 2}), 0)
