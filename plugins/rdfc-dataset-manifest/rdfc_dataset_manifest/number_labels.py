"""Labels of a list that are numbers to predict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rdfc_core.data.cells import (
    is_missing,
    is_spreadsheet_error,
    label_number,
    may_be_missing,
    not_a_number,
)
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.columns import Columns
from rdfc_dataset_manifest.labels import ListLabels
from rdfc_dataset_manifest.rows import words
from rdfc_dataset_manifest.table import ManifestRow


def read_numbers(
    rows: Sequence[ManifestRow], columns: Columns, path: Path
) -> tuple[ListLabels, list[Problem]]:
    """How the numbers of a list are to be read, with the cells that hold none.

    A word that stands for no value (``nan``, ``unknown``) leaves its case unlabelled.

    Args:
        rows: Of the list.
        columns: Of the list.
        path: The list.
    """
    column = columns.label
    if column is None:
        return ListLabels(None, {}), []
    problems = []
    numbers: dict[str, str] = {}
    for row in rows:
        text = row.cells[column]
        if is_missing(text) or may_be_missing(text) or is_spreadsheet_error(text):
            continue  # the last is told of the row
        if label_number(text) is not None:
            numbers[text] = text.strip()
            continue
        case_id = row.cells[columns.case_id] if columns.case_id else ""
        what, fix = not_a_number(text)
        message = f"{path}, line {row.line}: {column} is {what}, and task is regression"
        problems.append(Problem(case_id, "label", message, fix))
    without = [row for row in rows if row.cells[column] and _stands_for_none(row.cells[column])]
    if without:
        message = f"{words(without, column)}, which stands for no value: unlabelled"
        problems.append(Problem("", "label", message, "Leave the cells empty.", "warning"))
    return ListLabels(column, numbers), problems


def _stands_for_none(text: str) -> bool:
    return is_missing(text) or may_be_missing(text)
