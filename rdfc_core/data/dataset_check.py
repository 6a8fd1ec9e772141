"""Everything that is wrong with a data set, in one pass: each finding with case, field and fix."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from rdfc_core.case import Case
from rdfc_core.contract.listings import require_classes
from rdfc_core.data.accounting import Use, account
from rdfc_core.data.case_check import CaseCheck, check_case
from rdfc_core.data.cells import counted
from rdfc_core.data.findings import case_findings, listing_findings
from rdfc_core.data.inspection import Inspected
from rdfc_core.data.split_findings import split_findings
from rdfc_core.data.splits import UnsplittableError
from rdfc_core.data.targets import CLASSES, Targets
from rdfc_core.data.view_findings import held_by
from rdfc_core.errors import DataError, RdfcError
from rdfc_core.interfaces.dataset import Dataset, Problem
from rdfc_core.interfaces.feature_extractor import FeatureExtractor
from rdfc_core.interfaces.prepared import Preparer
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.utils.progress import Progress

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class DatasetSummary:
    """The data set in numbers; sizes and spacings are those of the images that could be read.

    Args:
        cases: Cases listed.
        usable: Cases whose files are without an error.
        patients: Patients listed.
        per_class: Class → labelled cases, in the data set's order.
        unlabelled: Cases without a label of these classes.
        shape: Smallest and largest size along each axis; None if nothing was read, or if pictures
            and volumes are mixed.
        spacing_mm: Smallest and largest spacing along each axis, or None as for ``shape``.
        tumour_voxels: Smallest and largest tumour, or None if no case is usable.
        holding_mm: The fields that hold 95 % of the outlines, and all, (rows, columns) or (planes,
            rows, columns), or None as for ``shape``.
        uses: What the data set's own split uses each case for; empty if it cannot be made.
        numbers: How labels lie that are numbers; None where they are classes.
    """

    cases: int
    usable: int
    patients: int
    per_class: Mapping[str, int]
    unlabelled: int
    shape: tuple[tuple[int, ...], tuple[int, ...]] | None
    spacing_mm: tuple[tuple[float, ...], tuple[float, ...]] | None
    tumour_voxels: tuple[int, int] | None
    holding_mm: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    uses: tuple[Use, ...] = ()
    numbers: Mapping[str, float] | None = None


@dataclass(frozen=True)
class DatasetCheck:
    """What a check found: the problems of the whole set first, then those of its cases in order."""

    problems: Sequence[Problem]
    summary: DatasetSummary


def check_dataset(
    dataset: Dataset,
    cases: Sequence[Case],
    progress: Progress | None = None,
    extractor: FeatureExtractor | None = None,
    views: Mapping[str, Preparer] | None = None,
    targets: Targets = CLASSES,
) -> DatasetCheck:
    """Check the listing, then every case's files, then the cases against each other.

    A case that cannot be read costs only itself.

    Args:
        dataset: Asked for its classes and for the problems of its listing.
        cases: Its cases, each with a reader; none if the listing is unusable.
        progress: Told after each case.
        extractor: Asked whether it measures each case, as in a study; None: only files are read.
        views: Of a study: what they do not see of the cases is told; None: no study is known.
        targets: What labels are.
    """
    if extractor is not None and extractor.mask_grid is not None:
        cases = [replace(case, mask_grid=extractor.mask_grid) for case in cases]
    listing = [problem for problem in dataset.problems() if problem.severity == "error"]
    checks = []
    with (progress or Progress()).task("Checking cases", len(cases)) as advance:
        for case in cases:
            checks.append(check_case(case, extractor))
            advance()
    told = {(p.case_id, p.field) for p in listing if p.case_id}
    of_cases = [p for check in checks for p in check.problems if (p.case_id, p.field) not in told]
    classes = _classes(dataset, cases)
    labelled = [_labelled(case, targets) for case in cases]
    usable = [case for case, check in zip(cases, checks, strict=True) if check.seen is not None]
    seen = {
        case.case_id: check.seen
        for case, check in zip(cases, checks, strict=True)
        if check.seen is not None
    }
    problems = [
        *listing,
        *(p for p in _listing_problems(cases, listing) if (p.case_id, p.field) not in told),
        *listing_findings(dataset, labelled, targets.findings(labelled, classes)),
        *_mixture_problems(checks),
        *case_findings(usable, seen, views=views),
        *of_cases,
    ]
    uses, doubts = _uses(dataset, labelled, classes, seen, targets)
    problems += doubts
    order = {case.case_id: place for place, case in enumerate(cases, start=1)}
    problems.sort(key=lambda problem: order.get(problem.case_id, 0))
    return DatasetCheck(problems, _summary(labelled, checks, classes, uses, targets))


def _uses(
    dataset: Dataset,
    cases: Sequence[Case],
    classes: Sequence[str],
    seen: Mapping[str, Inspected],
    targets: Targets,
) -> tuple[Sequence[Use], list[Problem]]:
    """What the data set's own split uses each case for, or why it cannot be made.

    Equal content is looked for where a column makes the split: of draws, the seed decides who meets
    whom, and `equal_content` tells of it.
    """
    usable = [case for case in cases if case.case_id in seen]
    if not usable or not targets.enough(targets.classes(usable, classes)):
        return (), []  # which is said of the labels
    spec = dataset.protocol()
    fixed = spec.kind == "column"
    if not fixed and importlib.util.find_spec("sklearn") is None:
        message = "splits are drawn with scikit-learn, which is not installed here: none was tried"
        return (), [Problem("", "split", message, "Check again where it is trained.", "warning")]
    images = {case_id: one.image for case_id, one in seen.items() if fixed}
    prints = {case_id: one.image + one.outline for case_id, one in seen.items() if fixed}
    try:
        splits = targets.splits(usable, spec, 0, prints, images, classes)
    except RdfcError as error:
        message, _, fix = str(error).partition(". ")
        severity: Literal["error", "warning"] = (
            "warning" if isinstance(error, UnsplittableError) or not fixed else "error"
        )
        return (), [Problem("", "split", message, fix or "Choose another split.", severity)]
    failed = {case.case_id for case in cases} - set(seen)
    doubts = list(split_findings(splits, spec, len(classes)))
    return account(cases, splits, spec, classes, failed, targets), doubts


def _labelled(case: Case, targets: Targets) -> Case:
    """The case with its label as the task takes it; what is none is told elsewhere."""
    try:
        return targets.read([case])[0]
    except DataError:
        return replace(case, label=None)


def _classes(dataset: Dataset, cases: Sequence[Case]) -> tuple[str, ...]:
    """The data set's classes; of an unusable listing, whichever labels the cases have."""
    try:
        classes = dataset.classes
    except DataError:  # its problems() has said so already
        return tuple(sorted({case.label for case in cases if case.label is not None}))
    with held_to_contract(dataset):
        require_classes(classes, type(dataset).__name__)
    return classes


