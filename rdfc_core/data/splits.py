"""Which cases train, which test and which serve pretraining: by patient, and never leaking."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rdfc_core.case import Case
from rdfc_core.data.cells import listed
from rdfc_core.data.fold_column import folds_of_column
from rdfc_core.data.labels import (
    ONLY_PRETRAIN,
    UnsplittableError,
    patients_of_classes,
    require_two_classes,
    usable_classes,
)
from rdfc_core.data.split_column import column_part, column_parts
from rdfc_core.data.stratified_splits import (
    folds_of_patients,
    holdout_of_cases,
    holdout_of_patients,
    share_of,
)
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces.dataset import SplitSpec

__all__ = ["Split", "UnsplittableError", "make_splits", "refuse_leaks", "untested"]


@dataclass(frozen=True)
class Split:
    """Case ids of one division of the data.

    Args:
        name: ``holdout``, ``fold-1`` …, ``fold-1.2`` of the second division, or ``column``; ``all``
            where nothing is tested.
        pretext: Cases for pretraining, with or without a label.
        train: Labelled cases for training classifiers.
        test: Labelled cases for testing, of patients that are in neither other part.
    """

    name: str
    pretext: tuple[str, ...]
    train: tuple[str, ...]
    test: tuple[str, ...]


def make_splits(
    cases: Sequence[Case],
    spec: SplitSpec,
    seed: int,
    fingerprints: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
    classes: Collection[str] | None = None,
) -> list[Split]:
    """The splits that the specification asks for, stratified by label and grouped by patient.

    Every class is in the training and in the test part of each. Cases of a class with a single
    patient, who cannot be on both sides, count as unlabelled.

    Args:
        cases: All usable cases.
        spec: The data set's protocol with the study's overrides.
        seed: Decides which patients are held out.
        fingerprints: Case id → content; equal content under two ids must not be in both parts.
        images: Case id → content of the image alone; the same.
        classes: The classes to tell apart; cases with another label count as unlabelled. None: all.

    Raises:
        UnsplittableError: If there are too few labelled cases, patients or classes.
        DataError: If a split would leak.
        StudyError: If the specification does not fit the cases.
    """
    usable = usable_classes(cases, classes)
    require_two_classes(cases, usable)
    return divided(cases, usable, spec, seed, fingerprints, images)


def divided(
    cases: Sequence[Case],
    usable: Sequence[str],
    spec: SplitSpec,
    seed: int,
    fingerprints: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
) -> list[Split]:
    """As `make_splits`, of cases whose labels are known to be usable, or of a single stratum.

    Args:
        cases: All usable cases.
        usable: Labels of which every part is to have some cases; other labels count as none.
        spec: As of `make_splits`.
        seed: As of `make_splits`.
        fingerprints: As of `make_splits`.
        images: As of `make_splits`.

    Raises:
        UnsplittableError: If there are too few labelled cases or patients.
        DataError: If a split would leak.
        StudyError: If the specification does not fit the cases.
    """
    parts = column_parts(cases, spec) if spec.kind == "column" else {}
    labelled = [case for case in cases if case.label in usable]
    _check_folds(cases, usable, spec)
    if spec.kind == "column":
        tests = {"column": column_part(labelled, spec.column, parts, "test")}
        trains = {"column": column_part(labelled, spec.column, parts, "train")}
    elif spec.kind == "folds":
        tests = _chosen(_folds(labelled, spec, seed), spec)
        trains = {}
    else:
        tests = {"holdout": _holdout(labelled, spec, seed)}
        trains = {}
    teaching = {case.case_id for case in labelled}
    splits = []
    for name, test in tests.items():
        train = trains.get(name, teaching - test)
        split = _assemble(name, cases, spec, teaching, train, test, parts)
        _check_parts(split, labelled, usable)
        refuse_leaks(split, cases, fingerprints or {}, images or {})
        splits.append(split)
    return splits


def untested(cases: Sequence[Case], spec: SplitSpec) -> Split:
    """All cases for pretraining, but for the patients that a column keeps for testing.

    Raises:
        StudyError: If the column says what is no part.
    """
    parts = column_parts(cases, spec) if spec.kind == "column" else {}
    tested = {case.patient_id for case in cases if parts.get(case.case_id) == "test"}
    return Split("all", tuple(c.case_id for c in cases if c.patient_id not in tested), (), ())


def _assemble(
    name: str,
    cases: Sequence[Case],
    spec: SplitSpec,
    labelled: set[str],
    train: set[str],
    test: set[str],
    parts: Mapping[str, str],
) -> Split:
    tested = {
        case.patient_id
        for case in cases
        if case.case_id in test or parts.get(case.case_id) == "test"
    }
    pretext = []
    for case in cases:
        unlabelled = case.case_id not in labelled
        wanted = {
            "all": case.case_id in train or unlabelled,
            "unlabelled": unlabelled,
            "train": case.case_id in train,
        }[spec.pretext]
        if parts.get(case.case_id) == "pretext":
            wanted = spec.pretext != "train"
        if wanted and case.patient_id not in tested:
            pretext.append(case.case_id)
    order = [case.case_id for case in cases]
    return Split(
        name,
        tuple(pretext),
        tuple(case_id for case_id in order if case_id in train),
        tuple(case_id for case_id in order if case_id in test),
    )


def refuse_leaks(
    split: Split,
    cases: Sequence[Case],
    fingerprints: Mapping[str, str],
    images: Mapping[str, str] | None = None,
) -> None:
    """Check that nothing of the test part is known before the test.

    Raises:
        DataError: If a patient, the same image and mask under two ids, or an image under two
            patients is on both sides.
    """
    by_id = {case.case_id: case for case in cases}
    known = [*split.train, *split.pretext]
    images = images or {}
    patients = {by_id[case_id].patient_id: case_id for case_id in known}
    contents = {fingerprints[case_id]: case_id for case_id in known if case_id in fingerprints}
    seen = {images[case_id]: case_id for case_id in known if case_id in images}
    for case_id in split.test:
        other = patients.get(by_id[case_id].patient_id)
        if other is not None:
            raise DataError(
                f"The split leaks: patient {by_id[case_id].patient_id} has {case_id} in the test "
                f"part and {other} in the training part. Put all cases of a patient on one side."
            )
        twin = contents.get(fingerprints.get(case_id, ""))
        sibling = seen.get(images.get(case_id, ""))
        if twin is not None or sibling is not None:
            same = "the same image and mask" if twin is not None else "outlines of one image"
            raise DataError(
                f"The split leaks: {case_id} in the test part and {twin or sibling} in the "
                f"training part are {same}. Drop one of them, or give both the same patient_id."
            )


def _check_folds(cases: Sequence[Case], usable: Sequence[str], spec: SplitSpec) -> None:
    patients = patients_of_classes(cases)
    rarest = min(usable, key=lambda label: len(patients[label]))
    if spec.kind == "folds" and not spec.fold_column and len(patients[rarest]) < spec.folds:
        raise UnsplittableError(
            f"split.folds: class {rarest!r} has cases of {len(patients[rarest])} patients, so "
            f"{spec.folds} folds cannot each test it. Use {len(patients[rarest])} folds at most, "
            "label more, or leave the class out."
        )


def _check_parts(split: Split, labelled: Sequence[Case], usable: Sequence[str]) -> None:
    """Draws hold every class in every part; a column may not."""
    for part, ids in (("training", set(split.train)), ("test", set(split.test))):
        there = {case.label for case in labelled if case.case_id in ids}
        lacking = [label for label in usable if label not in there]
        if lacking:
            raise UnsplittableError(
                f"The {part} part of {split.name} has no case of class {lacking[0]!r}, so that "
                "nothing can be said of it. Correct the column, or leave the class out of classes."
            )


def _holdout(labelled: Sequence[Case], spec: SplitSpec, seed: int) -> set[str]:
    labels = [str(case.label) for case in labelled]
    patients = [case.patient_id for case in labelled]
    if len(set(patients)) < len(labelled):
        if spec.test_cases:
            raise StudyError(
                "split.test_cases: some patients have several cases, so an exact number cannot be "
                "held out. Use split.test_fraction."
            )
        found = holdout_of_patients(labels, patients, spec.test_fraction, seed)
        if found is None:
            raise UnsplittableError(
                "No division by patient has every class in both parts, since patients with cases "
                f"of several classes are needed on both sides. Label more patients, {ONLY_PRETRAIN}"
            )
        return {labelled[place].case_id for place in found}
    classes = len(set(labels))
    count = spec.test_cases or share_of(len(labelled), spec.test_fraction, classes)
    if not classes <= count <= len(labelled) - classes:
        option = "test_cases" if spec.test_cases else "test_fraction"
        raise StudyError(
            f"split.{option}: {count} of {len(labelled)} labelled cases cannot be held out, since "
            f"both parts need a case of each of {classes} classes. Ask for a number in between."
        )
    return {labelled[place].case_id for place in holdout_of_cases(labels, count, seed)}


def _chosen(folds: Mapping[str, set[str]], spec: SplitSpec) -> dict[str, set[str]]:
    """The folds that are to be run, by their number."""
    if spec.only is None:
        return dict(folds)
    there = list(dict.fromkeys(name.partition(".")[0] for name in folds))
    names = [f"fold-{number}" for number in spec.only]
    if beyond := [name for name in names if name not in there]:
        raise StudyError(
            f"split.only: there is no {beyond[0]} among {listed(there, 8)}. Name one of these."
        )
    return {name: test for name, test in folds.items() if name.partition(".")[0] in names}


def _folds(labelled: Sequence[Case], spec: SplitSpec, seed: int) -> dict[str, set[str]]:
    if spec.fold_column:
        if spec.repeats > 1:
            raise StudyError(
                f"split.repeats: the column {spec.fold_column!r} names one division into folds, "
                f"and {spec.repeats} are asked for. Leave repeats out, or the column."
            )
        return folds_of_column(labelled, spec.fold_column)
    folds, repeats = spec.folds, spec.repeats
    labels = [str(case.label) for case in labelled]
    patients = [case.patient_id for case in labelled]
    found = {}
    for repeat in range(repeats):
        drawn = folds_of_patients(labels, patients, folds, seed + repeat)
        if drawn is None:
            raise UnsplittableError(
                f"split.folds: no division of the patients into {folds} folds was found in which "
                "each fold tests every class. Use fewer folds, or a hold-out."
            )
        ending = f".{repeat + 1}" if repeats > 1 else ""
        for place, test in enumerate(drawn, start=1):
            found[f"fold-{place}{ending}"] = {labelled[index].case_id for index in test}
    return found
