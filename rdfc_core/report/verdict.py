"""Does the learnt method do better than its controls? Rows first, cases where they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rdfc_core.evaluation.bootstrap import Prediction, paired, resampled
from rdfc_core.report import headline
from rdfc_core.report.patients import in_units
from rdfc_core.report.run_data import RecordedPredictions, RunData, key_of
from rdfc_core.report.text import Outcome, is_control, is_learnt
from rdfc_core.results.schema import Row
from rdfc_core.results.vocabulary import (
    LABEL_EFFICIENCY,
    LOWER_IS_BETTER,
    METRIC_HEADINGS,
    OF_CLASSES,
)

DEFAULTS = {"bootstrap": 2000, "confidence": 0.95}
"""Resamples and coverage where a run does not say its own."""


@dataclass(frozen=True)
class VerdictRow:
    """The method against one other.

    Args:
        row: The other's best row.
        outcome: How the method stands against it.
        difference: Method minus other, with its interval, in the metric; None where the cases of
            the two are not known and only the rows' intervals were compared.
        repetitions: How many of the other's repetitions the difference is from.
    """

    row: Row
    outcome: Outcome
    difference: tuple[float, float, float] | None
    repetitions: int = 1


@dataclass(frozen=True)
class Verdict:
    """The learnt row that is judged, and how it compares.

    Args:
        metric: The metric that decides.
        main: The variant that was named beforehand, otherwise the best learnt row.
        variants: How many learnt rows it is the best of; 1 if it was named beforehand.
        comparisons: One a control or a network trained from scratch, the strongest first.
        confidence: Coverage of the intervals of differences.
    """

    metric: str
    main: Row
    variants: int
    comparisons: tuple[VerdictRow, ...]
    confidence: float = DEFAULTS["confidence"]


def primary_metric(rows: Sequence[Row]) -> str | None:
    """The metric that decides: the first of `METRIC_HEADINGS` that has a value, else any other.

    Never one of which more is worse.
    """
    there = {row.metric for row in rows if row.mean is not None} - LOWER_IS_BETTER
    return next((m for m in METRIC_HEADINGS if m in there), min(there, default=None))


def with_all_labels(rows: Sequence[Row], metric: str | None) -> list[Row]:
    """The rows that have this metric after training on all labels.

    Rows of the label-efficiency table count only if no other table has any: they repeat the rest.
    """
    full = [r for r in rows if r.metric == metric and r.mean is not None and r.label_fraction >= 1]
    return [row for row in full if row.table != LABEL_EFFICIENCY] or full


def judge(run: RunData) -> Verdict | None:
    """The verdict, or None while no learnt row has a number.

    The run's own headline is repeated, where it has one. Otherwise only rows with all training
    labels count, and the study's resamples, coverage and seed. Against a method whose predictions
    for the same cases are there, the difference is resampled by patient; otherwise two rows differ
    only if their intervals do not touch.
    """
    rows = run.results.rows if run.results else ()
    if (stated_by_run := _headline(run, rows)) is not None:
        return stated_by_run
    metric = primary_metric(rows)
    full = with_all_labels(rows, metric)
    learnt = [row for row in full if is_learnt(row)]
    if metric is None or not learnt:
        return None
    named = named_variant(run)
    method = run.results.run.method if run.results else ""
    stated = [r for r in learnt if _variant(r) == named and method in ("", r.method)]
    main = max(stated or learnt, key=_mean)
    others: dict[str, Row] = {}
    for row in full:
        known = others.get(row.method)
        if not is_learnt(row) and _rank(row, named) > _rank(known, named):
            others[row.method] = row
    comparisons = [_compare(main, row, run) for row in others.values()]
    comparisons.sort(key=lambda c: -_mean(c.row))
    coverage = Statistics.of(run).confidence
    return Verdict(metric, main, 1 if stated else len(learnt), tuple(comparisons), coverage)


def _headline(run: RunData, rows: Sequence[Row]) -> Verdict | None:
    """The verdict as the run itself reached it, in ``results.json``."""
    told = run.results.headline if run.results else None
    main = headline.main_row(told, rows) if told else None
    if told is None or main is None:
        return None
    comparisons = []
    for one in told.against:
        row = next((r for r in rows if r.metric == told.metric and one.less.is_of(r)), None)
        if one.of != told.main or row is None:
            continue
        known = None not in (one.difference, one.ci_low, one.ci_high)
        numbers = (one.difference or 0.0, one.ci_low or 0.0, one.ci_high or 0.0)
        outcome = headline.outcome(one)
        comparisons.append(VerdictRow(row, outcome, numbers if known else None, row.seeds))
    comparisons.sort(key=lambda c: -_mean(c.row))
    return Verdict(told.metric, main, 1, tuple(comparisons), told.confidence)


@dataclass(frozen=True)
class Statistics:
    """How a study resamples patients: how often, from which seed, and what its intervals cover."""

    resamples: int
    confidence: float
    seed: int

    @classmethod
    def of(cls, run: RunData) -> Statistics:
        """As the study says; by default where it does not."""
        study = run.study or {}
        evaluate = study.get("evaluate")
        told = {**DEFAULTS, **(evaluate if isinstance(evaluate, Mapping) else {})}
        numbers = [told["bootstrap"], told["confidence"], study.get("seed", 0)]
        if not all(isinstance(one, int | float) for one in numbers):
            numbers = [*DEFAULTS.values(), 0]
        return cls(int(numbers[0]), float(numbers[1]), int(numbers[2]))


def named_variant(run: RunData) -> tuple[str, str, str] | None:
    """Input, layer and classifier that the study named beforehand as the ones to judge."""
    main = run.results.run.main if run.results else None
    return (main.input, main.layer, main.classifier) if main else None


def _variant(row: Row) -> tuple[str, str, str]:
    return row.input, row.layer, row.classifier


def _rank(row: Row | None, named: tuple[str, str, str] | None) -> tuple[bool, float]:
    """The named variant of a method stands for it, otherwise its best."""
    return row is not None and _variant(row) == named, _mean(row)


def predictions_of(run: RunData, row: Row) -> RecordedPredictions | None:
    """What the row's method said about what was held back, if the run kept it."""
    found = [p for p in run.predictions if p.method == key_of(row)]
    return next(iter(in_units(run, found[:1])), None)


