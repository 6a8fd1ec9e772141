"""Predictions with what guards them: sets, operating points, distance, nearest labelled cases."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rdfc_core.case import Case
from rdfc_core.evaluation.conformal import sets_of
from rdfc_core.evaluation.operating_points import called_positive
from rdfc_core.extraction.extract import Extraction
from rdfc_core.models.inputs import positions
from rdfc_core.models.model import Model
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import Neighbour, Predictions, features, predicted
from rdfc_core.results.safeguards import OperatingPoint, Safeguards
from rdfc_core.results.vocabulary import REGRESSION, SELECTED

log = logging.getLogger("rdfc")

SHOWN = 5
"""Labelled training cases that are named."""
BETWEEN = "; "
"""Stands between the classes of a set."""


def predict_guarded(
    run: OpenRun,
    cases: Sequence[Case],
    context: RunContext,
    method: str = SELECTED,
    thumbnails: bool = False,
) -> tuple[Predictions, Extraction]:
    """As `rdfc_core.pipeline.predict.predict`, with what guards the predictions.

    Args:
        run: Opened.
        cases: Each with a reader.
        context: Registry, store, executor and progress.
        method: What the run chose, or one of the candidates that it chose from.
        thumbnails: Whether each case is drawn for people, too.

    Returns:
        The predictions, and what the views made of their cases.

    Raises:
        StudyError: If the folder holds no trained run, what a case is differs from the run, or the
            run has saved no such method.
        DataError: If a model has no classifier.
    """
    for model in run.models.values():
        model.refuse_unknown(method)
    extraction = features(run, cases, context, thumbnails)
    return guarded(run, extraction, predicted(run, extraction, method), method), extraction


def guarded(
    run: OpenRun, extraction: Extraction, found: Predictions, method: str = SELECTED
) -> Predictions:
    """Predictions with the columns that the run's models have kept what they need for.

    What is missing is told in a sentence each, once.

    Args:
        run: Opened.
        extraction: Of the cases.
        found: What the run says of them.
        method: By which it was asked; what guards it was made for what the run chose alone.
    """
    models = list(run.models.values())
    made = [model.safeguards for model in models if model.safeguards is not None]
    if not found.case_ids:
        return found
    if method != SELECTED:
        log.info("Prediction sets and distances are of what the run chose, not of %s.", method)
        return found
    if len(made) < len(models):
        log.info(
            "The models of this run say neither which classes a case may have nor how far it is "
            "from the training cases, since an older rdfc wrote them. To add that, delete the "
            "run's results.json and run its study again with the same --out: nothing is trained "
            "again that is there."
        )
        return found
    extra = {**_sets(made, found), **_points(made, found)}
    far, neighbours = _distances(models, made, extraction)
    for why in dict.fromkeys(_why_not(made)):
        log.info("%s", why)
    return replace(found, extra={**extra, **far}, neighbours=neighbours)


def _why_not(made: Sequence[Safeguards]) -> list[str]:
    found = [
        f"No prediction sets: {m.conformal.why_not}."
        for m in made
        if m.conformal and m.conformal.why_not
    ]
    found += [
        f"No case is called unlike the training cases: {m.familiarity.why_not}."
        for m in made
        if m.familiarity and m.familiarity.why_not
    ]
    points = [point for one in made for point in one.operating_points]
    return [*found, *(f"No column at_{p.name}: {p.why_not}." for p in points if p.why_not)]


def _sets(made: Sequence[Safeguards], found: Predictions) -> dict[str, tuple[Any, ...]]:
    conformal = [one.conformal for one in made if one.conformal and not one.conformal.why_not]
    if len(conformal) < len(made):
        return {}
    if found.task == REGRESSION:
        width = float(np.mean([one.half_width for one in conformal]))
        numbers = found.probabilities[:, 0]
        return {
            "lower": tuple((numbers - width).tolist()),
            "upper": tuple((numbers + width).tolist()),
        }
    inside = sets_of(found.probabilities, found.classes, conformal)
    names = [BETWEEN.join(np.array(found.classes)[row].tolist()) for row in inside]
    return {"prediction_set": tuple(names), "certain": tuple((inside.sum(axis=1) == 1).tolist())}


def _points(made: Sequence[Safeguards], found: Predictions) -> dict[str, tuple[Any, ...]]:
    columns: dict[str, tuple[Any, ...]] = {}
    for same in zip(*(one.operating_points for one in made), strict=True):
        points: Sequence[OperatingPoint] = same
        if any(point.threshold is None for point in points):
            continue
        positive = points[0].positive
        [other] = [name for name in found.classes if name != positive]
        called = called_positive(found.probabilities, found.classes, points)
        columns[f"at_{points[0].name}"] = tuple(positive if yes else other for yes in called)
    return columns


def _distances(
    models: Sequence[Model], made: Sequence[Safeguards], extraction: Extraction
) -> tuple[dict[str, tuple[Any, ...]], tuple[tuple[Neighbour, ...], ...]]:
    """Columns, and the nearest labelled training cases of each case, of the first model's."""
    if any(one.familiarity is None for one in made):
        return {}, ()
    if any(model.training_cases is None for model in models):
        log.info(
            "How far cases are from the training cases is not told: training_cases.safetensors is "
            "not beside every model of the run."
        )
        return {}, ()
    case_ids = [case.case_id for case in extraction.cases]
    percentiles, ratios = [], []
    neighbours: tuple[tuple[Neighbour, ...], ...] = ()
    for model, one in zip(models, made, strict=True):
        kept, familiarity = model.training_cases, one.familiarity
        if kept is None or familiarity is None:
            continue
        prepared = {name: extraction.of(name, case_ids) for name in model.views}
        vectors = kept.place(positions(model, prepared, familiarity.sources))
        far, named = kept.look(vectors, familiarity.neighbours, SHOWN)
        percentiles.append(kept.percentiles(far))
        if familiarity.limit is not None:
            ratios.append(far / max(familiarity.limit, np.finfo(np.float64).tiny))
        neighbours = neighbours or tuple(
            tuple(Neighbour(kept.case_ids[p], str(kept.labels[p]), d) for p, d in row)
            for row in named
        )
    columns: dict[str, tuple[Any, ...]] = {
        "distance_percentile": tuple(np.mean(percentiles, axis=0).tolist())
    }
    if len(ratios) == len(models):  # as probabilities are the mean over models
        columns["unlike_training"] = tuple((np.mean(ratios, axis=0) > 1).tolist())
    columns["neighbours"] = tuple(
        BETWEEN.join(f"{one.case_id} ({one.label})" for one in row) for row in neighbours
    )
    return columns, neighbours
