"""The columns that views may ask for: which they are, and what their cells mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rdfc_core.data.cells import (
    SENTINELS,
    find_column,
    is_missing,
    is_spreadsheet_error,
    listed,
    may_be_missing,
    number,
    plain_value,
    same_logic,
    spelled_alike,
)
from rdfc_core.errors import did_you_mean
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.columns import Columns
from rdfc_dataset_manifest.rows import words
from rdfc_dataset_manifest.table import ManifestRow


def find_chosen(
    header: Sequence[str], chosen: Sequence[str], columns: Columns
) -> tuple[dict[str, str], list[Problem]]:
    """Name as the options write it → column as the header does; and what cannot be chosen.

    Args:
        header: The names of the columns.
        chosen: The option ``columns``.
        columns: What the other columns are.
    """
    roles: dict[str | None, str] = {
        columns.label: "the label, which models are to tell: no view may see it",
        columns.case_id: "the name of the case",
        columns.patient_id: "the patient",
        columns.mask_value: "the value of the mask",
        columns.split: "the split",
        **dict.fromkeys(columns.files.all, "a file of the case"),
    }
    found: dict[str, str] = {}
    problems = []
    for name in chosen:
        column = find_column(header, name)
        if column is None:
            message = f"the list has no column {name!r}; it has {', '.join(header)}"
            fix = f"{did_you_mean(name, header)} Correct columns, or add the column.".lstrip()
            problems.append(Problem("", "columns", message, fix))
        elif roles.get(column):
            message = f"columns names {name!r}, which is {roles[column]}"
            problems.append(Problem("", "columns", message, "Leave it out of columns."))
        else:
            found[name] = column
    return found, problems


def values_of(row: ManifestRow, chosen: Mapping[str, str]) -> dict[str, str]:
    """Name → value of the chosen columns of a row; "" where there is none."""
    return {
        name: "" if may_be_missing(row.cells[column]) else plain_value(row.cells[column])
        for name, column in chosen.items()
    }


def doubts_of(rows: Sequence[ManifestRow], chosen: Mapping[str, str]) -> Iterator[Problem]:
    """What the cells of the chosen columns leave open."""
    for name, column in chosen.items():
        texts = dict.fromkeys(row.cells[column] for row in rows if row.cells[column])
        plain = [text for text in texts if not (is_missing(text) or may_be_missing(text))]
        broken = [text for text in plain if is_spreadsheet_error(text)]
        if broken:
            said = words([row for row in rows if row.cells[column] in broken], column)
            fix = "Correct the formula or the width of its column, and save again."
            yield Problem("", name, f"{said}, an error of the spreadsheet", fix)
        numbers = all(number(text) is not None for text in plain)
        yield from _without_value(rows, name, column, set(texts) - set(plain), numbers)
        odd = [t for t in plain if number(t) in SENTINELS] if numbers and len(plain) > 2 else []
        if odd:
            said = words([row for row in rows if row.cells[column] in odd], column)
            fix = "Leave the cells empty if it stands for no value."
            yield Problem("", name, f"{said}, which may stand for no value", fix, "warning")
        values = [plain_value(text) for text in plain]
        groups = [] if numbers else [*spelled_alike(values), *same_logic(values)]
        for group in groups:
            message = f"{column} says {listed([repr(text) for text in group], 4)}, and each counts "
            fix = "Write one value one way."
            yield Problem("", name, f"{message}as a value of its own", fix, "warning")


def _without_value(
    rows: Sequence[ManifestRow], name: str, column: str, texts: set[str], numbers: bool
) -> Iterator[Problem]:
    """Words for "no value": among words, ``none`` and ``unknown`` may be values."""
    doubtful = {text for text in texts if not is_missing(text)}
    if doubtful and not numbers:
        said = words([row for row in rows if row.cells[column] in doubtful], column)
        fix = "Leave the cells empty, or write the value in another word."
        yield Problem("", name, f"{said}, which may be a value or stand for none", fix)
    elif texts:
        said = words([row for row in rows if row.cells[column] in texts], column)
        message = f"{said}, which stands for no value: it counts as empty"
        yield Problem("", name, message, "Leave the cells empty.", "warning")
