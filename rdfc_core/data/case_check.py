"""Everything that is wrong with one case's files, where `Case.load` stops at the first thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import (
    Case,
    Needs,
    Tumour,
    Volume,
    absence,
    mask_of,
    of_component,
    reader_of,
    values_inside,
    voxels_inside,
)
from rdfc_core.data.inspection import Inspected, inspect
from rdfc_core.data.remarks import as_warning
from rdfc_core.errors import DataError
from rdfc_core.interfaces.dataset import Problem
from rdfc_core.interfaces.feature_extractor import FeatureExtractor
from rdfc_core.volume import check_finite, check_not_swapped

Result = TypeVar("Result")

FIELDS = ("image", "mask", "features")
"""Fields of problems that are one image's, where a case has several."""

GENERAL_FIX = "Mend or replace the file, or drop the case."


@dataclass(frozen=True)
class CaseCheck:
    """What a check of one case found.

    Args:
        problems: Everything that is wrong with its files, errors and warnings; an error makes the
            case unusable.
        shape: Of the image, or None if it could not be read.
        spacing_mm: Of the image, or None.
        seen: What there is to see in it, or None if the case is not usable.
    """

    problems: Sequence[Problem]
    shape: tuple[int, ...] | None = None
    spacing_mm: tuple[float, ...] | None = None
    seen: Inspected | None = None


def check_case(case: Case, extractor: FeatureExtractor | None = None) -> CaseCheck:
    """Read image and mask once each and collect every finding; raises nothing for a bad case.

    Args:
        case: With a reader.
        extractor: Asked whether it measures the tumour, by the code that it runs in a study; None:
            only the files are looked at.
    """
    if case.reader is None:
        fix = "Give the case a reader, or let a study choose it."
        return CaseCheck([Problem(case.case_id, "reader", "no reader is set", fix)])
    needs = extractor.needs if extractor is not None else Needs()
    first = case.main or next(iter(case.images), "")
    asked = extractor if needs.plain else None
    found = _check_image(case, first, asked)
    problems = [*found.problems]
    for name in case.images:
        if name != first:
            problems += _check_image(case, name, asked).problems
    if extractor is not None and asked is None and not problems:
        _measurable(case, extractor, lambda: case.load(needs), problems)
    unusable = any(problem.severity == "error" for problem in problems)
    return replace(found, problems=problems, seen=None if unusable else found.seen)


def _check_image(case: Case, name: str, extractor: FeatureExtractor | None) -> CaseCheck:
    """One image of a case, with its mask."""
    found = _check_one(case.one(name), extractor)
    if len(case.images) < 2:
        return found
    problems = [
        replace(one, field=f"{one.field}.{name}") if one.field in FIELDS else one
        for one in found.problems
    ]
    return replace(found, problems=problems)


def _check_one(case: Case, extractor: FeatureExtractor | None) -> CaseCheck:
    """A case of one image."""
    problems: list[Problem] = []
    reader = reader_of(case)
    image = _read(case, "image", case.image, reader.read_image, problems)
    mask = _read(case, "mask", case.mask, lambda path: mask_of(reader, path, image), problems)
    if image is not None:
        _collect(case, "image", lambda: check_finite(image), problems)
    inside = None
    if image is not None and mask is not None:
        read = mask
        fitted = _collect(
            case, "mask", lambda: case.mask_grid.fit(image, read, case.mask_value), problems
        )
        _collect(case, "mask", lambda: check_not_swapped(image, read), problems)
        mask = fitted or read
    if mask is not None:
        shown = mask
        inside = _collect(case, "mask", lambda: voxels_inside(shown, case.mask_value), problems)
    if image is None:
        return CaseCheck(problems)
    seen = None
    if inside is not None and mask is not None and not problems:
        found = inside
        tumour = _collect(case, "mask", lambda: _tumour(case, image, mask, found), problems)
        if tumour is not None and extractor is not None:
            measured = tumour
            _measurable(case, extractor, lambda: measured, problems)
        if tumour is not None and not any(one.severity == "error" for one in problems):
            seen = _collect(case, "mask", lambda: inspect(tumour), problems)
    return CaseCheck(
        problems,
        image.array.shape,
        tuple(float(s) for s in image.spacing_mm),
        seen,
    )


def _measurable(
    case: Case,
    extractor: FeatureExtractor,
    load: Callable[[], Tumour],
    problems: list[Problem],
) -> None:
    """Whether the extractor measures the tumour, and what it remarks of it."""

    def remarks() -> tuple[str, ...]:
        tumour = load()
        extractor.check(tumour)
        return extractor.remarks(tumour)

    told = _collect(case, "features", remarks, problems)
    problems += [as_warning(case.case_id, remark) for remark in told or ()]


def _tumour(case: Case, image: Volume, mask: Volume, inside: NDArray[np.bool_]) -> Tumour:
    """What `Case.load` would give, of files that have been read already."""
    inside = of_component(inside, case.component)
    notes = (*image.notes, *mask.notes)
    return Tumour(image, inside, values_inside(mask, inside), notes)


def _read(
    case: Case,
    field: str,
    path: Path,
    read: Callable[[Path], Volume],
    problems: list[Problem],
) -> Volume | None:
    fault = absence(reader_of(case), path)
    if fault is not None:
        message = f"the {field} {path} {fault}"
        problems.append(
            Problem(case.case_id, field, message, "Correct the path, or drop the case.")
        )
        return None
    return _collect(case, field, lambda: read(path), problems)


def _collect(
    case: Case, field: str, step: Callable[[], Result], problems: list[Problem]
) -> Result | None:
    """What the step gives; what it raises becomes a problem."""
    try:
        return step()
    except Exception as error:  # any reader may fail in any way, and the other cases go on
        problems.append(_as_problem(error, case, field))
        return None


def _as_problem(error: Exception, case: Case, field: str) -> Problem:
    """The first sentence of an error is what is wrong, the rest what to do."""
    text = " ".join(str(error).split())
    if not isinstance(error, DataError):
        message = f"checking it failed with {type(error).__name__}: {text}"
        return Problem(case.case_id, field, message, GENERAL_FIX)
    path = str(case.image if field == "image" else case.mask)
    message, _, fix = text.replace(path, "\0").partition(". ")  # a path may hold a full stop
    return Problem(
        case.case_id,
        field,
        message.rstrip(".").replace("\0", path),
        fix.replace("\0", path) or GENERAL_FIX,
    )
