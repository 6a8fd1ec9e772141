"""Tables of a run folder, read with care: other people's files may hold anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.utils.atomic import within

MOST_TABLE_BYTES = 2**32
"""Of a table: 4 GiB, four times the pictures of 100,000 cases."""
MOST_TABLE_VALUES = 10**8
"""Of a column: the embeddings of 100,000 cases, 1,000 numbers each."""


def read_table(path: Path, columns: list[str], optional: Sequence[str] = ()) -> pa.Table | None:
    """The columns of a table, with those optional ones that are there; None without the file.

    Raises:
        DataError: If it is damaged, or lacks a column.
    """
    if not path.is_file():
        return None
    try:
        _refuse_bomb(path)
        there = pq.read_schema(path).names
        if not there:  # a table of nothing: no case was there to be written
            return None
        missing = [name for name in columns if name not in there]
        if missing:
            raise damaged(path, f"it has no column {', '.join(missing)}")
        found = pq.read_table(path, columns=[*columns, *(n for n in optional if n in there)])
        found.validate(full=True)  # reading leaves open whether text is text
        return found
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(path, error) from error


def _refuse_bomb(path: Path) -> None:
    """Check what a table becomes in memory, by what its parts say of themselves.

    Raises:
        ValueError: If that is more than a run ever writes.
    """
    about = pq.read_metadata(within(path, MOST_TABLE_BYTES))
    parts = [
        about.row_group(group).column(column)
        for group in range(about.num_row_groups)
        for column in range(about.num_columns)
    ]
    unpacked = sum(part.total_uncompressed_size for part in parts)
    if unpacked > MOST_TABLE_BYTES:
        raise ValueError(f"it unpacks to {unpacked} bytes, more than {MOST_TABLE_BYTES}")
    # A value that repeats takes almost nothing in the file, and its full length in memory.
    values = max((part.num_values for part in parts), default=0)
    if max(values, about.num_rows) > MOST_TABLE_VALUES:
        raise ValueError(f"a column has {values} values, more than {MOST_TABLE_VALUES}")


def as_numbers(table: pa.Table, name: str, otherwise: float) -> list[float]:
    """A column that older runs do not have, or leave empty."""
    if name not in table.column_names:
        return [otherwise] * table.num_rows
    return [otherwise if value is None else float(value) for value in table[name].to_pylist()]


def as_strings(column: pa.ChunkedArray) -> list[str]:
    """The texts, "" where there is none."""
    return ["" if value is None else str(value) for value in column.to_pylist()]


def as_matrix(rows: Sequence[Sequence[float] | None]) -> NDArray[np.float64] | None:
    """The rows as (N, D), NaN where a number is null; None unless all are there and as long."""
    lengths = {None if row is None else len(row) for row in rows}
    if len(lengths) != 1 or None in lengths or 0 in lengths:
        return None
    return np.array(rows, dtype=np.float64)


def damaged(path: Path, problem: object) -> DataError:
    """What is said of a file that cannot be used."""
    reason = " ".join(str(problem).split())
    return DataError(
        f"{path} cannot be read: {reason}. Repeat the step that wrote it (rdfc run resumes), "
        "or remove the file: the report then leaves its section out."
    )
