"""What a run folder holds, as the report sees it. Filled by `read`, drawn by `sections`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from rdfc_core.report.kept_features import KeptFeatures
from rdfc_core.results.report_blocks import RecordedSection
from rdfc_core.results.safeguards import JudgedSafeguards
from rdfc_core.results.schema import (
    AttentionMap,
    BoughtLabels,
    Comparison,
    Headline,
    Importance,
    LabelsNeeded,
    MetricFacts,
    Row,
    Selection,
)
from rdfc_core.results.vocabulary import CASE, CLASSIFICATION, TaskName


class _Recorded(BaseModel):
    """A piece of results.json: unknown keys are left alone, null and NaN stand for "not known"."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _known_only(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: inner for key, inner in value.items() if _is_known(inner)}


def _is_known(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


class Method(NamedTuple):
    """What was evaluated: one classifier on one kind of features."""

    table: str
    method: str
    input: str
    layer: str
    classifier: str


def key_of(row: Row) -> Method:
    """The method that a row's number belongs to."""
    return Method(row.table, row.method, row.input, row.layer, row.classifier)


class SplitSize(_Recorded):
    """How many cases each part of a split has."""

    name: str
    pretext: int | None = None
    train: int | None = None
    test: int | None = None


class CaseUse(_Recorded):
    """What some cases were used for, or why for nothing."""

    what: str
    cases: int
    examples: tuple[str, ...] = ()
    used: bool = True


class DatasetFacts(_Recorded):
    """The data set in numbers."""

    name: str = ""
    citation: str = ""
    classes: tuple[str, ...] = ()
    cases: int | None = None
    patients: int | None = None
    unlabelled: int | None = None
    per_class: dict[str, int] = {}
    numbers: dict[str, float] = {}
    tested: dict[str, dict[str, int]] = {}
    splits: tuple[SplitSize, ...] = ()
    uses: tuple[CaseUse, ...] = ()


class FailedCase(_Recorded):
    """A case that could not be used, and why."""

    case_id: str
    reason: str = ""


class MissingFeature(_Recorded):
    """A feature that some cases do not have, and why."""

    feature: str
    cases: int | None = None
    reason: str = ""


class MainVariant(_Recorded):
    """Which variant of the learnt method the study named beforehand as the one to judge."""

    input: str
    layer: str
    classifier: str


class PretrainingFacts(_Recorded):
    """How far a pretraining came; ``longer`` are the settings that let it go on."""

    converged: bool = True
    history: tuple[Any, ...] = ()
    longer: tuple[str, ...] = ()

    @property
    def early(self) -> bool:
        """Whether it ended before its task was learnt, as far as that was measured."""
        return bool(self.history) and not self.converged


class RunFacts(_Recorded):
    """How the run went."""

    main: MainVariant | None = None
    method: str = ""
    seconds: dict[str, float] = {}
    seed: int | None = None
    machine: str = ""
    no_attention: str = ""
    stable: tuple[KeptFeatures, ...] = ()
    started: str = ""
    convergence: dict[str, PretrainingFacts] = {}


class RecordedResults(_Recorded):
    """What results.json holds."""

    task: TaskName = CLASSIFICATION
    rows: tuple[Row, ...] = ()
    metrics: tuple[MetricFacts, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    labels_needed: tuple[LabelsNeeded, ...] = ()
    queries: tuple[BoughtLabels, ...] = ()
    importance: tuple[Importance, ...] = ()
    selections: tuple[Selection, ...] = ()
    headline: Headline | None = None
    safeguards: JudgedSafeguards | None = None
    dataset: DatasetFacts = Field(default_factory=DatasetFacts)
    failed: tuple[FailedCase, ...] = ()
    missing: tuple[MissingFeature, ...] = ()
    warnings: tuple[str, ...] = ()
    run: RunFacts = Field(default_factory=RunFacts)


@dataclass(frozen=True)
class Epoch:
    """One line of metrics.jsonl; ``values`` has every number of it."""

    split: str
    epoch: int
    values: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class RecordedPredictions:
    """What one method said about N held-back cases.

    Args:
        method: The method.
        splits: (N,) the split in which the case was held back. A case stands here once a split and
            repetition.
        case_ids: (N,).
        patient_ids: (N,).
        labels: (N,) the diagnoses.
        predicted: (N,) what the method said.
        probabilities: (N, classes), or None if the method gives none.
        repeats: (N,) the number of the repetition; empty if there is only one.
        label_fraction: Share of the training labels that the method was given.
        truth: (N,) the numbers, where numbers are predicted; `labels` and `predicted` are then the
            groups that they fall into (`rdfc_core.report.number_groups`).
        said: (N,) what the method said of them.
    """

    method: Method
    splits: tuple[str, ...]
    case_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    probabilities: NDArray[np.float64] | None
    repeats: tuple[int, ...] = ()
    label_fraction: float = 1.0
    truth: NDArray[np.float64] | None = None
    said: NDArray[np.float64] | None = None

    @property
    def repetitions(self) -> int:
        """How often the method was tried on each split."""
        return len(set(self.repeats)) or 1


@dataclass(frozen=True, eq=False)
class Embeddings:
    """The joint embedding of one split's network, each case once.

    Args:
        split: The split whose network this is.
        case_ids: (N,).
        parts: (N,) ``test``, ``train`` or ``pretext``; the first that applies.
        labels: (N,) the diagnoses, None where there is none.
        vectors: (N, D).
        other_splits: How many other splits have a network of their own.
    """

    split: str
    case_ids: tuple[str, ...]
    parts: tuple[str, ...]
    labels: tuple[str | None, ...]
    vectors: NDArray[np.float64]
    other_splits: int = 0


@dataclass(frozen=True, eq=False)
class RunData:
    """Everything in a run folder; what is absent is None or empty.

    ``predictions`` are those of methods with all labels; ``few_labels`` those of the table of label
    efficiency, at every share of the labels. ``groups`` are those that numbers fall into, where
    numbers are predicted.
    """

    name: str
    study: Mapping[str, Any] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    epochs: tuple[Epoch, ...] = ()
    unread_lines: int = 0
    results: RecordedResults | None = None
    predictions: tuple[RecordedPredictions, ...] = ()
    few_labels: tuple[RecordedPredictions, ...] = ()
    embeddings: Embeddings | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    attention_maps: tuple[AttentionMap, ...] = ()
    plugin_sections: tuple[RecordedSection, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def task(self) -> TaskName:
        """What was predicted."""
        return self.results.task if self.results else CLASSIFICATION

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes in the data set's order, then any that only the cases know of.

        Where numbers are predicted, the groups that stand for them in colours.
        """
        if self.groups:
            return self.groups
        listed = self.results.dataset.classes if self.results else ()
        seen = {label for p in self.predictions for label in (*p.labels, *p.predicted)}
        if self.embeddings:
            seen |= {label for label in self.embeddings.labels if label is not None}
        return (*listed, *sorted(seen - set(listed)))

    @cached_property
    def unit(self) -> str:
        """What the run's tables judge: ``case`` or ``patient``."""
        rows = self.results.rows if self.results else ()
        return rows[0].unit if rows else CASE

    @property
    def pool(self) -> str:
        """How the cases of a patient are pooled where patients are judged."""
        evaluate = (self.study or {}).get("evaluate")
        told = evaluate.get("pool") if isinstance(evaluate, Mapping) else None
        return "max" if told == "max" and len(self.classes) == 2 else "mean"

    @cached_property
    def labels(self) -> dict[str, str | None]:
        """Case id → diagnosis, of every case that embeddings or predictions name."""
        found: dict[str, str | None] = {}
        if self.embeddings:
            found.update(zip(self.embeddings.case_ids, self.embeddings.labels, strict=True))
        for p in self.predictions:
            found.update(zip(p.case_ids, p.labels, strict=True))
        return found
