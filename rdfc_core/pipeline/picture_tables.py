"""pictures.parquet and attention.parquet: what the report shows of cases, as PNGs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.features_table import ROWS
from rdfc_core.results.schema import AttentionMap
from rdfc_core.utils.atomic import replacing


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
    columns = {
        name: [getattr(one, name) for one in attention_maps] for name in AttentionMap._fields
    }
    with replacing(path) as partial:
        parquet.write_table(pa.table(columns), partial)
