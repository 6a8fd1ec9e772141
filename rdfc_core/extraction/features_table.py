"""The handcrafted features of all cases as a table, a row a case and a column a feature."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rdfc_core.extraction.extract import Extraction
from rdfc_core.interfaces import Prepared
from rdfc_core.utils.atomic import replacing

ABOUT = ("case_id", "patient_id", "label")
"""The columns that say whose features a row holds."""

ROWS = 2000
"""Of a table that are in memory at once while it is written."""


def named_features(extraction: Extraction) -> dict[str, tuple[Prepared, Mapping[str, Prepared]]]:
    """View name → one of its cases, and case id → the case; of views whose numbers have names."""
    found = {}
    for view, prepared in extraction.prepared.items():
        first = next(iter(prepared.values()), None)
        if first is not None and first.names:
            found[view] = first, prepared
    return found


def feature_rows(extraction: Extraction) -> tuple[list[dict[str, object]], list[str]]:
    """A row a case, with a column a feature, NaN where a case lacks it; and the columns.

    Args:
        extraction: Of one view whose numbers have names.
    """
    [(first, prepared)] = named_features(extraction).values() or [(None, {})]
    columns = [*ABOUT, *(first.names if first else ())]
    rows = [
        dict(
            zip(
                columns,
                (*(getattr(case, name) for name in ABOUT), *prepared[case.case_id].array.tolist()),
                strict=True,
            )
        )
        for case in extraction.cases
    ]
    return rows, columns


def write_parquet(path: Path, extraction: Extraction) -> None:
    """All feature vectors as a table: a row a case, a column a feature; missing ones are null."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = [(name, pa.string()) for name in ABOUT]
    vectors = named_features(extraction)
    for view, (first, _) in vectors.items():
        kind = pa.from_numpy_dtype(first.array.dtype)
        columns += [(f"{view}.{name}", kind) for name in first.names]
    schema = pa.schema(columns)
    with replacing(path) as partial, parquet.ParquetWriter(partial, schema) as writer:
        for start in range(0, len(extraction.cases), ROWS):
            cases = extraction.cases[start : start + ROWS]
            arrays = [
                pa.array([getattr(case, name) for case in cases], pa.string()) for name in ABOUT
            ]
            for _, prepared in vectors.values():
                table = np.stack([prepared[case.case_id].array for case in cases])
                arrays += [pa.array(column, from_pandas=True) for column in table.T]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