def _listing_problems(cases: Sequence[Case], listing: Sequence[Problem]) -> Iterator[Problem]:
    if not cases and not any(problem.severity == "error" for problem in listing):
        yield Problem("", "cases", "the data set lists no case", "Check where it is said to lie.")
    for case_id, count in Counter(case.case_id for case in cases).items():
        if count > 1:
            message = f"{count} cases have this id"
            yield Problem(case_id, "case_id", message, "Give each case an id of its own.")


def _mixture_problems(checks: Sequence[CaseCheck]) -> Iterator[Problem]:
    axes = Counter(len(check.shape) for check in checks if check.shape is not None)
    if len(axes) > 1:
        pictures = counted(axes[2], "case is a picture", "cases are pictures")
        message = f"{pictures} and {counted(axes[3], 'is a volume', 'are volumes')}"
        yield Problem("", "image", message, "Make two data sets of them.")


def _summary(
    cases: Sequence[Case],
    checks: Sequence[CaseCheck],
    classes: Sequence[str],
    uses: Sequence[Use],
    targets: Targets,
) -> DatasetSummary:
    told = targets.summary(cases, classes)
    shapes = [check.shape for check in checks if check.shape is not None]
    spacings = [check.spacing_mm for check in checks if check.spacing_mm is not None]
    usable = [check.seen for check in checks if check.seen is not None]
    voxels = [one.voxels for one in usable]
    alike = len({len(shape) for shape in shapes}) == 1
    return DatasetSummary(
        cases=len(cases),
        usable=len(voxels),
        patients=len({case.patient_id for case in cases}),
        per_class=told["per_class"],
        unlabelled=sum(not targets.counts(case.label, classes) for case in cases),
        shape=_range(shapes) if alike else None,
        spacing_mm=_range(spacings) if alike else None,
        tumour_voxels=(min(voxels), max(voxels)) if voxels else None,
        holding_mm=held_by(usable) if usable and alike else None,
        uses=tuple(uses),
        numbers=told.get("numbers"),
    )


def _range(sizes: Sequence[tuple[Number, ...]]) -> tuple[tuple[Number, ...], tuple[Number, ...]]:
    """Smallest and largest of each axis."""
    axes = list(zip(*sizes, strict=True))
    return tuple(min(axis) for axis in axes), tuple(max(axis) for axis in axes)
