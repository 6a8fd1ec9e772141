"""The main method case by case: ROC, calibration, confusion, and the cases it gets wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report import images, words
from rdfc_core.report.compare import Verdict, predictions_of, strongest
from rdfc_core.report.contents import Predictions, Run
from rdfc_core.report.figures import Plot
from rdfc_core.report.images import Picture
from rdfc_core.report.sections.curves import calibration, roc, scores_of

WRONG_SHOWN = 12
ROC_CONTROLS = 2


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
class Judgement:
    """What the section shows."""

    method: str
    detail: str
    pooled: str
    plots: tuple[Plot, ...]
    confusion: Confusion
    wrong: tuple[WrongCase, ...]
    wrong_count: int
    cases: int
    without_probabilities: bool


def judgement(run: Run, verdict: Verdict | None) -> Judgement | None:
    """The section, or None while there are no predictions."""
    if not run.predictions:
        return None
    main = predictions_of(run, verdict.main) if verdict else None
    main = main or run.predictions[0]
    classes = run.classes
    controls = strongest(verdict, run, ROC_CONTROLS) if verdict else []
    scores = scores_of(main, classes)
    plots = (
        []
        if scores is None
        else [
            roc(main, scores, classes, controls),
            calibration(main, scores, classes),
        ]
    )
    wrong = [i for i, (a, b) in enumerate(zip(main.labels, main.predicted, strict=True)) if a != b]
    splits = len(set(main.splits))
    return Judgement(
        method=main.method.method,
        detail=words.describe(main.method),
        pooled=f", pooled over {splits} splits" if splits > 1 else "",
        plots=tuple(plot for plot in plots if plot is not None),
        confusion=_confusion(main, classes),
        wrong=_wrong(run, main, wrong, scores),
        wrong_count=len(wrong),
        cases=len(main.case_ids),
        without_probabilities=scores is None,
    )


def _confusion(main: Predictions, classes: Sequence[str]) -> Confusion:
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
    run: Run, main: Predictions, wrong: Sequence[int], scores: NDArray[np.float64] | None
) -> tuple[WrongCase, ...]:
    """The wrong cases, the surest first; without probabilities, those most methods get wrong."""
    errors: Counter[tuple[str, str]] = Counter()
    judged: Counter[tuple[str, str]] = Counter()
    for found in run.predictions:
        if found.method.method == "shuffled-labels":  # wrong by design
            continue
        keys = list(zip(found.splits, found.case_ids, strict=True))
        judged.update(keys)
        truth = zip(keys, found.labels, found.predicted, strict=True)
        errors.update(key for key, label, predicted in truth if label != predicted)

    def key(i: int) -> tuple[str, str]:
        return main.splits[i], main.case_ids[i]

    def sure(i: int) -> float:
        return 0.0 if scores is None else float(scores[i, run.classes.index(main.predicted[i])])

    order = sorted(wrong, key=lambda i: (-sure(i), -errors[key(i)], main.case_ids[i]))
    return tuple(
        WrongCase(
            case_id=main.case_ids[i],
            picture=images.gallery_picture(run.pictures.get(main.case_ids[i], b"")),
            label=main.labels[i],
            predicted=main.predicted[i],
            sure="" if scores is None else words.percent(round(sure(i), 2)),
            others=f"wrong with {errors[key(i)]} of {judged[key(i)]} methods"
            if judged[key(i)] > 1
            else "",
        )
        for i in order[:WRONG_SHOWN]
    )
