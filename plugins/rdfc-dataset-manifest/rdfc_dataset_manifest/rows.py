"""What is wrong with the cells of a row, and which cells say that there is no value."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rdfc_core.data.cells import (
    counted,
    is_missing,
    is_shortened_number,
    is_spreadsheet_error,
    is_windows_path,
    listed,
    may_be_missing,
)
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.columns import Columns
from rdfc_dataset_manifest.table import Row

MASK_VALUE_FIX = "Write a whole number other than 0, or leave it empty for every value but 0."
PYRADIOMICS_FIX = (
    "In a list without the column case_id, as in PyRadiomics' batch files, Label is the mask's "
    "value, a whole number from 1. If it is the class, set label_column or add case_id."
)
WINDOWS_FIX = "Write the paths from the list's folder on, such as image/a.png."


def row_problems(row: Row, columns: Columns, path: Path) -> list[Problem]:
    """What makes a row unusable."""
    case_id = row.cells[columns.case_id] if columns.case_id else ""
    problems = []

    def wrong(field: str, message: str, fix: str) -> None:
        problems.append(Problem(case_id, field, f"{path}, line {row.line}: {message}", fix))

    if columns.case_id and is_missing(case_id):
        wrong("case_id", _nothing(columns.case_id, case_id), "Give each case an id.")
    for role, column in (("image", columns.image), ("mask", columns.mask)):
        text = row.cells[column]
        if is_missing(text):
            wrong(role, _nothing(column, text), "Name the file, or drop the line.")
        elif is_windows_path(text) and os.name != "nt":
            wrong(role, f"{column} is {text}, a path of Windows", WINDOWS_FIX)
    for role in ("case_id", "patient_id", "label"):
        column = getattr(columns, role)
        if column and is_spreadsheet_error(row.cells[column]):
            message = f"{column} is {row.cells[column]!r}, an error of the spreadsheet"
            wrong(role, message, "Correct the formula or the width of its column, and save again.")
    if columns.mask_value:
        text = row.cells[columns.mask_value]
        value = whole_number(text)
        as_label = columns.mask_value.casefold() == "label"
        if not is_missing(text) and (not value or (as_label and value < 0)):
            fix = PYRADIOMICS_FIX if as_label else MASK_VALUE_FIX
            wrong("mask_value", f"{columns.mask_value} is {text!r}", fix)
    return problems


def whole_number(text: str) -> int | None:
    """The whole number that a cell holds, or None."""
    try:
        number = float(text)  # spreadsheets write 1.0 for 1
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def missing_words(rows: Sequence[Row], columns: Columns) -> Iterator[Problem]:
    """Cells of patients and mask values that hold a word for "no value", or a cut number."""
    for role, column, means in (
        ("patient_id", columns.patient_id, "each of these cases is its own patient"),
        ("mask_value", columns.mask_value, "it counts as empty"),
    ):
        if column is None:
            continue
        written = [row for row in rows if _is_word_for_missing(row.cells[column])]
        if written:
            message = f"{words(written, column)}, which stands for no value: {means}"
            yield Problem("", role, message, "Leave the cell empty, or write the value.", "warning")
    for role, column in (("case_id", columns.case_id), ("patient_id", columns.patient_id)):
        cut = [row for row in rows if column and is_shortened_number(row.cells[column])]
        if column and cut:
            message = f"{words(cut, column)}: a spreadsheet has cut the digits of long numbers"
            fix = "Different ids may have become one: write the column anew, as text."
            yield Problem("", role, message, fix, "warning")


def words(rows: Sequence[Row], column: str) -> str:
    """What a column says in some rows: ``label says 'nan' in 8 rows (lines 18, 19, 20, …)``."""
    said = listed([repr(text) for text in dict.fromkeys(row.cells[column] for row in rows)], 4)
    lines = listed([str(row.line) for row in rows])
    where = f"line {lines}" if len(rows) == 1 else f"lines {lines}"
    return f"{column} says {said} in {counted(len(rows), 'row')} ({where})"


def _is_word_for_missing(text: str) -> bool:
    return bool(text) and (is_missing(text) or may_be_missing(text))


def _nothing(column: str, text: str) -> str:
    return f"{column} is {text!r}, which stands for no value" if text else f"{column} is empty"
