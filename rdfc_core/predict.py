"""Use a trained run on other cases: class probabilities and embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rdfc_core import features, outputs
from rdfc_core import model as models
from rdfc_core.case import Case
from rdfc_core.config import load_study
from rdfc_core.errors import DataError
from rdfc_core.features import Extraction, Failure
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
    preparers = {name: view.preparer() for name, view in trained[0].views.items()}
    extraction = features.extract(cases, preparers, bench.store, bench.executor, bench.progress)
    return trained, extraction
