"""Use a trained run on other cases: class probabilities and embeddings."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.data import findings
from rdfc_core.data.inspection import INSPECTION, Inspection
from rdfc_core.data.targets import TARGETS
from rdfc_core.errors import DataError
from rdfc_core.extraction import extract
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.failures import Failure
from rdfc_core.extraction.needs import preparers_of, require_needs
from rdfc_core.interfaces import Preparer, View
from rdfc_core.models.model import Model
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.embeddings_table import Embedded, joint
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.results.vocabulary import CLASSIFICATION, REGRESSION, SELECTED, TaskName
from rdfc_core.views.thumbnail import Thumbnail

log = logging.getLogger("rdfc")

KINDS = {2: "picture", 3: "volume"}
"""Number of a tumour's axes → what its image is called."""


class Neighbour(NamedTuple):
    """A labelled training case near a case, and how far it is."""

    case_id: str
    label: str
    distance: float


@dataclass(frozen=True)
class Predictions:
    """What a run says of cases.

    Args:
        case_ids: N cases, without those that failed; or N patients.
        patient_ids: Of each.
        classes: C classes; none where numbers are predicted.
        probabilities: (N, C), the mean over the run's models (one a split); where numbers are
            predicted, (N, 1).
        failures: The cases that could not be used.
        cases_of_each: How many cases each of N patients has; None of cases.
        task: What is predicted.
        extra: Further columns, such as ``prediction_set``, each with N values.
        neighbours: Of each case the nearest labelled training cases; empty where none is known.
    """

    case_ids: tuple[str, ...]
    patient_ids: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    failures: Sequence[Failure]
    cases_of_each: tuple[int, ...] | None = None
    task: TaskName = CLASSIFICATION
    extra: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    neighbours: Sequence[Sequence[Neighbour]] = ()

    @property
    def columns(self) -> list[str]:
        """Of `rows`: the case or patient, the likeliest class, and the probability of each.

        Where numbers are predicted: the case or patient, and the number.
        """
        whose = ["case_id"] if self.cases_of_each is None else ["patient_id", "cases"]
        return [*whose, "predicted", *(f"p_{name}" for name in self.classes), *self.extra]

    def rows(self, digits: int | None = None) -> list[dict[str, Any]]:
        """A row a case or patient, with a column for the probability of each class, or its number.

        Args:
            digits: After the point; None: all.
        """
        shown = self.probabilities if digits is None else self.probabilities.round(digits)
        if self.task == REGRESSION:
            said = [(value,) for value in shown[:, 0].tolist()]
        else:
            likeliest = (self.classes[place] for place in self.probabilities.argmax(axis=1))
            said = [(n, *row) for n, row in zip(likeliest, shown.tolist(), strict=True)]
        whose: Iterable[tuple[Any, ...]] = zip(self.case_ids, strict=True)
        if self.cases_of_each is not None:
            whose = zip(self.case_ids, self.cases_of_each, strict=True)
        extra = [_rounded(values, digits) for values in self.extra.values()]
        further = zip(*extra, strict=True) if extra else repeat((), len(said))
        return [
            dict(zip(self.columns, (*one, *row, *more), strict=True))
            for one, row, more in zip(whose, said, further, strict=True)
        ]


def _rounded(values: Sequence[Any], digits: int | None) -> list[Any]:
    if digits is None:
        return list(values)
    return [round(one, digits) if isinstance(one, float) else one for one in values]


def predict(
    run: Path | OpenRun, cases: Sequence[Case], context: RunContext, method: str = SELECTED
) -> Predictions:
    """Class probabilities, or numbers, of the cases by the models of a run.

    Args:
        run: The run folder, or the run where it is open already.
        cases: Each with a reader.
        context: Registry, store, executor and progress.
        method: What the run chose, or one of the candidates that it chose from.

    Raises:
        StudyError: If the folder holds no trained run, what a case is differs from the run, or the
            run has saved no such method.
        DataError: If a model has no classifier.
    """
    run = _opened(run, context)
    for model in run.models.values():
        model.refuse_unknown(method)
    return predicted(run, _prepare(run, cases, context), method)


def predicted(run: OpenRun, extraction: Extraction, method: str) -> Predictions:
    """As `predict`, of cases that were prepared already (`features`)."""
    case_ids = [case.case_id for case in extraction.cases]
    said = [
        model.predict({name: extraction.of(name, case_ids) for name in model.views}, method)
        for model in run.models.values()
        if case_ids
    ]
    classes = _first(run).classes
    task = _first(run).task
    mean = np.mean(said, axis=0) if said else np.zeros((0, OUTPUTS[task].width(classes)))
    patients = tuple(case.patient_id for case in extraction.cases)
    return Predictions(tuple(case_ids), patients, classes, mean, extraction.failures, task=task)


