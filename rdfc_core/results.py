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


class Ranked(BaseModel):
    """A candidate on the inner folds of the training cases.

    ``log_loss`` is the mean over held-back training cases, calibrated, in nats; ``behind`` how much
    more that is than the best candidate's, and ``standard_error`` that of the difference, by
    patient. ``temperature`` calibrates the candidate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    tuning: str = ""
    log_loss: float
    behind: float
    standard_error: float
    temperature: float = 1.0


class Selection(BaseModel):
    """The model that was chosen, by training cases alone.

    ``chosen`` is a candidate or ``ensemble``; ``members`` the candidates that it averages.
    ``folds`` is 0 where nothing could be held back, and ``reason`` says so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: str
    label_fraction: float = 1.0
    repeat: int = 0
    chosen: str
    members: tuple[str, ...]
    ranking: tuple[Ranked, ...] = ()
    folds: int
    labelled_cases: int
    test_cases_seen: int = 0
    reason: str


class Judged(BaseModel):
    """What is judged, as a row of the tables names it; with all labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    method: str
    input: str
    layer: str
    classifier: str

    def is_of(self, row: Row) -> bool:
        """Whether the row's number is its."""
        own = (row.table, row.method, row.input, row.layer, row.classifier)
        return own == tuple(self.model_dump().values()) and row.label_fraction == 1


class Against(BaseModel):
    """One method less another, paired by case, by the study's own resamples and coverage.

    ``p_corrected`` is Holm's over the whole headline. None where undefined.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: Judged
    less: Judged
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p: float | None
    p_corrected: float | None


class Headline(BaseModel):
    """What the headline is about, and its comparisons.

    ``illustration`` is what to remember of data that are no patients'.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    main: Judged
    metric: str
    against: tuple[Against, ...] = ()
    confidence: float
    resamples: int
    illustration: str = ""


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
    selections: tuple[Selection, ...] = ()
    headline: Headline | None = None
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
