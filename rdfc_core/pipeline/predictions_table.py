"""predictions.parquet: what each method said of each held-back case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, TaskName
from rdfc_core.utils.atomic import replacing

ENTRY = ("table", "method", "input", "layer", "classifier")
"""What an entry of the tables is told apart by, beside its share of the labels."""

PREDICTIONS = pa.schema(
    [
        *((name, pa.string()) for name in ("split", *ENTRY)),
        ("label_fraction", pa.float64()),
        ("repeat", pa.int64()),
        *((name, pa.string()) for name in ("case_id", "patient_id", "label", "predicted")),
        ("probabilities", pa.list_(pa.float64())),
    ]
)


_OF_CLASSES = ("label", "predicted", "probabilities")
NUMBERS = pa.schema(
    [
        *(one for one in PREDICTIONS if one.name not in _OF_CLASSES),
        *((name, pa.float64()) for name in ("label", "predicted")),
    ]
)
"""Where numbers are predicted: label and prediction are numbers, and there is no probability."""


def write_predictions(
    path: Path,
    found: Mapping[Variant, Sequence[Prediction]],
    classes: Sequence[str],
    task: TaskName = CLASSIFICATION,
) -> None:
    """What each method said of each held-back case, a row a case and repetition.

    Args:
        path: The table.
        found: Everything that was judged.
        classes: C names; none of numbers.
        task: What was predicted.
    """
    # Hundreds of predictions of thousands of cases: no row of them stays an object.
    schema = NUMBERS if task == REGRESSION else PREDICTIONS
    parts = [
        _said(entry, one, classes, schema)
        for entry, predictions in found.items()
        for one in predictions
    ]
    with replacing(path) as partial:
        parquet.write_table(pa.concat_tables(parts or [schema.empty_table()]), partial)


def _said(entry: Variant, one: Prediction, classes: Sequence[str], schema: pa.Schema) -> pa.Table:
    count = len(one.case_ids)
    columns: dict[str, Any] = {
        "split": [one.split] * count,
        **{name: [getattr(entry, name)] * count for name in ENTRY},
        "label_fraction": [entry.label_fraction] * count,
        "repeat": [one.repeat] * count,
        "case_id": one.case_ids,
        "patient_id": one.patients,
    }
    if schema is NUMBERS:
        columns |= {"label": one.truth, "predicted": one.probabilities}
        return pa.table(columns, schema)
    columns |= {
        "label": [classes[place] for place in one.truth],
        "predicted": [classes[place] for place in one.probabilities.argmax(axis=1)],
        "probabilities": list(one.probabilities),
    }
    return pa.table(columns, schema)
