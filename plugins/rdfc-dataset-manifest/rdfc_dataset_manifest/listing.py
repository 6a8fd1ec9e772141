"""From the rows of a list to cases, with every problem on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rdfc_core.case import Case
from rdfc_core.data.cells import find_column, is_missing, may_be_missing, plain_number, tidy
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.chosen import doubts_of, find_chosen, values_of
from rdfc_dataset_manifest.columns import Columns, find_columns
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.labels import ListLabels, read_labels
from rdfc_dataset_manifest.names import named_by_files, portable
from rdfc_dataset_manifest.number_labels import read_numbers
from rdfc_dataset_manifest.rows import missing_words, row_problems, which_component, whole_number
from rdfc_dataset_manifest.split import read_split
from rdfc_dataset_manifest.table import ManifestRow, read_table

DEFAULT_NAME = "manifest.csv"
TEACHING = ("label", "patient_id", "split")
"""Fields of problems that concern training and evaluating alone."""
UNUSED = ("label_column", "split_column")
"""Fields of problems about columns that nobody has asked for."""


@dataclass(frozen=True)
class ManifestListing:
    """What a list says.

    Args:
        cases: The cases whose rows are sound.
        problems: What is wrong with the other rows, or with the list itself, and doubts.
        split: The column that holds the split, as the header writes it.
    """

    cases: Sequence[Case]
    problems: Sequence[Problem]
    split: str | None = None


def read_listing(
    config: ManifestConfig, to_predict: bool = False, numbers: bool = False
) -> ManifestListing:
    """All cases and all problems of the list that the configuration names.

    Args:
        config: Where the list is, and what its columns mean.
        to_predict: Its cases are not trained on: classes, patients and splits refuse nothing.
        numbers: Labels are numbers to predict, and no classes.
    """
    path, base = _locate(config)
    table = read_table(path)
    if not table.columns:
        return ManifestListing((), table.problems)
    columns, problems = find_columns(table.columns, config)
    if columns is None:
        return ManifestListing((), [*table.problems, *problems])
    chosen, unfit = find_chosen(table.columns, config.columns, columns)
    problems += [*unfit, *doubts_of(table.rows, chosen)]
    if numbers:
        labels, doubts = read_numbers(table.rows, columns, path)
    else:
        labels, doubts = read_labels(table.rows, columns.label, config.classes, to_predict)
    problems += doubts
    split, doubts = read_split(table.rows, columns, config)
    problems = [*table.problems, *(_untaught if to_predict else list)([*problems, *doubts])]
    sound: list[tuple[ManifestRow, Case]] = []
    for row in table.rows:
        wrong = (_untaught if to_predict else list)(
            row_problems(row, columns, path, config.main_image)
        )
        problems += wrong
        if not wrong:
            case = _case(row, columns, config, base, labels)
            own = {**case.columns, **split(row), **values_of(row, chosen)}
            sound.append((row, replace(case, columns=own, view_columns=tuple(chosen))))
    problems += missing_words(table.rows, columns)
    if columns.case_id is None:
        sound = named_by_files(sound, columns)
    problems += _repeated(sound, path)
    return ManifestListing(_with_patients([case for _, case in sound]), problems, columns.split)


def has_column(config: ManifestConfig, name: str) -> bool:
    """Whether the list that the configuration names has such a column, as columns are compared."""
    path, _ = _locate(config)
    return find_column(read_table(path).columns, name) is not None


def _untaught(problems: Sequence[Problem]) -> list[Problem]:
    """The problems without those that matter only where cases are to teach."""
    return [
        problem
        for problem in problems
        if problem.field not in UNUSED
        and (problem.field not in TEACHING or problem.severity == "warning")
    ]


def _locate(config: ManifestConfig) -> tuple[Path, Path]:
    """The list, and the folder from which its relative paths start."""
    if config.csv is not None:
        return config.csv, config.root or config.csv.parent
    root = config.root or Path()  # one of the two is set: the configuration sees to it
    return (root / DEFAULT_NAME, root) if root.is_dir() else (root, root.parent)


def _case(
    row: ManifestRow, columns: Columns, config: ManifestConfig, base: Path, labels: ListLabels
) -> Case:
    """The case of a sound row; its id and patient are "" where the row does not say."""

    def cell(column: str | None) -> str:
        text = row.cells[column] if column else ""
        return "" if is_missing(text) else text

    mask_value = whole_number(cell(columns.mask_value))
    patient = cell(columns.patient_id)
    ids = (
        plain_number(cell(columns.case_id)),
        "" if may_be_missing(patient) else plain_number(patient),
    )
    further: dict[str, Any] = {
        "label": labels.of(row),
        "mask_value": config.mask_value if mask_value is None else mask_value,
        "component": which_component(cell(columns.component), config.component),
        "columns": {name: text for name, text in row.cells.items() if name not in columns.taken},
    }
    if columns.files.images:
        named = columns.files.named(row)
        images = {name: base / portable(image) for name, (image, _) in named.items()}
        masks = {name: base / portable(mask) for name, (_, mask) in named.items()}
        return Case.of_images(*ids, images, masks, main=config.main_image, **further)
    image, mask = (base / portable(cell(c)) for c in (columns.files.image, columns.files.mask))
    return Case(*ids, image, mask, **further)


def _repeated(sound: Sequence[tuple[ManifestRow, Case]], path: Path) -> list[Problem]:
    seen: dict[str, int] = {}
    problems = []
    for row, case in sound:
        first = seen.setdefault(case.case_id, row.line)
        if first != row.line:
            message = f"{path}, lines {first} and {row.line}: both are the case {case.case_id!r}"
            fix = "Give each case an id of its own, or drop one of the lines."
            problems.append(Problem(case.case_id, "case_id", message, fix))
    return problems


def _with_patients(cases: Sequence[Case]) -> list[Case]:
    """A case without a patient is its own, or that of another case of the same image."""
    owners: dict[str, str] = {}
    for case in cases:
        for image in (case.image, *case.images.values()) if case.patient_id else ():
            owners.setdefault(_same_file(image), case.patient_id)
    return [
        case
        if case.patient_id
        else replace(case, patient_id=owners.setdefault(_same_file(case.image), case.case_id))
        for case in cases
    ]


def _same_file(path: Path) -> str:
    """Equal for paths that are written differently and name one file."""
    return tidy(os.path.normpath(path))
