"""Which variant stands for a method: the one that the study named before any result was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rdfc_core.report.run_data import Method, RunData, key_of
from rdfc_core.report.verdict import named_variant, primary_metric
from rdfc_core.results.schema import Row
from rdfc_core.results.vocabulary import (
    CALIBRATED,
    HYBRID_FINETUNE,
    LABEL_EFFICIENCY,
    LINEAR,
    SUPERVISED,
)


def judged(run: RunData) -> dict[tuple[str, str], Method]:
    """(Table, method) → the variant that stands for the method, in the order of the tables.

    Linear evaluation and controls: the layer and classifier named beforehand, on all views that the
    method has. Fine-tuning: the setting that is judged. Where nothing was named, the best.
    """
    rows = run.results.rows if run.results else ()
    metric = primary_metric(rows)
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.metric != metric or row.mean is None or row.classifier.endswith(CALIBRATED):
            continue
        key = row.table, row.method
        if key not in found or _rank(row, run) >= _rank(found[key], run):
            found[key] = row
    return {key: key_of(row) for key, row in found.items()}


def _rank(row: Row, run: RunData) -> tuple[bool, bool, float]:
    """How well the row stands for its method."""
    if row.table == SUPERVISED:
        return row.method != HYBRID_FINETUNE or row.input == finetuning(run), False, row.mean or 0.0
    named = named_variant(run)
    if named is None or row.table == LABEL_EFFICIENCY:
        return False, False, row.mean or 0.0
    view, *rest = named
    # All views together come after each of them alone.
    return [row.layer, row.classifier] == rest, row.input == view, 0.0


def finetuning(run: RunData) -> str:
    """The setting of fine-tuning that is judged; "" where the study does not say."""
    settings: Any = (run.study or {}).get("evaluate")
    for step in ("supervised", "finetune"):
        settings = settings.get(step) if isinstance(settings, Mapping) else None
    if isinstance(settings, Mapping):
        settings = settings.get("name")
    return settings if isinstance(settings, str) else ""


def own_of(run: RunData, table: str, methods: Sequence[str]) -> str | None:
    """The method of a table that is the study's own: the fine-tuned one, or its pretext's."""
    pretext = run.results.run.method if run.results else ""
    for name in (pretext, HYBRID_FINETUNE) if table == LINEAR else (HYBRID_FINETUNE, pretext):
        if name in methods:
            return name
    return None
