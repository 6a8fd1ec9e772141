"""The column that says which part of the split a case belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rdfc_core.data.cells import part_of_split
from rdfc_core.interfaces import Problem
from rdfc_dataset_manifest.columns import Columns
from rdfc_dataset_manifest.config import ManifestConfig
from rdfc_dataset_manifest.rows import words
from rdfc_dataset_manifest.table import ManifestRow

LIKE_PARTS = frozenset(
    {
        *("train", "training", "trn", "tr", "test", "testing", "tst", "te", "val", "valid"),
        *("validation", "dev", "development", "holdout", "hold-out", "pretext", "pretrain"),
        *("pretraining", "unlabelled", "unlabeled"),
    }
)
"""What split columns of other projects say; used to notice one, not to read it."""


def read_split(
    rows: Sequence[ManifestRow], columns: Columns, config: ManifestConfig
) -> tuple[Callable[[ManifestRow], Mapping[str, str]], list[Problem]]:
    """What to write over the split column of a row: its part in rdfc's words; and the doubts.

    Args:
        rows: Of the list.
        columns: Of the list.
        config: Names the column, or none.
    """
    column = columns.split
    if column is None:
        return (lambda row: {}), _unused(rows, columns)
    strange = [row for row in rows if part_of_split(row.cells[column]) is None]
    problems = []
    if strange:
        problems.append(
            Problem(
                "",
                "split",
                f"{words(strange, column)}, which is none of train, test and pretext",
                "Write one of these, or leave the cell empty to leave the case out of the split.",
            )
        )

    def part(row: ManifestRow) -> Mapping[str, str]:
        return {column: part_of_split(row.cells[column]) or ""}

    return part, problems


def _unused(rows: Sequence[ManifestRow], columns: Columns) -> list[Problem]:
    """A column that looks like a split, though the options name none."""
    problems = []
    for column in rows[0].cells if rows else ():
        said = {row.cells[column].casefold() for row in rows} - {""}
        if column in columns.taken or len(said) < 2 or not said <= LIKE_PARTS:
            continue
        names = " and ".join(sorted(said)[:3])
        problems.append(
            Problem(
                "",
                "split_column",
                f"the column {column!r} says {names}, and is not used",
                f"Set split_column to {column!r} if the cases are to be split by it.",
                "warning",
            )
        )
    return problems
