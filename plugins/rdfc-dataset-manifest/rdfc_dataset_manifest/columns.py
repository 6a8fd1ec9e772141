"""Which column is what, in our lists and in PyRadiomics' batch files.

A list that has a column ``case_id`` is ours: ``label`` is the class. A list without one is a batch
file of PyRadiomics: ``Label`` is the value that marks the tumour in the mask, and the class, if
any, stands in the column that ``label_column`` names. Names are compared without regard to case.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from rdfc_core.interfaces import Problem

PYRADIOMICS_IDS = ("id", "case", "caseid", "case id")
PYRADIOMICS_PATIENTS = ("patient_id", "patient", "patientid", "patient id")


@dataclass(frozen=True)
class Columns:
    """The name, as the header writes it, of the column for each role; None where there is none.

    Args:
        image: The image file.
        mask: The mask file.
        case_id: The case.
        patient_id: Its patient.
        label: Its class.
        mask_value: The value that marks the tumour in the mask.
        split: Which part of the split it belongs to; stays among the further columns.
        ours: False for a batch file of PyRadiomics.
    """

    image: str
    mask: str
    case_id: str | None
    patient_id: str | None
    label: str | None
    mask_value: str | None
    split: str | None
    ours: bool

    @property
    def taken(self) -> set[str | None]:
        """Columns that became a part of the case itself."""
        return {
            self.image, self.mask, self.case_id, self.patient_id, self.label, self.mask_value
        }  # fmt: skip


def find_columns(
    header: Sequence[str], label_column: str | None, split_column: str | None
) -> tuple[Columns | None, list[Problem]]:
    """The role of each column, or None with the problems that stand in the way.

    Args:
        header: The names of the columns.
        label_column: The column that the user says holds the class.
        split_column: The column that the user says holds the split.
    """
    known = {name.casefold(): name for name in reversed(header)}
    problems = [_missing(name, header, "Add it.") for name in ("image", "mask")]
    for option, name in (("label_column", label_column), ("split_column", split_column)):
        if name:
            problems.append(_missing(name, header, f"Correct {option}, or add the column."))
    problems = [problem for problem in problems if problem.field.casefold() not in known]
    if problems:
        return None, problems

    def first(*names: str) -> str | None:
        return next((known[name.casefold()] for name in names if name.casefold() in known), None)

    ours = "case_id" in known
    label = first(label_column) if label_column else first("label") if ours else None
    mask_value = first("mask_value")
    if not ours and mask_value is None and first("label") != label:
        mask_value = first("label")
    return (
        Columns(
            image=known["image"],
            mask=known["mask"],
            case_id=first("case_id") if ours else first(*PYRADIOMICS_IDS),
            patient_id=first("patient_id") if ours else first(*PYRADIOMICS_PATIENTS),
            label=label,
            mask_value=mask_value,
            split=first(split_column) if split_column else None,
            ours=ours,
        ),
        [],
    )


def _missing(name: str, header: Sequence[str], fix: str) -> Problem:
    folded = {column.casefold(): column for column in header}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1)
    hint = f"Did you mean {folded[near[0]]!r}? " if near else ""
    message = f"the list has no column {name!r}; it has {', '.join(header)}"
    return Problem("", name, message, hint + fix)
