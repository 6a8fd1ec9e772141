"""Everything that is wrong with a data set, in one pass: each finding with case, field and fix."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rdfc_core.case import Case
from rdfc_core.case_check import CaseCheck, check_case
from rdfc_core.errors import DataError
from rdfc_core.interfaces.dataset import Dataset, Problem
from rdfc_core.labels import ALIKE_FIX, doubtful_labels
from rdfc_core.progress import Progress

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class DatasetSummary:
    """The data set in numbers; sizes and spacings are those of the images that could be read.

    Args:
        cases: Cases listed.
        usable: Cases whose files are without an error.
        patients: Patients listed.
        per_class: Class → labelled cases, in the data set's order.
        unlabelled: Cases without a label.
        shape: Smallest and largest size along each axis; None if nothing was read, or if pictures
            and volumes are mixed.
        spacing_mm: Smallest and largest spacing along each axis, or None as for ``shape``.
        tumour_voxels: Smallest and largest tumour, or None if no case is usable.
    """

    cases: int
    usable: int
    patients: int
    per_class: Mapping[str, int]
    unlabelled: int
    shape: tuple[tuple[int, ...], tuple[int, ...]] | None
    spacing_mm: tuple[tuple[float, ...], tuple[float, ...]] | None
    tumour_voxels: tuple[int, int] | None


@dataclass(frozen=True)
class DatasetCheck:
    """What a check found: the problems of the whole set first, then those of its cases in order."""

    problems: Sequence[Problem]
    summary: DatasetSummary


def check_dataset(
    dataset: Dataset, cases: Sequence[Case], progress: Progress | None = None
) -> DatasetCheck:
    """Check the listing, then every case's files, then the cases against each other.

    A case that cannot be read costs only itself.

    Args:
        dataset: Asked for its classes and for the problems of its listing.
        cases: Its cases, each with a reader; none if the listing is unusable.
        progress: Told after each case.
    """
    listing = list(dataset.problems())
    checks = []
    with (progress or Progress()).task("Checking cases", len(cases)) as advance:
        for case in cases:
            checks.append(check_case(case))
            advance()
    told = {(p.case_id, p.field) for p in listing if p.severity == "error" and p.case_id}
    of_cases = [p for check in checks for p in check.problems if (p.case_id, p.field) not in told]
    classes = _classes(dataset, cases)
    problems = [
        *listing,
        *(p for p in _listing_problems(cases, listing) if (p.case_id, p.field) not in told),
        *_label_problems(cases, classes),
        *_mixture_problems(checks),
        *_twin_problems(cases, checks),
        *of_cases,
    ]
    order = {case.case_id: place for place, case in enumerate(cases, start=1)}
    problems.sort(key=lambda problem: order.get(problem.case_id, 0))
    return DatasetCheck(problems, _summary(cases, checks, classes))


def _classes(dataset: Dataset, cases: Sequence[Case]) -> tuple[str, ...]:
    """The data set's classes; of an unusable listing, whichever labels the cases have."""
    try:
        return tuple(dataset.classes)
    except DataError:  # its problems() has said so already
        return tuple(sorted({case.label for case in cases if case.label is not None}))


def _listing_problems(cases: Sequence[Case], listing: Sequence[Problem]) -> Iterator[Problem]:
    if not cases and not any(problem.severity == "error" for problem in listing):
        yield Problem("", "cases", "the data set lists no case", "Check where it is said to lie.")
    for case_id, count in Counter(case.case_id for case in cases).items():
        if count > 1:
            message = f"{count} cases have this id"
            yield Problem(case_id, "case_id", message, "Give each case an id of its own.")


