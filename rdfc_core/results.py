"""What a run found: rows of metrics, and what was left out on the way."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from rdfc_core.errors import DataError
from rdfc_core.files import MOST_TEXT, replacing, within


class Row(BaseModel):
    """One metric of one method.

    All values lie between 0 and 1; None where a value does not exist (the spread of one fold).
    ``labelled_cases`` and ``labelled_patients`` say from how many labels the method learnt, the
    mean over folds and repetitions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    method: str
    dataset: str
    input: str
    layer: str
    classifier: str
    label_fraction: float = 1.0
    metric: str
    mean: float | None
    sd: float | None
    ci_low: float | None
    ci_high: float | None
    n_cases: int
    folds: int
    seeds: int
    labelled_cases: float = 0
    labelled_patients: float = 0
    published: float | None = None
    published_sd: float | None = None


class Comparison(BaseModel):
    """Two methods of a table on the same cases: A less B, with its interval and p-value.

    ``test`` is ``paired-bootstrap`` (of patients) or ``delong`` (AUROC); ``p_corrected`` is Holm's
    over the pairs and label fractions of one table, metric and test. None where undefined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    label_fraction: float
    metric: str
    method_a: str
    method_b: str
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    p_corrected: float | None
    test: str


class Importance(BaseModel):
    """What a family of handcrafted features contributes: the fall of ``metric`` without it.

    The family's values are dealt out among the held-back cases, all by the same deal, ``repeats``
    times; ``method`` and ``classifier`` name the trained model, which stays as it is. A fall may
    be negative; None where undefined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    grouping: str
    family: str
    features: int
    method: str
    classifier: str
    metric: str
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    n_cases: int
    repeats: int


class Looked(NamedTuple):
    """Where the encoder looked in one held-back case; ``picture`` and ``overlay`` are PNGs."""

    split: str
    case_id: str
    label: str
    predicted: str
    probability: float
    layer: str
    cells: str
    picture: bytes
    overlay: bytes


class Results(BaseModel):
    """The content of ``results.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...] = ()
    importance: tuple[Importance, ...] = ()
    dataset: dict[str, Any]
    failed: tuple[dict[str, Any], ...] = ()
    missing: tuple[dict[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    run: dict[str, Any] = {}

    def write(self, path: Path) -> None:
        """Write the results as JSON, whole or not at all."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False)
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Results as `write` wrote them.

        Raises:
            DataError: If the file is damaged, or of another version.
        """
        try:
            return cls.model_validate_json(within(path, MOST_TEXT).read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(
                f"{path} is damaged or of another version of rdfc. Delete it, and run the same "
                "command again: what is trained is kept."
            ) from error

    def table(self, table: str, metrics: Sequence[str]) -> list[tuple[Row, ...]]:
        """The rows of a table, one tuple a method, with one row for each metric asked for.

        Those with fewer labels come first; otherwise they stand as they were judged.
        """
        found: dict[tuple[str, ...], dict[str, Row]] = {}
        for row in self.rows:
            if row.table == table:
                key = (row.method, row.input, row.layer, row.classifier, str(row.label_fraction))
                found.setdefault(key, {})[row.metric] = row
        rows = [
            tuple(row[m] for m in metrics) for row in found.values() if set(metrics) <= set(row)
        ]
        return sorted(rows, key=lambda one: one[0].label_fraction)


def finite(value: float) -> float | None:
    """The value, or None where it is undefined: JSON knows no NaN."""
    return value if math.isfinite(value) else None
