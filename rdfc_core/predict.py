"""Use a trained run on other cases: class probabilities and embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdfc_core import features, outputs
from rdfc_core import model as models
from rdfc_core.case import Case
from rdfc_core.config import load_study
from rdfc_core.data import findings
from rdfc_core.data.inspection import INSPECTION, Inspection
from rdfc_core.errors import DataError
from rdfc_core.failures import Failure
from rdfc_core.features import Extraction
from rdfc_core.interfaces import Preparer, View
from rdfc_core.model import Model
from rdfc_core.plugins import Registry
from rdfc_core.readers.auto import AutoReader
from rdfc_core.resolve import resolve
from rdfc_core.run_folder import RunFolder
from rdfc_core.workbench import Workbench


@dataclass(frozen=True)
class Predictions:
    """What a run says of cases.

    Args:
        case_ids: N cases, without those that failed.
        classes: C classes.
        probabilities: (N, C), the mean over the run's models (one a split).
        failures: The cases that could not be used.
    """

    case_ids: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    failures: Sequence[Failure]


def predict(run: Path, cases: Sequence[Case], bench: Workbench) -> Predictions:
    """Class probabilities of the cases by the models of a run.

    Raises:
        StudyError: If the folder holds no trained run.
        DataError: If a model has no classifier.
    """
    trained, extraction = _prepare(run, cases, bench)
    case_ids = [case.case_id for case in extraction.cases]
    said = [
        model.predict({name: extraction.of(name, case_ids) for name in model.views})
        for model in trained
        if case_ids
    ]
    classes = trained[0].classes
    mean = np.mean(said, axis=0) if said else np.zeros((0, len(classes)))
    return Predictions(tuple(case_ids), classes, mean, extraction.failures)


def embed(run: Path, cases: Sequence[Case], bench: Workbench, out: Path) -> Sequence[Failure]:
    """Write the joint embeddings of the cases as Parquet: ``split, case_id, label, vector``.

    Embeddings of different splits come from different networks and cannot be compared.

    Returns:
        The cases that could not be used.

    Raises:
        StudyError: If the folder holds no trained run.
    """
    trained, extraction = _prepare(run, cases, bench)
    rows = []
    for model, folder in zip(trained, RunFolder(run).models(), strict=True):
        case_ids = [case.case_id for case in extraction.cases]
        vectors = outputs.joint(
            model, {name: extraction.of(name, case_ids) for name in model.views}
        )
        rows += [
            outputs.Embedded(folder.name, "", case.case_id, case.label, vector.tolist())
            for case, vector in zip(extraction.cases, vectors, strict=True)
        ]
    outputs.write_embeddings(out, rows)
    return extraction.failures


def reader_of(run: Path, registry: Registry) -> AutoReader:
    """The readers of a run, with the options that its study gave them.

    Raises:
        StudyError: If the folder holds no run.
    """
    study = resolve(load_study(RunFolder(run).read_study()), registry)
    return AutoReader.installed(registry, study.readers)


def _prepare(run: Path, cases: Sequence[Case], bench: Workbench) -> tuple[list[Model], Extraction]:
    place = RunFolder(run)
    study = resolve(load_study(place.read_study()), bench.registry)
    trained = [models.load(folder, study, bench.registry) for folder in place.models()]
    if not cases:
        raise DataError("There is no case to look at. Name one, or a manifest with rows.")
    views = trained[0].views
    preparers: dict[str, Preparer] = {name: view.preparer() for name, view in views.items()}
    preparers[INSPECTION] = Inspection()
    extraction = features.extract(
        cases, preparers, bench.store, bench.executor, bench.progress, unfit(views)
    )
    findings.warn(findings.case_findings(extraction.cases, findings.seen_in(extraction.prepared)))
    return trained, _agreeing(views, extraction)


def unfit(views: Mapping[str, View]) -> dict[int, str]:
    """Number of a tumour's axes → why fitted views cannot take it, if they took the other kind."""
    kinds = {2: "picture", 3: "volume"}
    found = {}
    for name, view in views.items():
        refused = [ndim for ndim in kinds if not view.accepts(ndim)]
        if len(refused) == 1:  # of both, it is not the axes that are at fault
            [ndim] = refused
            other = f"{kinds[5 - ndim]}s"
            found[ndim] = (
                f"it is a {kinds[ndim]}, and the view {name!r} of this run was trained on {other}. "
                f"Use a run that was trained on {kinds[ndim]}s, or leave the case out."
            )
    return found


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