def _label_problems(cases: Sequence[Case], classes: Sequence[str]) -> Iterator[Problem]:
    labelled = [case for case in cases if case.label is not None]
    for case in labelled:
        if case.label not in classes:
            near = difflib.get_close_matches(str(case.label), classes, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            yield Problem(
                case.case_id,
                "label",
                f"the label {case.label!r} is none of the classes ({', '.join(classes)})",
                f"{hint}Correct it, or add the class.",
            )
    if not cases:
        return
    evaluating = "Pretraining needs no labels; evaluating needs two classes."
    for doubt in doubtful_labels(cases):
        yield Problem("", "label", doubt, ALIKE_FIX, "warning")
    counts = Counter(case.label for case in labelled)
    patients: dict[str | None, set[str]] = defaultdict(set)
    for case in labelled:
        patients[case.label].add(case.patient_id)
    if not labelled:
        yield Problem("", "label", "no case is labelled", evaluating, "warning")
    elif len(patients) == 1:
        message = f"all {len(labelled)} labelled cases are {labelled[0].label!r}"
        yield Problem("", "label", message, evaluating, "warning")
    for label, who in patients.items():
        if len(who) == 1 and len(patients) > 1:
            lonely = "a single case, which" if counts[label] == 1 else "only one patient, who"
            message = f"class {label!r} has {lonely} cannot both train and test"
            yield Problem("", "label", message, "Label more, or leave the class out.", "warning")


def _mixture_problems(checks: Sequence[CaseCheck]) -> Iterator[Problem]:
    axes = Counter(len(check.shape) for check in checks if check.shape is not None)
    if len(axes) > 1:
        message = f"{axes[2]} cases are pictures and {axes[3]} are volumes"
        yield Problem("", "image", message, "Make two data sets of them.")


def _twin_problems(cases: Sequence[Case], checks: Sequence[CaseCheck]) -> Iterator[Problem]:
    """Equal content under two names: counted twice, or on both sides of a split."""
    first_tumour: dict[str, Case] = {}
    first_image: dict[str, Case] = {}
    for case, check in zip(cases, checks, strict=True):
        twin = first_tumour.setdefault(check.tumour_digest, case)
        sibling = first_image.setdefault(check.image_digest, case)
        if case.case_id in (twin.case_id, sibling.case_id) and twin is not case:
            continue  # one case listed twice, which is said already
        if check.tumour_digest and twin is not case:
            yield _twin(case, twin)
        elif check.image_digest and sibling.patient_id != case.patient_id:
            yield Problem(
                case.case_id,
                "patient_id",
                f"its image is that of {sibling.case_id}, who is listed as another patient "
                f"({case.patient_id} and {sibling.patient_id})",
                "Give both the same patient_id, or the image may train and test at once.",
                "warning",
            )


def _twin(case: Case, twin: Case) -> Problem:
    if None not in (case.label, twin.label) and case.label != twin.label:
        return Problem(
            case.case_id,
            "label",
            f"image and mask are those of {twin.case_id}, which is labelled {twin.label!r} and "
            f"not {case.label!r}",
            "Correct the label, or drop one of the two.",
        )
    if case.patient_id != twin.patient_id:
        return Problem(
            case.case_id,
            "patient_id",
            f"image and mask are those of {twin.case_id}, who is listed as another patient "
            f"({case.patient_id} and {twin.patient_id})",
            "Drop one of the two, or give both the same patient_id.",
            "warning",
        )
    message = f"image and mask are those of {twin.case_id}: the tumour counts twice"
    return Problem(case.case_id, "image", message, "Drop one of the two.", "warning")


def _summary(
    cases: Sequence[Case], checks: Sequence[CaseCheck], classes: Sequence[str]
) -> DatasetSummary:
    labels = Counter(case.label for case in cases)
    shapes = [check.shape for check in checks if check.shape is not None]
    spacings = [check.spacing_mm for check in checks if check.spacing_mm is not None]
    voxels = [check.voxels for check in checks if check.voxels is not None]
    alike = len({len(shape) for shape in shapes}) == 1
    return DatasetSummary(
        cases=len(cases),
        usable=len(voxels),
        patients=len({case.patient_id for case in cases}),
        per_class={label: labels[label] for label in classes},
        unlabelled=labels[None],
        shape=_range(shapes) if alike else None,
        spacing_mm=_range(spacings) if alike else None,
        tumour_voxels=(min(voxels), max(voxels)) if voxels else None,
    )


def _range(sizes: Sequence[tuple[Number, ...]]) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    """Smallest and largest of each axis."""
    axes = list(zip(*sizes, strict=True))
    return tuple(min(axis) for axis in axes), tuple(max(axis) for axis in axes)
