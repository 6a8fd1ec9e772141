"""Cases of a list by the values of its columns."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rdfc_core.case import Case
from rdfc_core.data.cells import find_column, is_missing, number
from rdfc_core.data.manifest.tables import read_text_table
from rdfc_core.errors import DataError

MOST_VALUES = 6
"""Numbers of more values than these are put into three ranges of about as many cases."""
RANGES = 3
NOT_KNOWN = "not known"


def groups_of(
    listing: Path, cases: Sequence[Case], by: Sequence[str]
) -> list[tuple[str, str, list[int]]]:
    """Column, value and the places of the cases that have it, column by column.

    Args:
        listing: The list, or the folder that holds it as ``manifest.csv``.
        cases: Of the list.
        by: Columns of the list.

    Raises:
        DataError: If the list has no such column, or no ids by which its rows are known.
    """
    if not by:
        return []
    path = listing / "manifest.csv" if listing.is_dir() else listing
    table = read_text_table(path)
    ids = find_column(table.columns, "case_id")
    if ids is None:
        raise DataError(f"{path} has no column case_id, by which its rows would be known. Add it.")
    rows = {row[ids]: row for row in table.rows}
    found = []
    for wanted in by:
        column = table.column(wanted)
        told = [_told(rows, case.case_id, column) for case in cases]
        found += [(column, value, places) for value, places in _grouped(told).items()]
    return found


def _told(rows: Mapping[str, Mapping[str, str]], case_id: str, column: str) -> str:
    row = rows.get(case_id)
    cell = "" if row is None else row[column]
    return NOT_KNOWN if is_missing(cell) else cell


def _grouped(told: Sequence[str]) -> dict[str, list[int]]:
    """Value → places; numbers of many values as ranges."""
    values = {cell: number(cell) for cell in told if cell != NOT_KNOWN}
    if len(values) > MOST_VALUES and all(one is not None for one in values.values()):
        numbers = np.array([np.nan if c == NOT_KNOWN else float(values[c] or 0) for c in told])
        return _ranges(numbers)
    found: dict[str, list[int]] = {}
    for place, cell in enumerate(told):
        found.setdefault(cell, []).append(place)
    return dict(sorted(found.items(), key=lambda one: (one[0] == NOT_KNOWN, -len(one[1]))))


def _ranges(numbers: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, list[int]]:
    known = numbers[~np.isnan(numbers)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, RANGES + 1)[1:-1]))
    bins = np.searchsorted(edges, numbers, side="left")
    names = [
        f"≤ {edges[0]:g}",
        *(f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)),
        f"> {edges[-1]:g}",
    ]
    found = {
        name: np.flatnonzero((bins == place) & ~np.isnan(numbers)).tolist()
        for place, name in enumerate(names)
    }
    found[NOT_KNOWN] = np.flatnonzero(np.isnan(numbers)).tolist()
    return {name: places for name, places in found.items() if places}
