"""Which column is what, in our lists and in PyRadiomics' batch files.

A list that has a column ``case_id`` is ours: ``label`` is the class. A list without one is a batch
file of PyRadiomics: ``Label`` is the value that marks the tumour in the mask, and the class, if
any, stands in the column that ``label_column`` names. Names are compared without regard to case,
blanks, dashes and underscores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rdfc_core.data.cells import find_column, near_column, simple_name
from rdfc_core.errors import did_you_mean
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.images import FileColumns, find_files

PYRADIOMICS_IDS = ("id", "case", "case_id")
PATIENTS = ("patient_id", "patient")
LIKE_A_PATIENT = (
    *("subject", "subject_id", "subj_id", "participant", "participant_id", "person", "person_id"),
    *("pid", "mrn", "patient_name", "patient_no", "patient_nr", "patient_num", "patient_number"),
    *("patient_code", "patient_key", "patient_uid", "patients", "id_patient", "individual"),
)
LIKE_A_LABEL = (
    *("labels", "class", "classes", "target", "diagnosis", "dx", "pathology", "histology"),
    *("malignancy", "outcome", "category", "ground_truth", "y"),
)
LIKE_A_MASK_VALUE = ("mask_label", "label_value", "roi_value", "mask_index", "segment_value")


@dataclass(frozen=True)
class Columns:
    """The name, as the header writes it, of the column for each role; None where there is none.

    Args:
        files: The image and mask files.
        case_id: The case.
        patient_id: Its patient.
        label: Its class.
        mask_value: The value that marks the tumour in the mask.
        component: Which connected component of the mask it is.
        split: Which part of the split it belongs to; stays among the further columns.
        ours: False for a batch file of PyRadiomics.
    """

    files: FileColumns
    case_id: str | None
    patient_id: str | None
    label: str | None
    mask_value: str | None
    component: str | None
    split: str | None
    ours: bool

    @property
    def taken(self) -> set[str | None]:
        """Columns that became a part of the case itself."""
        roles = self.case_id, self.patient_id, self.label, self.mask_value, self.component
        return {*self.files.all, *roles}


def find_columns(
    header: Sequence[str], config: ManifestConfig
) -> tuple[Columns | None, list[Problem]]:
    """The role of each column, with doubts about the others; None if one that is needed is absent.

    Args:
        header: The names of the columns.
        config: May say which columns hold the class, the patient and the split.
    """
    files, of_files = find_files(header, config.main_image)
    problems = []
    for option in ("label_column", "patient_column", "split_column"):
        name = getattr(config, option)
        if name:
            problems.append(_missing(name, header, f"Correct {option}, or add the column."))
    problems = [problem for problem in problems if find_column(header, problem.field) is None]
    if problems or files is None:
        return None, [*of_files, *problems]

    ours = "case_id" in {name.casefold() for name in header}
    if config.label_column:
        label = find_column(header, config.label_column)
    else:
        label = find_column(header, "label") if ours else None
    mask_value = find_column(header, "mask_value")
    if not ours and mask_value is None and find_column(header, "label") != label:
        mask_value = find_column(header, "label")
    patient_id, problems = _patient(header, config)
    columns = Columns(
        files=files,
        case_id=find_column(header, "case_id") if ours else find_column(header, *PYRADIOMICS_IDS),
        patient_id=patient_id,
        label=label,
        mask_value=mask_value,
        component=find_column(header, "component"),
        split=find_column(header, config.split_column) if config.split_column else None,
        ours=ours,
    )
    return columns, [*problems, *_unused(header, columns), *_second(header, columns)]


def _patient(header: Sequence[str], config: ManifestConfig) -> tuple[str | None, list[Problem]]:
    """The column of patients: a wrong guess would put one patient on both sides of a split."""
    if config.patient_column:
        return find_column(header, config.patient_column), []
    exact = next((name for name in header if name.casefold() == PATIENTS[0]), None)
    simple = {simple_name(name) for name in PATIENTS}
    meant = [exact] if exact else [name for name in header if simple_name(name) in simple]
    if len(meant) == 1:
        return meant[0], []
    if not meant:
        like = {simple_name(name) for name in LIKE_A_PATIENT}
        meant = [name for name in header if simple_name(name) in like]
        near = near_column(header, PATIENTS[0])
        meant += [near] if near and not meant else []
    if not meant:
        return None, []
    names = " and ".join(map(repr, meant))
    looks = "both look like it" if len(meant) > 1 else "looks like it"
    fix = (
        f"Set patient_column to {meant[0]!r} if it names the patients, or to the column of the "
        "case ids if each case is a patient of its own."
    )
    message = f"the list has no column 'patient_id', and {names} {looks}"
    return None, [Problem("", "patient_id", message, fix)]


def _unused(header: Sequence[str], columns: Columns) -> Iterator[Problem]:
    """Columns without a role whose names say that they may have been meant for one."""
    free = [name for name in header if name not in columns.taken and name != columns.split]
    for role, column, like in (
        ("label", columns.label, LIKE_A_LABEL),
        ("mask_value", columns.mask_value, LIKE_A_MASK_VALUE),
    ):
        if column is not None or (role == "label" and not columns.ours):
            continue
        simple = {simple_name(name) for name in like}
        names = [name for name in free if simple_name(name) in simple]
        near = near_column(free, role)
        names += [near] if near and not names else []
        if names:
            shown = " or ".join(map(repr, names))
            message = f"the list has no column {role!r}; {shown} may be it, and is not used"
            asked = role == "label"
            fix = "Set label_column to it" if asked else f"Call it {role}"
            field = "label_column" if asked else role
            yield Problem("", field, message, f"{fix}, if it is.", "warning")


def _second(header: Sequence[str], columns: Columns) -> Iterator[Problem]:
    """Columns that would have a role if another did not have it."""
    for role in ("case_id", "patient_id", "image", "mask", "label", "mask_value"):
        column = getattr(columns.files if role in ("image", "mask") else columns, role)
        names = {simple_name(name) for name in (PATIENTS if role == "patient_id" else (role,))}
        for other in header:
            if not column or other.casefold() == column.casefold():
                continue  # of two that differ in case alone, the table itself tells
            if other not in columns.taken and simple_name(other) in names:
                message = f"two columns may be {role}: {column!r} is used, and {other!r} is not"
                yield Problem("", role, message, "Rename the other one.", "warning")


def _missing(name: str, header: Sequence[str], fix: str) -> Problem:
    message = f"the list has no column {name!r}; it has {', '.join(header)}"
    return Problem("", name, message, f"{did_you_mean(name, header)} {fix}".lstrip())
