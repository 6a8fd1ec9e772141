"""What methods said of held-back cases, from ``predictions.parquet``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rdfc_core.report.parquet import as_matrix, as_numbers, as_strings, damaged, read_table
from rdfc_core.report.run_data import Method, RecordedPredictions


def predictions(path: Path) -> tuple[RecordedPredictions, ...]:
    """A method and share of the labels each; a row a case, split and repetition.

    Raises:
        DataError: If the table is damaged.
    """
    keys = list(Method._fields)
    text = ["split", *keys, "case_id", "patient_id", "label", "predicted"]
    table = read_table(path, text, ["probabilities", "repeat", "label_fraction"])
    if table is None:
        return ()
    numbers = all(pa.types.is_floating(table.schema.field(n).type) for n in ("label", "predicted"))
    if not numbers and "probabilities" not in table.column_names:
        raise damaged(path, "it has no column probabilities")
    columns = {name: as_strings(table[name]) for name in text}
    absent = [None] * table.num_rows
    probabilities = absent if numbers else table["probabilities"].to_pylist()
    truth, said = (
        np.array(as_numbers(table, name, np.nan)) if numbers else None
        for name in ("label", "predicted")
    )
    repeats = as_numbers(table, "repeat", 0)
    shares = as_numbers(table, "label_fraction", 1.0)
    rows_of: dict[tuple[Method, float], list[int]] = {}
    for row, key in enumerate(zip(*(columns[k] for k in keys), strict=True)):
        if columns["label"][row] and columns["predicted"][row]:
            rows_of.setdefault((Method(*key), shares[row]), []).append(row)

    def pick(name: str, rows: Sequence[int]) -> tuple[str, ...]:
        return tuple(columns[name][row] for row in rows)

    return tuple(
        RecordedPredictions(
            method=method,
            splits=pick("split", rows),
            case_ids=pick("case_id", rows),
            patient_ids=pick("patient_id", rows),
            labels=pick("label", rows),
            predicted=pick("predicted", rows),
            probabilities=as_matrix([probabilities[row] for row in rows]),
            repeats=tuple(int(repeats[row]) for row in rows),
            label_fraction=share,
            truth=None if truth is None else truth[rows],
            said=None if said is None else said[rows],
        )
        for (method, share), rows in rows_of.items()
    )