def _mean(row: Row | None) -> float:
    return -np.inf if row is None or row.mean is None else row.mean


def _compare(main: Row, other: Row, run: RunData) -> VerdictRow:
    ours, theirs = predictions_of(run, main), predictions_of(run, other)
    if ours and theirs:
        difference = paired_difference(ours, theirs, main.metric, Statistics.of(run))
        if difference:
            _, low, high = difference
            paired: Outcome = "better" if low > 0 else "worse" if high < 0 else "open"
            return VerdictRow(other, paired, difference, theirs.repetitions)
    outcome: Outcome = "open"
    if None not in (main.ci_low, main.ci_high, other.ci_low, other.ci_high):
        if (main.ci_low or 0.0) > (other.ci_high or 0.0):
            outcome = "better"
        elif (other.ci_low or 0.0) > (main.ci_high or 0.0):
            outcome = "worse"
    return VerdictRow(other, outcome, None)


def paired_difference(
    ours: RecordedPredictions,
    theirs: RecordedPredictions,
    metric: str,
    statistics: Statistics | None = None,
) -> tuple[float, float, float] | None:
    """Ours minus theirs on the same cases, with its interval from resampling patients.

    As in the rows, the metric is the mean over splits and repetitions; repetitions are resampled,
    too.

    Returns:
        Difference, low, high; None if the cases are not the same or the metric needs more than the
        predicted classes.
    """
    if metric not in OF_CLASSES or not _same_cases(ours, theirs):
        return None
    classes = sorted({*ours.labels, *ours.predicted, *theirs.predicted})
    how = statistics or Statistics.of(RunData(""))
    drawn = [
        resampled(_by_split(one, classes), how.resamples, how.seed)[metric]
        for one in (ours, theirs)
    ]
    value, low, high, _ = paired(drawn[0], drawn[1], how.confidence, how.seed)
    return None if np.isnan(low) else (value, low, high)


def _same_cases(ours: RecordedPredictions, theirs: RecordedPredictions) -> bool:
    """Whether every repetition of both speaks of the same cases of the same splits, once."""
    keys = []
    for found in (ours, theirs):
        own = list(zip(found.splits, found.case_ids, strict=True))
        if len(own) != len(set(own)) * found.repetitions:
            return False
        keys.append(set(own))
    return keys[0] == keys[1]


def _by_split(found: RecordedPredictions, classes: Sequence[str]) -> list[Prediction]:
    """One a split and repetition, sure of the class that was said."""
    said = np.eye(len(classes))[[classes.index(label) for label in found.predicted]]
    truth = np.array([classes.index(label) for label in found.labels], np.int64)
    places: dict[tuple[str, int], list[int]] = {}
    repeats = found.repeats or (0,) * len(found.splits)
    for place, key in enumerate(zip(found.splits, repeats, strict=True)):
        places.setdefault(key, []).append(place)
    return [
        Prediction(
            split=split,
            case_ids=tuple(found.case_ids[place] for place in own),
            patients=tuple(found.patient_ids[place] for place in own),
            truth=truth[own],
            probabilities=said[own],
            repeat=repeat,
        )
        for (split, repeat), own in places.items()
    ]


def strongest(verdict: Verdict, run: RunData, most: int) -> list[RecordedPredictions]:
    """Predictions of the strongest controls that were kept, at most this many."""
    found = (predictions_of(run, c.row) for c in verdict.comparisons if is_control(c.row))
    return [p for p in found if p is not None][:most]
