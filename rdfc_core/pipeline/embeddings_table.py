"""embeddings.parquet: the joint embedding of every case, from the network of each split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from rdfc_core.data.splits import Split
from rdfc_core.data.targets import TARGETS
from rdfc_core.extraction.extract import Extraction
from rdfc_core.models.linear_model import joined
from rdfc_core.models.model import Model
from rdfc_core.results.vocabulary import EMBEDDING, FEATURES
from rdfc_core.utils.atomic import replacing


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
    counts = TARGETS[model.task].counts
    labels = {
        case.case_id: case.label if counts(case.label, model.classes) else None
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
    with replacing(path) as partial:
        parquet.write_table(pa.table(columns), partial)
