"""Predicted numbers case by case: against the labels, and the cases that are furthest off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.report import images, number_figures, text
from rdfc_core.report.figures import Plot
from rdfc_core.report.images import Picture
from rdfc_core.report.run_data import RecordedPredictions, RunData
from rdfc_core.report.variants import judged
from rdfc_core.report.verdict import Verdict, predictions_of
from rdfc_core.results.vocabulary import (
    CONTROL,
    REGRESSION,
    SHUFFLED_LABELS,
    short_table_heading,
)

FAR_SHOWN = 12


@dataclass(frozen=True)
class NumberView:
    """One method case by case."""

    method: str
    detail: str
    table: str
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class FarCase:
    """A case whose number is far from the label."""

    case_id: str
    picture: Picture | None
    label: str
    predicted: str
    off: str


@dataclass(frozen=True)
class NumbersByCase:
    """What the section shows: the main method openly, others folded."""

    main: NumberView
    cases: int
    others: tuple[NumberView, ...]
    far: tuple[FarCase, ...]


def numbers_by_case(run: RunData, verdict: Verdict | None) -> NumbersByCase | None:
    """The section; None while there are no predictions, and where classes are told apart."""
    known = [p for p in run.predictions if p.truth is not None and p.said is not None]
    if run.task != REGRESSION or not known:
        return None
    found = predictions_of(run, verdict.main) if verdict else None
    main = found if found in known and found is not None else known[0]
    stand = set(judged(run).values())
    others = [
        p
        for p in known
        if p is not main and p.method in stand and p.method.method != SHUFFLED_LABELS
    ]
    others.sort(key=lambda p: p.method.table == CONTROL)
    return NumbersByCase(
        main=_view(main, ""),
        cases=len(set(main.case_ids)),
        others=tuple(_view(p, f"-{k}") for k, p in enumerate(others, start=1)),
        far=_far(run, main),
    )


def of_cases(found: RecordedPredictions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and predicted number of each case, (N,); over repetitions and splits the mean."""
    assert found.truth is not None
    assert found.said is not None
    _, first, places = np.unique(found.case_ids, return_index=True, return_inverse=True)
    said = np.bincount(places, found.said) / np.bincount(places)
    return found.truth[first], said


def _view(found: RecordedPredictions, suffix: str) -> NumberView:
    truth, said = of_cases(found)
    mean, low, high = number_figures.agreement(truth, said)
    pooled = " (means over repetitions)" if len(truth) < len(found.case_ids) else ""
    against = f"Each point a held-back case{pooled}; on the line, prediction and label agree."
    apart = (
        f"Mean difference {text.signed(mean)}; 95{text.NBSP}% limits of agreement "
        f"{text.signed(low)} to {text.signed(high)}. A slope means that large numbers are "
        "predicted too small, and small ones too large."
    )
    title, beside = "Predicted against label", "Differences (Bland–Altman)"
    points = number_figures.scatter(truth, said, f"scatter{suffix}", f"{title}. {against}")
    lines = number_figures.bland_altman(truth, said, f"agreement{suffix}", f"{beside}. {apart}")
    return NumberView(
        method=found.method.method,
        detail=text.describe(found.method),
        table=short_table_heading(found.method.table),
        plots=(Plot(title, points, against), Plot(beside, lines, apart)),
    )


def _far(run: RunData, main: RecordedPredictions) -> tuple[FarCase, ...]:
    """The cases that are furthest off, the furthest first."""
    ids = np.unique(main.case_ids)
    truth, said = of_cases(main)
    order = np.argsort(-np.abs(said - truth), kind="stable")[:FAR_SHOWN]
    return tuple(
        FarCase(
            case_id=str(ids[i]),
            picture=images.gallery_picture(run.pictures.get(str(ids[i]), b"")),
            label=f"{truth[i]:.4g}",
            predicted=f"{said[i]:.4g}",
            off=text.signed(float(said[i] - truth[i])),
        )
        for i in order
    )
