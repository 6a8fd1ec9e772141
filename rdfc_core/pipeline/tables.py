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
from rdfc_core.extraction.extract import ROWS, Extraction
from rdfc_core.models.linear_model import joined
from rdfc_core.models.model import Model
from rdfc_core.results.schema import AttentionMap
from rdfc_core.results.vocabulary import EMBEDDING, FEATURES
from rdfc_core.utils.atomic import replacing


class Embedded(NamedTuple):
    """The joint embedding of one case, from the network of one split."""

    split: str
    part: str
    case_id: str
    label: str | None
    vector: list[float]


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
        Embedded(split.name, part, case_id, labels[case_id], vector.tolist())
        for (case_id, part), vector in zip(parts.items(), vectors, strict=True)
    ]


def joint(model: Model, prepared: Mapping[str, Any]) -> NDArray[np.float64]:
    """All views' embeddings side by side, or their features where the pretext embeds nothing."""
    if not any(prepared.values()):
        return np.zeros((0, 0))
    outputs = model.outputs(prepared)
    return joined(outputs[EMBEDDING] or outputs[FEATURES])


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
    rows = [
        {
            "split": one.split,
            "table": entry.table,
            "method": entry.method,
            "input": entry.input,
            "layer": entry.layer,
            "classifier": entry.classifier,
            "label_fraction": entry.label_fraction,
            "repeat": one.repeat,
            "case_id": one.case_ids[place],
            "patient_id": one.patients[place],
            "label": classes[one.truth[place]],
            "predicted": classes[int(one.probabilities[place].argmax())],
            "probabilities": one.probabilities[place].tolist(),
        }
        for entry, predictions in found.items()
        for one in predictions
        for place in range(len(one.case_ids))
    ]
    _write(path, {key: [row[key] for row in rows] for key in (rows[0] if rows else {})})


def _write(path: Path, columns: Mapping[str, Any]) -> None:
    with replacing(path) as partial:
        parquet.write_table(pa.table(dict(columns)), partial)
