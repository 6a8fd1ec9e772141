"""Equal content under two names: counted twice, on both sides of a split, or copied by mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rdfc_core.case import Case
from rdfc_core.data.cells import tidy
from rdfc_core.data.inspection import Inspected
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.interfaces.dataset import Problem


def shared_masks(cases: Sequence[Case]) -> Iterator[Problem]:
    """Cases whose mask file is their image, or that of another image; no file is read."""
    first: dict[str, Case] = {}
    for case in cases:
        if tidy(str(case.image)) == tidy(str(case.mask)) and not _holds_both(case):
            message = "its image and its mask are one file"
            yield Problem(case.case_id, "mask", message, "Name the mask.", "warning")
        other = first.setdefault(tidy(str(case.mask)), case)
        if other is not case and tidy(str(other.image)) != tidy(str(case.image)):
            message = f"its mask file is that of {other.case_id}, which has another image"
            fix = "Name for each image the mask that was drawn on it."
            yield Problem(case.case_id, "mask", message, fix, "warning")


def equal_content(cases: Sequence[Case], seen: Mapping[str, Inspected]) -> Iterator[Problem]:
    """Cases whose image, outline or both are those of an earlier one.

    Args:
        cases: In the data set's order.
        seen: Case id → what there is to see in it; cases without it are passed over.
    """
    first_tumour: dict[tuple[str, str], Case] = {}
    first_image: dict[str, Case] = {}
    first_outline: dict[str, Case] = {}
    for case in cases:
        one = seen.get(case.case_id)
        if one is None:
            continue
        twin = first_tumour.setdefault((one.image, one.outline), case)
        sibling = first_image.setdefault(one.image, case)
        outlined = first_outline.setdefault(one.outline, case)
        if case.case_id in (twin.case_id, sibling.case_id) and twin is not case:
            continue  # one case listed twice, which is said already
        if twin is not case:
            yield _twin(case, twin)
        elif sibling is not case:
            yield from _sibling(case, sibling)
        elif outlined is not case and one.covered < 1 and outlined.mask != case.mask:
            message = f"its outline is exactly that of {outlined.case_id}, on another image"
            fix = "Check that the mask was not copied to the wrong case."
            yield Problem(case.case_id, "mask", message, fix, "warning")


def _holds_both(case: Case) -> bool:
    """Generated data have paths that are no files, and some formats keep image and mask in one."""
    reader = case.reader
    if isinstance(reader, AutoReader):
        named = reader.named_for(case.image)
        reader = None if named is None else named.reader
    files = getattr(reader, "needs_files", True)
    return not files or bool(getattr(reader, "masks_in_images", False))


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


def _sibling(case: Case, sibling: Case) -> Iterator[Problem]:
    if sibling.patient_id != case.patient_id:
        yield Problem(
            case.case_id,
            "patient_id",
            f"its image is that of {sibling.case_id}, who is listed as another patient "
            f"({case.patient_id} and {sibling.patient_id})",
            "Give both the same patient_id, or the image may train and test at once.",
            "warning",
        )
    elif tidy(str(sibling.image)) != tidy(str(case.image)):
        message = f"its image is that of {sibling.case_id} under another name"
        fix = "Check that the image was not copied to the wrong case."
        yield Problem(case.case_id, "image", message, fix, "warning")