def embed(
    run: Path | OpenRun, cases: Sequence[Case], context: RunContext
) -> tuple[list[Embedded], Sequence[Failure]]:
    """The joint embeddings of the cases, by the network of each split of a run.

    Embeddings of different splits come from different networks and cannot be compared.

    Returns:
        The embeddings, and the cases that could not be used.

    Raises:
        StudyError: If the folder holds no trained run, or what a case is differs from the run.
    """
    run = _opened(run, context)
    extraction = _prepare(run, cases, context)
    case_ids = [case.case_id for case in extraction.cases]
    rows = []
    for split, model in run.models.items():
        vectors = joint(model, {name: extraction.of(name, case_ids) for name in model.views})
        rows += [
            Embedded(split, "", case.case_id, case.label, vector)
            for case, vector in zip(extraction.cases, vectors, strict=True)
        ]
    return rows, extraction.failures


def features(
    run: Path | OpenRun, cases: Sequence[Case], context: RunContext, thumbnails: bool = False
) -> Extraction:
    """What the views of a run make of cases: handcrafted features, and pictures.

    Args:
        run: The run folder, or the run where it is open already.
        cases: Each with a reader.
        context: Registry, store, executor and progress.
        thumbnails: Whether each case is drawn for people, too (``picture``).

    Raises:
        StudyError: If the folder holds no trained run, or what a case is differs from the run.
    """
    further = {"picture": Thumbnail()} if thumbnails else {}
    return _prepare(_opened(run, context), cases, context, further)


def _opened(run: Path | OpenRun, context: RunContext) -> OpenRun:
    return OpenRun(run, context.registry) if isinstance(run, Path) else run


def _first(run: OpenRun) -> Model:
    return next(iter(run.models.values()))


def _prepare(
    run: OpenRun,
    cases: Sequence[Case],
    context: RunContext,
    further: Mapping[str, Preparer] = MappingProxyType({}),
) -> Extraction:
    views, classes = _first(run).views, _first(run).classes
    if not cases:
        raise DataError("There is no case to look at. Name one, or a manifest with rows.")
    targets = TARGETS[_first(run).task]
    cases, doubts = targets.as_trained(run.definition.applied_to(cases), classes)
    findings.warn(doubts)
    for sentence in run.definition.read_otherwise(cases):
        log.warning("%s", sentence)
    preparers = preparers_of(views)
    require_needs(cases, preparers)
    preparers |= {INSPECTION: Inspection(), **further}
    extraction = extract.extract(
        cases, preparers, context.store, context.executor, context.progress, unfit(views)
    )
    seen = findings.seen_in(extraction.prepared)
    trained, shown = run.definition.grey_scale, preparers_of(views)
    findings.warn(findings.case_findings(extraction.cases, seen, trained, shown))
    findings.warn(findings.remark_findings(extraction.remarks))
    _adapt(run, extraction)
    return _agreeing(views, extraction)


def _adapt(run: OpenRun, extraction: Extraction) -> None:
    """Show the views of each model the cases together; what they learn of them is told once."""
    case_ids = [case.case_id for case in extraction.cases]
    told: dict[str, None] = {}
    for model in run.models.values():
        for name, view in model.views.items():
            if case_ids and extraction.fit_columns.get(name):
                found = view.adapt(extraction.of(name, case_ids))
                told |= dict.fromkeys(f"The view {name!r}: {sentence}" for sentence in found)
    for sentence in told:
        log.warning("%s", sentence)


def unfit(views: Mapping[str, View]) -> dict[int, str]:
    """Number of a tumour's axes → why fitted views cannot take it, if they took the other kind."""
    found = {}
    for name, view in views.items():
        refused = [ndim for ndim in KINDS if not view.accepts(ndim)]
        if len(refused) == 1:  # of both, it is not the axes that are at fault
            [ndim] = refused
            found[ndim] = f"{of_other_kind(name, ndim)}, or leave the case out."
    return found


def of_other_kind(view: str, ndim: int) -> str:
    """Why a view cannot take a tumour of so many axes, without the full stop."""
    own, other = KINDS[ndim], KINDS[5 - ndim]
    return (
        f"it is a {own}, and the view {view!r} of this run was trained on {other}s. Use a run that "
        f"was trained on {own}s"
    )


def _agreeing(views: Mapping[str, View], extraction: Extraction) -> Extraction:
    """The cases that every fitted view can take; the store may hold others."""
    failures = []
    for case in extraction.cases:
        for name, view in views.items():
            try:
                view.collate(extraction.of(name, [case.case_id]))
            except DataError as error:
                reason = f"Case {case.case_id}: the view {name!r} cannot take it: {error}"
                failures.append(Failure(case.case_id, reason, fixable=True, view=name))
                break
    unlike = {failure.case_id for failure in failures}
    return replace(
        extraction,
        cases=[case for case in extraction.cases if case.case_id not in unlike],
        failures=[*extraction.failures, *failures],
    )
