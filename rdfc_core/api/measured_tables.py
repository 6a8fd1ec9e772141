"""Tables of features that measure the same cases, as files: a test and its retest, say."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.errors import DataError
from rdfc_core.extraction.features_table import ABOUT
from rdfc_core.utils.training_extra import INSTALL_TABLES

if TYPE_CHECKING:
    from rdfc_core.evaluation.reliability import Kind
    from rdfc_core.evaluation.stability import Stability

Table = dict[str, dict[str, float]]
"""Case → feature → value; NaN where the case lacks it."""


def stability_of_tables(
    paths: Sequence[Path], key: str = "case_id", kind: Kind = "1,1"
) -> Stability:
    """How far tables agree, feature by feature, over the cases that all of them have.

    Args:
        paths: Two or more, CSV or Parquet, a row a case and a column a feature.
        key: The column that says which rows are one case.
        kind: Of the intraclass correlation.

    Raises:
        DataError: If a file cannot be read, has no such column or a case twice, features differ, or
            there are fewer than three cases in common.
    """
    from rdfc_core.evaluation.stability import FEWEST, stability_of

    tables = [_table(path, key) for path in paths]
    names = list(next(iter(tables[0].values()), {}))
    for path, table in zip(paths[1:], tables[1:], strict=True):
        unlike = sorted(set(names) ^ set(next(iter(table.values()), {})))
        if unlike:
            raise DataError(
                f"{path} has other features than {paths[0]}, for example {', '.join(unlike[:3])}. "
                "Measure both with the same parameters."
            )
    shared = [case for case in tables[0] if all(case in table for table in tables[1:])]
    if len(shared) < FEWEST or not names:
        raise DataError(
            f"The tables have {len(shared)} cases and {len(names)} features in common, by {key}. "
            f"It takes {FEWEST} cases: name the column that says which rows belong together "
            "(--key)."
        )
    measured = [[[table[case][name] for name in names] for table in tables] for case in shared]
    return stability_of(np.array(measured, np.float64), names, kind)


def _table(path: Path, key: str) -> Table:
    header, rows = _read(path)
    if key not in header:
        raise DataError(f"{path} has no column {key!r}. It has {', '.join(header[:5])}, ….")
    left_out = {key, *ABOUT}
    columns = [name for name in header if name not in left_out]
    numbers = {name: _numbers([row[name] for row in rows]) for name in columns}
    features = {name: values for name, values in numbers.items() if values is not None}
    table: Table = {}
    for place, row in enumerate(rows):
        case = str(row[key])
        if case in table:
            raise DataError(f"{path} has the case {case} twice. Keep one row a case.")
        table[case] = {name: float(values[place]) for name, values in features.items()}
    return table


def _read(path: Path) -> tuple[list[str], list[Mapping[str, Any]]]:
    """The header, and the rows.

    Raises:
        DataError: If the file cannot be read.
    """
    try:
        if path.suffix.lower() == ".parquet":
            try:
                from pyarrow import parquet
            except ImportError as error:
                raise DataError(
                    f"{path}: Parquet is read with pyarrow, which is not installed here. Install "
                    f"it ({INSTALL_TABLES}), or give CSV."
                ) from error
            table = parquet.read_table(path)
            return table.column_names, table.to_pylist()
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows: list[Mapping[str, Any]] = list(reader)
            header = list(reader.fieldnames or ())
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table of features: {error}.") from error
    ragged = next((n for n, row in enumerate(rows) if None in row or None in row.values()), None)
    if ragged is not None:
        raise DataError(f"{path}: row {ragged + 2} has not as many cells as the header. Mend it.")
    return header, rows


def _numbers(cells: Sequence[Any]) -> NDArray[np.float64] | None:
    """The cells as numbers, NaN where one is empty; None where one is a word."""
    try:
        return np.array([np.nan if cell in ("", None) else float(cell) for cell in cells])
    except (TypeError, ValueError):
        return None
