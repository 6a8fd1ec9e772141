"""Every listed case stands under one use, or under the reason why it has none."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rdfc_core import RdfcError
from rdfc_core.case import Case
from rdfc_core.data.accounting import account, in_one_line
from rdfc_core.data.splits import make_splits, untested
from rdfc_core.interfaces.dataset import SplitSpec

DRAWN = st.tuples(
    st.integers(0, 9),
    st.sampled_from(["a", "b", "c", None]),
    st.sampled_from(["train", "Test", "pretext", "", "nan"]),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(DRAWN, min_size=1, max_size=30),
    st.sampled_from(["holdout", "folds", "column"]),
    st.sampled_from(["all", "unlabelled", "train"]),
    st.sampled_from([("a", "b"), ("a", "b", "c"), ("b", "z")]),
    st.sets(st.integers(0, 29), max_size=3),
)
def test_the_uses_hold_each_case_once_and_agree_with_the_splits(
    drawn, kind, pretext, classes, broken
):
    cases = [
        Case(f"c{i}", f"p{patient}", Path("i"), Path("m"), label, columns={"split": part})
        for i, (patient, label, part) in enumerate(drawn)
    ]
    failed = {f"c{i}" for i in broken if i < len(cases)}
    usable = [case for case in cases if case.case_id not in failed]
    spec = SplitSpec(kind=kind, folds=2, pretext=pretext)
    try:
        splits = make_splits(usable, spec, 0, classes=classes) if usable else []
    except RdfcError:
        splits = [untested(usable, spec)]
    uses = account(cases, splits, spec, classes, failed)
    assert sum(use.cases for use in uses) == len(cases)
    used = {case_id for split in splits for case_id in (*split.pretext, *split.train, *split.test)}
    assert sum(use.cases for use in uses if use.used) == len(used)
    assert sum(use.cases for use in uses if use.what.startswith("could not")) == len(failed)
    assert in_one_line(uses).startswith(f"{len(cases)} case")
    if kind == "holdout" and len(splits) == 1 and splits[0].test:
        named = {use.what: use.cases for use in uses}
        assert named["test"] == len(splits[0].test)
        assert named["training"] == len(splits[0].train)


def test_reasons_are_told_in_the_words_of_the_study():
    def case(name: str, label: str | None, part: str, patient: str = "") -> Case:
        return Case(name, patient or name, Path("i"), Path("m"), label, columns={"part": part})

    cases = [
        *(case(f"{part}{label}", label, part) for part in ("train", "test") for label in "ab"),
        case("nowhere", "a", "nan"),
        case("kept", None, "test"),
        case("late", None, "pretext"),
    ]
    spec = SplitSpec(kind="column", column="part", pretext="train")
    splits = make_splits(cases, spec, 0)
    told = {use.what: (use.cases, use.used) for use in account(cases, splits, spec, ("a", "b"))}
    assert told == {
        "training": (2, True),
        "test": (2, True),
        "the column 'part' names no part": (1, False),
        "for testing by the column 'part', and has no usable label": (1, False),
        "not among the cases of split.pretext (train)": (1, False),
    }
