"""Folds that the data set names in a column, as published ones are."""

from __future__ import annotations

from collections.abc import Sequence

from rdfc_core.case import Case
from rdfc_core.data.cells import counted, listed
from rdfc_core.errors import StudyError


def folds_of_column(cases: Sequence[Case], column: str) -> dict[str, set[str]]:
    """``fold-1`` … → the cases that it tests, in the order of the numbers.

    Args:
        cases: The labelled cases.
        column: Holds the number of each case's fold, counted from 1; ``2.0`` is 2.

    Raises:
        StudyError: If there is no such column, a cell is no such number, or there is one fold only.
    """
    if not any(column in case.columns for case in cases):
        there = sorted({name for case in cases for name in case.columns})
        raise StudyError(
            f"split.fold_column: the cases have no column {column!r}; they have "
            f"{listed(there, 8) or 'none'}. Correct it, or leave it out to have folds drawn."
        )
    numbers = {case.case_id: _number(case.columns.get(column, "")) for case in cases}
    strange = [case for case in cases if numbers[case.case_id] is None]
    if strange:
        said = listed(sorted({repr(case.columns.get(column, "")) for case in strange}), 5)
        raise StudyError(
            f"split.fold_column: the column {column!r} says {said} for "
            f"{counted(len(strange), 'labelled case')} ({listed([c.case_id for c in strange])}), "
            "which is no fold. Number the folds 1, 2, …, and give each labelled case one."
        )
    found: dict[int, set[str]] = {}
    for case_id, number in numbers.items():
        found.setdefault(number or 0, set()).add(case_id)
    if len(found) < 2:
        raise StudyError(
            f"split.fold_column: the column {column!r} puts every labelled case into fold "
            f"{next(iter(found))}, so that none is left to train on. Name at least two folds."
        )
    return {f"fold-{number}": found[number] for number in sorted(found)}


def _number(cell: str) -> int | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() and value >= 1 else None
