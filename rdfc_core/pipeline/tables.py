"""The tables of a run folder: pictures, embeddings and predictions, a row a case, as Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from rdfc_core.data.splits import Split
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.features_table import ROWS
from rdfc_core.models.linear_model import joined
from rdfc_core.models.model import Model
from rdfc_core.results.schema import AttentionMap
from rdfc_core.results.vocabulary import EMBEDDING, FEATURES
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


class Embedded(NamedTuple):
    """The joint embedding of one case, from the network of one split."""

    split: str
    part: str
    case_id: str
    label: str | None
    vector: NDArray[np.float32]


def embedded(model: Model, extraction: Extraction, split: Split) -> list[Embedded]:
    """The joint embedding of every case of the split; a label that is no class counts as none."""
    parts: dict[str, str] = {}
    for part in ("pretext", "train", "test"):
        parts |= dict.fromkeys(getattr(split, part), part)
    labels = {
        case.case_id: case.label if case.label in model.classes else None
        for case in extraction.cases
    }
    vectors = joint(model, {name: extraction.of(name, list(parts)) for name in model.views})
    return [
        Embedded(split.name, part, case_id, labels[case_id], vector)
        for (case_id, part), vector in zip(parts.items(), vectors, strict=True)
    ]


def joint(model: Model, prepared: Mapping[str, Any]) -> NDArray[np.float32]:
    """All views' embeddings side by side, or their features where the pretext embeds nothing."""
    if not any(prepared.values()):
        return np.zeros((0, 0), np.float32)
    outputs = model.outputs(prepared)
    return joined(outputs[EMBEDDING] or outputs[FEATURES], np.float32)


def write_embeddings(path: Path, vectors: Sequence[Embedded]) -> None:
    """One row a case and split."""
    columns = {name: [getattr(one, name) for one in vectors] for name in Embedded._fields}
    columns["vector"] = pa.array(columns["vector"], pa.list_(pa.float32()))
    _write(path, columns)


def write_pictures(path: Path, extraction: Extraction) -> None:
    """One PNG a case, with the outline drawn in."""
    pictures = extraction.prepared["picture"]
    case_ids = list(pictures)
    schema = pa.schema([("case_id", pa.string()), ("png", pa.binary())])
    with replacing(path) as partial, parquet.ParquetWriter(partial, schema) as writer:
        for start in range(0, len(case_ids), ROWS):
            some = case_ids[start : start + ROWS]
            columns = {"case_id": some, "png": [pictures[one].array.tobytes() for one in some]}
            writer.write_table(pa.table(columns, schema))


def write_attention(path: Path, attention_maps: Sequence[AttentionMap]) -> None:
    """A row a case: two PNGs, without and with the map of where the encoder looked."""
    _write(
        path,
        {name: [getattr(one, name) for one in attention_maps] for name in AttentionMap._fields},
    )


def write_predictions(
    path: Path, found: Mapping[Variant, Sequence[Prediction]], classes: Sequence[str]
) -> None:
    """What each classifier said of each held-back case, a row a case and repetition."""
    # Hundreds of predictions of thousands of cases: no row of them stays an object.
    parts = [
        _said(entry, one, classes) for entry, predictions in found.items() for one in predictions
    ]
    with replacing(path) as partial:
        parquet.write_table(pa.concat_tables(parts or [PREDICTIONS.empty_table()]), partial)


def _said(entry: Variant, one: Prediction, classes: Sequence[str]) -> pa.Table:
    count = len(one.case_ids)
    columns: dict[str, Any] = {
        "split": [one.split] * count,
        **{name: [getattr(entry, name)] * count for name in ENTRY},
        "label_fraction": [entry.label_fraction] * count,
        "repeat": [one.repeat] * count,
        "case_id": one.case_ids,
        "patient_id": one.patients,
        "label": [classes[place] for place in one.truth],
        "predicted": [classes[place] for place in one.probabilities.argmax(axis=1)],
        "probabilities": list(one.probabilities),
    }
    return pa.table(columns, PREDICTIONS)


def _write(path: Path, columns: Mapping[str, Any]) -> None:
    with replacing(path) as partial:
        parquet.write_table(pa.table(dict(columns)), partial)
