"""What is wrong with the cells of a row, and which cells say that there is no value."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from rdfc_core.case import WhichComponent
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
from rdfc_dataset_manifest.table import ManifestRow

COMPONENT_FIX = "Write all, largest, or a number from 1: the n-th largest component of the mask."
MASK_VALUE_FIX = "Write a whole number other than 0, or leave it empty for every value but 0."
PYRADIOMICS_FIX = (
    "In a list without the column case_id, as in PyRadiomics' batch files, Label is the mask's "
    "value, a whole number from 1. If it is the class, set label_column or add case_id."
)
WINDOWS_FIX = "Write the paths from the list's folder on, such as image/a.png."


def row_problems(
    row: ManifestRow, columns: Columns, path: Path, main: str | None = None
) -> list[Problem]:
    """What makes a row unusable.

    Args:
        row: The row.
        columns: Of its list.
        path: The list.
        main: The image that the option ``main_image`` names.
    """
    case_id = row.cells[columns.case_id] if columns.case_id else ""
    problems = []

    def wrong(field: str, message: str, fix: str) -> None:
        problems.append(Problem(case_id, field, f"{path}, line {row.line}: {message}", fix))

    if columns.case_id and is_missing(case_id):
        wrong("case_id", _nothing(columns.case_id, case_id), "Give each case an id.")
    for role, column in _files(columns):
        text = row.cells[column]
        if is_missing(text) and not columns.files.images:
            wrong(role, _nothing(column, text), "Name the file, or drop the line.")
        elif is_windows_path(text) and os.name != "nt":
            wrong(role, f"{column} is {text}, a path of Windows", WINDOWS_FIX)
    for role, message, fix in _named_files(row, columns, main):
        wrong(role, message, fix)
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
    if columns.component and which_component(row.cells[columns.component], "all") is None:
        text = row.cells[columns.component]
        wrong("component", f"{columns.component} is {text!r}", COMPONENT_FIX)
    return problems


def which_component(text: str, otherwise: WhichComponent) -> WhichComponent | None:
    """What a cell says of the mask's components; None if it says nothing that is known.

    Args:
        text: The cell.
        otherwise: What an empty cell stands for.
    """
    word = text.casefold()
    if is_missing(text):
        return otherwise
    if word == "all":
        return "all"
    if word == "largest":
        return "largest"
    number = whole_number(text)
    return number if number is not None and number > 0 else None


def _files(columns: Columns) -> Iterator[tuple[str, str]]:
    """Role and column of every file."""
    files = columns.files
    one = (("image", files.image), ("mask", files.mask))
    yield from ((role, column) for role, column in one if column)
    yield from (("image", column) for column in files.images.values())
    yield from (("mask", column) for column in files.masks.values())


def _named_files(
    row: ManifestRow, columns: Columns, main: str | None
) -> Iterator[tuple[str, str, str]]:
    """Field, message and remedy of what is wrong with a row of named images."""
    files = columns.files
    if not files.images:
        return
    there = files.named(row)
    if not there:
        names = ", ".join(files.images.values())
        yield "image", f"none of {names} names a file", "Name one, or drop the line."
    for name, (_, mask) in there.items():
        if not mask:
            of = " and ".join(c for c in (files.masks.get(name), files.mask) if c)
            fix = "Name the mask, or leave the image out of this line."
            yield "mask", f"{files.images[name]} has no mask: nothing stands in {of}", fix
    if main is not None and there and main not in there:
        fix = "Name the file, or drop the line: views that name no image measure this one."
        yield "image", f"{files.images[main]} is empty, and main_image is {main!r}", fix


def whole_number(text: str) -> int | None:
    """The whole number that a cell holds, or None."""
    try:
        number = float(text)  # spreadsheets write 1.0 for 1
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def missing_words(rows: Sequence[ManifestRow], columns: Columns) -> Iterator[Problem]:
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


def words(rows: Sequence[ManifestRow], column: str) -> str:
    """What a column says in some rows: ``label says 'nan' in 8 rows (lines 18, 19, 20, …)``."""
    said = listed([repr(text) for text in dict.fromkeys(row.cells[column] for row in rows)], 4)
    lines = listed([str(row.line) for row in rows])
    where = f"line {lines}" if len(rows) == 1 else f"lines {lines}"
    return f"{column} says {said} in {counted(len(rows), 'row')} ({where})"


def _is_word_for_missing(text: str) -> bool:
    return bool(text) and (is_missing(text) or may_be_missing(text))


def _nothing(column: str, text: str) -> str:
    return f"{column} is {text!r}, which stands for no value" if text else f"{column} is empty"
