"""Everything that is wrong with one case's files, where `Case.load` stops at the first thing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case, Volume, nothing_at, voxels_inside
from rdfc_core.errors import DataError
from rdfc_core.interfaces.dataset import Problem
from rdfc_core.volume import check_finite, check_not_swapped

Result = TypeVar("Result")

GENERAL_FIX = "Mend or replace the file, or drop the case."
SHOWN_VALUES = 6
"""Values of a mask that a message lists before it breaks off."""


@dataclass(frozen=True)
class CaseCheck:
    """What a check of one case found.

    Args:
        problems: Everything that is wrong with its files.
        shape: Of the image, or None if it could not be read.
        spacing_mm: Of the image, or None.
        voxels: Of the tumour, or None if the case is not usable.
        image_digest: The same for the same image samples, "" if unread.
        tumour_digest: The same for the same image samples and outline, "" if not usable.
    """

    problems: Sequence[Problem]
    shape: tuple[int, ...] | None = None
    spacing_mm: tuple[float, ...] | None = None
    voxels: int | None = None
    image_digest: str = ""
    tumour_digest: str = ""


def check_case(case: Case) -> CaseCheck:
    """Read image and mask once each and collect every finding; raises nothing for a bad case."""
    problems: list[Problem] = []
    if case.reader is None:
        fix = "Give the case a reader, or let a study choose it."
        return CaseCheck([Problem(case.case_id, "reader", "no reader is set", fix)])
    image = _read(case, "image", case.image, case.reader.read_image, problems)
    mask = _read(case, "mask", case.mask, case.reader.read_mask, problems)
    if image is not None:
        _collect(case, "image", lambda: check_finite(image), problems)
    inside = None
    if mask is not None:
        inside = _collect(case, "mask", lambda: voxels_inside(mask, case.mask_value), problems)
        if inside is not None:
            found = inside
            odd = _collect(case, "mask", lambda: list(_odd_masks(case, mask, found)), problems)
            problems += odd or []
    if image is not None and mask is not None:
        fitted = _collect(
            case, "mask", lambda: case.mask_grid.fit(image, mask, case.mask_value), problems
        )
        for note in fitted.notes[len(mask.notes) :] if fitted is not None else ():
            message, _, fix = note.partition(". ")
            problems.append(Problem(case.case_id, "mask", message, fix, "warning"))
        _collect(case, "mask", lambda: check_not_swapped(image, mask), problems)
    if image is None:
        return CaseCheck(problems)
    usable = inside is not None and all(problem.severity != "error" for problem in problems)
    image_digest = _digest(image.array)
    return CaseCheck(
        problems,
        image.array.shape,
        tuple(float(s) for s in image.spacing_mm),
        int(inside.sum()) if usable and inside is not None else None,
        image_digest,
        image_digest + _digest(inside) if usable and inside is not None else "",
    )


def _read(
    case: Case,
    field: str,
    path: Path,
    read: Callable[[Path], Volume],
    problems: list[Problem],
) -> Volume | None:
    fault = nothing_at(path) if getattr(case.reader, "needs_files", True) else None
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


def _odd_masks(case: Case, mask: Volume, inside: NDArray[np.bool_]) -> Iterator[Problem]:
    """What is allowed in a mask, and seldom meant."""

    def odd(message: str, fix: str) -> Problem:
        return Problem(case.case_id, "mask", message, fix, "warning")

    for note in mask.notes:
        message, _, fix = note.partition(". ")
        yield odd(message.rstrip("."), fix or "Check the mask.")
    values = np.unique(mask.array[inside])
    if len(values) > 1:
        shown = ", ".join(f"{value:g}" for value in values[:SHOWN_VALUES].tolist())
        more = ", …" if len(values) > SHOWN_VALUES else ""
        yield odd(
            f"the mask holds {len(values)} values besides 0 ({shown}{more}), and all count as "
            "tumour",
            "Set mask_value if only one of them is meant.",
        )
    if inside.all():
        yield odd("the mask covers the whole image", "Check that it is not inverted or missing.")
    extents = [np.count_nonzero(inside.any(axis=_others(inside, a))) for a in range(inside.ndim)]
    if sum(extent > 1 for extent in extents) < 2:
        size = "one voxel" if inside.sum() == 1 else f"a line of {inside.sum()} voxels"
        yield odd(
            f"the tumour is {size}, too small for most radiomics features",
            "Check the outline, or drop the case.",
        )


def _others(array: NDArray[np.bool_], axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(array.ndim) if other != axis)


def _digest(array: NDArray[np.generic]) -> str:
    digest = hashlib.blake2b(f"{array.dtype.str} {array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
