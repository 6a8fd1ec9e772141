"""Parts of a split that the data set names in a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rdfc_core.case import Case
from rdfc_core.data.cells import counted, listed, part_of_split
from rdfc_core.data.labels import UnsplittableError
from rdfc_core.errors import StudyError
from rdfc_core.interfaces.dataset import SplitSpec


def column_parts(cases: Sequence[Case], spec: SplitSpec) -> dict[str, str]:
    """Case id → its part in rdfc's words, or "" where the column says nothing.

    Raises:
        StudyError: If there is no such column, or it says what is no part.
    """
    column = spec.column
    if not any(column in case.columns for case in cases):
        there = sorted({name for case in cases for name in case.columns})
        raise StudyError(
            f"split.column: the cases have no column {column!r}; they have "
            f"{listed(there, 8) or 'none'}. Correct it."
        )
    found = {case.case_id: part_of_split(case.columns.get(column, "")) for case in cases}
    strange = [case for case in cases if found[case.case_id] is None]
    if strange:
        said = listed(sorted({repr(case.columns[column]) for case in strange}), 5)
        raise StudyError(
            f"split.column: the column {column!r} says {said} for "
            f"{counted(len(strange), 'case')} ({listed([c.case_id for c in strange])}), which is "
            "none of train, test and pretext. Write one of these, or leave the cell empty to leave "
            "the case out of the split."
        )
    return {case_id: part or "" for case_id, part in found.items()}


def column_part(
    labelled: Sequence[Case], column: str, parts: Mapping[str, str], part: str
) -> set[str]:
    """The labelled cases of a part.

    Raises:
        UnsplittableError: If there is none.
    """
    found = {case.case_id for case in labelled if parts[case.case_id] == part}
    if not found:
        values = sorted({repr(value) for value in parts.values()})
        raise UnsplittableError(
            f"split.column: no labelled case has {part!r} in the column {column!r} (it holds "
            f"{', '.join(values)}). Write train, test or pretext there."
        )
    return found
