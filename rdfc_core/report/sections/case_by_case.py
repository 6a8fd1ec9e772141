"""Methods case by case: ROC, calibration, confusion, and the cases that are wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report import images, text
from rdfc_core.report.figures import Plot
from rdfc_core.report.images import Picture
from rdfc_core.report.patients import in_units
from rdfc_core.report.run_data import RecordedPredictions, RunData, key_of
from rdfc_core.report.sections.hard_cases import (
    BLIND,
    HardCases,
    hard_cases,
    opinions,
    panel,
    told,
)
from rdfc_core.report.sections.roc_and_calibration import (
    calibration,
    few_labels_roc,
    roc,
    scores_of,
)
from rdfc_core.report.variants import judged, own_of
from rdfc_core.report.verdict import Verdict, strongest
from rdfc_core.results.vocabulary import (
    CONTROL,
    LABEL_EFFICIENCY,
    LINEAR,
    SUPERVISED,
    short_table_heading,
)

WRONG_SHOWN = 12
ROC_CONTROLS = 2
ROC_METHODS = 7
"""More curves in one figure cannot be followed."""


@dataclass(frozen=True)
class Confusion:
    """How often each diagnosis was predicted as each class: count and share of the row."""

    classes: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, float], ...], int], ...]


@dataclass(frozen=True)
class WrongCase:
    """A case that the main method gets wrong."""

    case_id: str
    picture: Picture | None
    label: str
    predicted: str
    sure: str
    others: str


@dataclass(frozen=True)
class MethodView:
    """One method case by case: its curves and its confusion matrix."""

    method: str
    detail: str
    table: str
    plots: tuple[Plot, ...]
    confusion: Confusion


@dataclass(frozen=True)
class CaseByCase:
    """What the section shows: the main method openly, others and shares of labels folded."""

    main: MethodView
    pooled: str
    judged: str
    others: tuple[MethodView, ...]
    supervised: Plot | None
    few_labels: tuple[Plot, ...]
    wrong: tuple[WrongCase, ...]
    wrong_count: int
    cases: int
    without_probabilities: bool
    hard: HardCases | None


def case_by_case(run: RunData, verdict: Verdict | None) -> CaseByCase | None:
    """The section, or None while there are no predictions."""
    if not run.predictions:
        return None
    named = key_of(verdict.main) if verdict else None
    of_cases = next((p for p in run.predictions if p.method == named), run.predictions[0])
    (main,) = in_units(run, [of_cases])
    classes = run.classes
    scores = scores_of(of_cases, classes)
    stand = set(judged(run).values())
    others = [
        p
        for p in run.predictions
        if p is not of_cases and p.method in stand and p.method.method not in BLIND
    ]
    others = in_units(run, others)
    others.sort(key=lambda p: p.method.table == CONTROL)
    said = zip(of_cases.labels, of_cases.predicted, strict=True)
    wrong = [place for place, (label, predicted) in enumerate(said) if label != predicted]
    return CaseByCase(
        main=_view(main, classes, _beside(run, verdict, others), "", run.unit),
        pooled=_pooled(main),
        others=tuple(
            _view(p, classes, [], f"-{k}", run.unit) for k, p in enumerate(others, start=1)
        ),
        supervised=_supervised(run, others),
        few_labels=_few_labels(run),
        judged=text.count(len(main.case_ids), f"held-back {run.unit}"),
        wrong=_wrong(run, of_cases, wrong, scores),
        wrong_count=len(wrong),
        cases=len(of_cases.case_ids),
        without_probabilities=scores is None,
        hard=hard_cases(run),
    )


def _beside(
    run: RunData, verdict: Verdict | None, others: Sequence[RecordedPredictions]
) -> list[RecordedPredictions]:
    """Whose ROC stands beside the main method's: other pretexts, and the strongest controls."""
    methods = [p for p in others if p.method.table == LINEAR]
    controls = strongest(verdict, run, ROC_CONTROLS) if verdict else []
    controls = [p for p in controls if p.method.table == CONTROL]
    return [*methods[: ROC_METHODS - 1 - len(controls)], *controls]


