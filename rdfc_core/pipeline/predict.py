"""Use a trained run on other cases: class probabilities and embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdfc_core.case import Case
from rdfc_core.config.resolve import ResolvedStudy, resolve, resolve_part
from rdfc_core.config.study import load_study
from rdfc_core.data import findings
from rdfc_core.data.case_definition import CaseDefinition
from rdfc_core.data.inspection import INSPECTION, Inspection
from rdfc_core.data.readers.auto import AutoReader
from rdfc_core.data.trained_labels import labelled_as_trained
from rdfc_core.errors import DataError
from rdfc_core.evaluation.trials import SELECTED
from rdfc_core.extraction import extract
from rdfc_core.extraction.extract import Extraction
from rdfc_core.extraction.failures import Failure
from rdfc_core.interfaces import Dataset, Preparer, View
from rdfc_core.models import model as models
from rdfc_core.models.model import Model
from rdfc_core.pipeline import tables
from rdfc_core.pipeline.context import Workbench, read_cases
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.plugin.component import Part
from rdfc_core.plugin.registry import Registry


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


def predict(
    run: Path, cases: Sequence[Case], bench: Workbench, method: str = SELECTED
) -> Predictions:
    """Class probabilities of the cases by the models of a run.

    Args:
        run: The run folder.
        cases: Each with a reader.
        bench: Registry, store, executor and progress.
        method: What the run chose, or one of the candidates that it chose from.

    Raises:
        StudyError: If the folder holds no trained run, what a case is differs from the run, or the
            run has saved no such method.
        DataError: If a model has no classifier.
    """
    trained, extraction = _prepare(run, cases, bench, method)
    case_ids = [case.case_id for case in extraction.cases]
    said = [
        model.predict({name: extraction.of(name, case_ids) for name in model.views}, method)
        for model in trained
        if case_ids
    ]
    classes = trained[0].classes
    mean = np.mean(said, axis=0) if said else np.zeros((0, len(classes)))
    return Predictions(tuple(case_ids), classes, mean, extraction.failures)


def embed(
    run: Path, cases: Sequence[Case], bench: Workbench
) -> tuple[list[tables.Embedded], Sequence[Failure]]:
    """The joint embeddings of the cases, by the network of each split of a run.

    Embeddings of different splits come from different networks and cannot be compared.

    Returns:
        The embeddings, and the cases that could not be used.

    Raises:
        StudyError: If the folder holds no trained run, or what a case is differs from the run.
    """
    trained, extraction = _prepare(run, cases, bench)
    rows = []
    for model, folder in zip(trained, RunFolder(run).models(), strict=True):
        case_ids = [case.case_id for case in extraction.cases]
        vectors = tables.joint(model, {name: extraction.of(name, case_ids) for name in model.views})
        rows += [
            tables.Embedded(folder.name, "", case.case_id, case.label, vector)
            for case, vector in zip(extraction.cases, vectors, strict=True)
        ]
    return rows, extraction.failures


def reader_of(run: Path, registry: Registry) -> AutoReader:
    """The readers of a run, with the options that its study gave them.

    Raises:
        StudyError: If the folder holds no run.
    """
    return AutoReader.installed(registry, _study(run, registry).readers)


def listed_cases(run: Path, listing: Path, registry: Registry) -> list[Case]:
    """The cases of a list, whose columns mean what they meant to the run.

    Raises:
        StudyError: If the folder holds no run.
        DataError: If the list cannot be used.
    """
    study = _study(run, registry)
    own: Dataset = study.dataset.build(registry)
    dataset = own.with_list(listing)
    if dataset is None:
        plain = Part(name="manifest", options={"root": listing})
        dataset = resolve_part("dataset", plain, registry, "--manifest").build(registry)
    cases = read_cases(dataset, AutoReader.installed(registry, study.readers))
    findings.warn(findings.listing_findings(dataset, cases, None))
    return cases


def single_case(
    run: Path, image: Path, mask: Path, mask_value: int | None, registry: Registry
) -> Case:
    """One case that is in no list, named by its image.

    Args:
        run: Whose readers read it.
        image: The image file.
        mask: The mask file.
        mask_value: The value that marks the tumour; None: that of the run.
        registry: Where readers come from.

    Raises:
        StudyError: If the folder holds no run.
    """
    name = image.name.split(".")[0]
    reader = reader_of(run, registry)
    return Case(name, name, image.resolve(), mask.resolve(), mask_value=mask_value, reader=reader)


def _study(run: Path, registry: Registry) -> ResolvedStudy:
    return resolve(load_study(RunFolder(run).read_study()), registry)


def _prepare(
    run: Path, cases: Sequence[Case], bench: Workbench, method: str = ""
) -> tuple[list[Model], Extraction]:
    study = _study(run, bench.registry)
    trained = [models.load(folder, study, bench.registry) for folder in RunFolder(run).models()]
    if method:
        for model in trained:
            model.refuse_unknown(method)
    if not cases:
        raise DataError("There is no case to look at. Name one, or a manifest with rows.")
    definition = _definition(run, trained[0])
    cases, doubts = labelled_as_trained(definition.applied_to(cases), trained[0].classes)
    findings.warn(doubts)
    views = trained[0].views
    preparers: dict[str, Preparer] = {name: view.preparer() for name, view in views.items()}
    preparers[INSPECTION] = Inspection()
    extraction = extract.extract(
        cases, preparers, bench.store, bench.executor, bench.progress, unfit(views)
    )
    seen = findings.seen_in(extraction.prepared)
    findings.warn(findings.case_findings(extraction.cases, seen, definition.grey_scale))
    return trained, _agreeing(views, extraction)


def _definition(run: Path, model: Model) -> CaseDefinition:
    if model.cases is None:
        raise DataError(
            f"The model in {run} does not say which value of a mask marked the tumours that it was "
            "trained on: an older rdfc wrote it. Delete the run's results.json and run its study "
            "again with the same --out: that is added, and nothing is trained again."
        )
    return model.cases


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