def _view(
    found: RecordedPredictions,
    classes: Sequence[str],
    beside: Sequence[RecordedPredictions],
    suffix: str,
    unit: str,
) -> MethodView:
    scores = scores_of(found, classes)
    plots: list[Plot | None] = []
    if scores is not None:
        plots = [
            roc(found, scores, classes, beside, f"roc{suffix}"),
            calibration(found, scores, classes, f"calibration{suffix}", unit),
        ]
    return MethodView(
        method=found.method.method,
        detail=text.describe(found.method),
        table=short_table_heading(found.method.table),
        plots=tuple(plot for plot in plots if plot is not None),
        confusion=_confusion(found, classes),
    )


def _pooled(found: RecordedPredictions) -> str:
    splits = len(set(found.splits))
    over = [text.count(splits, "split")] if splits > 1 else []
    if found.repetitions > 1:
        over.append(text.count(found.repetitions, "repetition"))
    return f", pooled over {text.listed(over)}" if over else ""


def _supervised(run: RunData, others: Sequence[RecordedPredictions]) -> Plot | None:
    """The ROC of methods that labels train, the study's own first."""
    own = [p for p in others if p.method.table == SUPERVISED]
    lead = own_of(run, SUPERVISED, [p.method.method for p in own])
    own.sort(key=lambda p: p.method.method != lead)
    scores = scores_of(own[0], run.classes) if own else None
    if scores is None or len(run.classes) != 2:
        return None
    title = "ROC of training with labels"
    return roc(own[0], scores, run.classes, own[1:], "roc-supervised", title)


def _few_labels(run: RunData) -> tuple[Plot, ...]:
    """The ROC of every share of the labels but all of them, the smallest first."""
    plots = []
    for k, share in enumerate(sorted({p.label_fraction for p in run.few_labels})):
        own = in_units(run, [p for p in run.few_labels if p.label_fraction == share])
        lead = own_of(run, LABEL_EFFICIENCY, [p.method.method for p in own])
        own.sort(key=lambda p: p.method.method != lead)
        plot = few_labels_roc(own, run.classes, share, f"roc-labels-{k}") if share < 1 else None
        plots += [plot] if plot is not None else []
    return tuple(plots)


def _confusion(main: RecordedPredictions, classes: Sequence[str]) -> Confusion:
    counts = Counter(zip(main.labels, main.predicted, strict=True))
    rows = []
    for label in classes:
        total = sum(counts[label, other] for other in classes)
        cells = tuple(
            (counts[label, other], counts[label, other] / total if total else 0.0)
            for other in classes
        )
        rows.append((label, cells, total))
    return Confusion(tuple(classes), tuple(rows))


def _wrong(
    run: RunData,
    main: RecordedPredictions,
    wrong: Sequence[int],
    scores: NDArray[np.float64] | None,
) -> tuple[WrongCase, ...]:
    """The wrong cases, the surest first; without probabilities, those most methods get wrong."""
    said = opinions(run)
    methods = len(panel(run))

    def errors(i: int) -> int:
        return sum(one.wrong for one in said.get(main.case_ids[i], []))

    def others(i: int) -> str:
        opinions_of_case = said.get(main.case_ids[i], [])
        return told(opinions_of_case, methods) if len(opinions_of_case) > 1 else ""

    def sure(i: int) -> float:
        return 0.0 if scores is None else float(scores[i, run.classes.index(main.predicted[i])])

    order = sorted(wrong, key=lambda i: (-sure(i), -errors(i), main.case_ids[i]))
    return tuple(
        WrongCase(
            case_id=main.case_ids[i],
            picture=images.gallery_picture(run.pictures.get(main.case_ids[i], b"")),
            label=main.labels[i],
            predicted=main.predicted[i],
            sure="" if scores is None else text.percent(round(sure(i), 2)),
            others=others(i),
        )
        for i in order[:WRONG_SHOWN]
    )
