"""A trained run judged on labelled cases of other places."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rdfc_core.case import Case
from rdfc_core.config.evaluate_settings import EvaluateSettings
from rdfc_core.data.cells import listed
from rdfc_core.data.targets import TARGETS
from rdfc_core.errors import DataError, StudyError
from rdfc_core.evaluation import study_metrics
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.patients import of_patients, require_poolable
from rdfc_core.evaluation.sample_size import too_few
from rdfc_core.extraction.extract import Extraction
from rdfc_core.models import model_folder
from rdfc_core.pipeline import cohort_scores
from rdfc_core.pipeline.case_record import CaseRow
from rdfc_core.pipeline.cohort_drift import TrainedOn, drift_of
from rdfc_core.pipeline.cohort_groups import groups_of
from rdfc_core.pipeline.context import RunContext
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import Predictions, features, predicted
from rdfc_core.pipeline.run_folder import RunFolder
from rdfc_core.results.schema import Results
from rdfc_core.results.validation import Cohort, Validation, Value
from rdfc_core.results.vocabulary import PATIENT, REGRESSION, SELECTED, SUPERVISED
from rdfc_core.utils.warning_capture import captured_warnings

log = logging.getLogger("rdfc")

VALIDATION = "validation.json"

LEARNT_FROM = ("pretext", "train")
"""Parts of a split whose cases a model has seen."""


def validate(
    run: OpenRun,
    listings: Mapping[str, Path],
    context: RunContext,
    by: Sequence[str] = (),
    method: str = SELECTED,
) -> tuple[Validation, dict[str, Prediction]]:
    """What the run's model is worth on each list of cases.

    Args:
        run: Opened.
        listings: Name → list of cases.
        context: Registry, store, executor and progress.
        by: Columns of the lists whose values make subgroups.
        method: What the run chose, or one of the candidates that it chose from.

    Returns:
        The validation; and of each list what was said of its labelled cases, or of their
        patients.

    Raises:
        StudyError: If there is no trained run, no such method, or what a case is differs.
        DataError: If a list cannot be used, holds cases that the run learnt from, lacks a column,
            or has no labelled case.
    """
    for model in run.models.values():
        model.refuse_unknown(method)
    results = Results.read(run.place.results) if run.place.results.exists() else None
    rows = run.place.case_rows()
    trained = TrainedOn.of(run)
    classes = next(iter(run.models.values())).classes
    own_metrics = study_metrics.own_metrics(run.study, run.registry, classes)
    cohorts, said = [], {}
    with captured_warnings() as heard:
        for name, listing in listings.items():
            extraction = features(run, run.listed_cases(listing), context)
            shared = _refuse_known(name, extraction, rows)
            found = predicted(run, extraction, method)
            cases = _Listed(name, listing, extraction, found, run.study.evaluate)
            cohort, said[name] = _cohort(cases, by, own_metrics)
            drift = drift_of(extraction, run, trained, cohort_scores.SEED)
            content = tuple(extraction.fingerprints[c.case_id] for c in extraction.cases)
            cohorts.append(Cohort(**cohort, drift=drift, content=content, shared_patients=shared))
    own, own_cases = _own(results, method)
    validation = Validation(
        run=run.place.path.name,
        method=method,
        task=run.study.task,
        unit=run.study.evaluate.unit,
        metrics=study_metrics.facts(own_metrics),
        classes=classes,
        confidence=cohort_scores.CONFIDENCE,
        own=own,
        own_cases=own_cases,
        cohorts=tuple(cohorts),
        warnings=tuple(heard),
        models={folder.name: model_folder.checksum(folder) for folder in run.place.models()},
    )
    return validation, said


def require_free(folder: Path, overwrite: bool) -> None:
    """Refuse, before anything is computed, a folder that cannot or should not be written to.

    Raises:
        StudyError: If it is a run's, or no folder, or holds a validation and ``overwrite`` is not
            asked for.
    """
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"--out {folder} is no folder. Name another.")
    if RunFolder(folder).is_run():
        raise StudyError(f"--out {folder} is the folder of a run. Name another.")
    if (folder / VALIDATION).exists() and not overwrite:
        raise StudyError(
            f"{folder / VALIDATION} exists. Choose another --out, or replace it with --overwrite."
        )


def validate_into(
    folder: Path,
    run: OpenRun,
    listings: Mapping[str, Path],
    context: RunContext,
    by: Sequence[str] = (),
    method: str = SELECTED,
) -> tuple[Validation, Path]:
    """As `validate`, written as ``validation.json`` and ``validation.html``.

    Returns:
        The validation, and the path of the page.
    """
    from rdfc_core.report.validation_page import write_page  # loads matplotlib

    validation, said = validate(run, listings, context, by, method)
    folder.mkdir(parents=True, exist_ok=True)
    validation.write(folder / VALIDATION)
    return validation, write_page(folder, validation, said)


def _refuse_known(name: str, extraction: Extraction, rows: Sequence[CaseRow]) -> int:
    """Cases that a model has learnt from say nothing of how it does elsewhere.

    Returns:
        How many ids of patients are those of patients that it has learnt from.
    """
    seen = {
        row.fingerprint: row.case_id
        for row in rows
        if row.fingerprint and set(row.parts) & set(LEARNT_FROM)
    }
    known = [c.case_id for c in extraction.cases if extraction.fingerprints.get(c.case_id) in seen]
    if known:
        raise DataError(
            f"{name}: the run has learnt from {len(known)} of these cases ({listed(known)}), so "
            "that it cannot be validated on them. Leave them out."
        )
    patients = {row.patient_id for row in rows if set(row.parts) & set(LEARNT_FROM)}
    shared = sorted({case.patient_id for case in extraction.cases} & patients)
    if shared:
        log.warning(
            "%s: the run has learnt from %s patients with the ids of patients here (%s). If they "
            "are the same people, leave them out.",
            *(name, len(shared), listed(shared)),
        )
    return len(shared)


@dataclass(frozen=True)
class _Listed:
    """A list, and what was said of its cases."""

    name: str
    listing: Path
    extraction: Extraction
    said: Predictions
    settings: EvaluateSettings

    @cached_property
    def labelled(self) -> list[int]:
        """Places of the cases whose label can be judged by."""
        counts, classes = TARGETS[self.said.task].counts, self.said.classes
        places = enumerate(self.extraction.cases)
        found = [place for place, case in places if counts(case.label, classes)]
        if found:
            return found
        what = "is a number"
        if classes:
            what = f"is one of the run's classes ({listed(classes, 9)})"
        raise DataError(
            f"{self.name}: no case of {self.listing} has a label that {what}. Add a column label, "
            "or use rdfc predict."
        )

    @property
    def cases(self) -> list[Case]:
        """Those with such a label."""
        return [self.extraction.cases[place] for place in self.labelled]

    @cached_property
    def prediction(self) -> Prediction:
        """What was said of them."""
        said, rows = self.said, self.labelled
        probabilities = said.probabilities[rows]
        return Prediction(
            self.name,
            tuple(said.case_ids[row] for row in rows),
            tuple(said.patient_ids[row] for row in rows),
            TARGETS[said.task].encoded(self.cases, said.classes),
            probabilities[:, 0] if said.task == REGRESSION else probabilities,
        )

    def in_units(self, prediction: Prediction) -> Prediction:
        """Of cases; or of their patients, where the run judges these."""
        if self.settings.unit != PATIENT:
            return prediction
        return of_patients(prediction, self.settings.pool)


def _cohort(
    found: _Listed, by: Sequence[str], own: study_metrics.OwnMetrics
) -> tuple[dict[str, Any], Prediction]:
    """All but the drift."""
    cases, classes = found.cases, found.said.classes
    require_poolable(found.settings, cases, classes)
    prediction = found.in_units(found.prediction)
    numbers = cohort_scores.counts(prediction, classes)
    groups = groups_of(found.listing, cases, by)
    every = found.extraction.cases
    about: dict[str, Any] = {
        "name": found.name,
        "listing": str(found.listing),
        "cases": len(every),
        "patients": len({case.patient_id for case in every}),
        "labelled": len(prediction.truth),
        "per_class": {label: one["cases"] for label, one in numbers.items() if label},
        "unlabelled": len(every) - len(cases),
        "failed": tuple(
            {"case_id": one.case_id, "reason": one.reason} for one in found.extraction.failures
        ),
        "metrics": cohort_scores.metrics(prediction, own),
        "subgroups": tuple(
            cohort_scores.subgroup(
                column,
                value,
                found.in_units(cohort_scores.at(found.prediction, places)),
                classes,
                own,
            )
            for column, value, places in groups
        ),
        "too_few": too_few(numbers, folds=True),
        **_agreement(prediction, classes),
    }
    return about, prediction


def _agreement(prediction: Prediction, classes: Sequence[str]) -> dict[str, Any]:
    """Calibration of classes and what acting on them is worth, or calibration of numbers."""
    if not classes:
        numbers = cohort_scores.number_calibration(prediction)
        return {"calibration": (), "recalibrated": {}, "decisions": (), "numbers": numbers}
    return {
        "calibration": tuple(cohort_scores.calibration(prediction, classes)),
        "recalibrated": cohort_scores.recalibrated(prediction),
        "decisions": tuple(cohort_scores.decisions(prediction, classes)),
    }


def _own(results: Results | None, method: str) -> tuple[dict[str, Value], int]:
    """The same method on the run's held-back cases, at all labels."""
    rows = [
        row
        for row in (results.rows if results else ())
        if row.table == SUPERVISED and row.method == method and row.label_fraction == 1
    ]
    found = {row.metric: Value(estimate=row.mean, low=row.ci_low, high=row.ci_high) for row in rows}
    return found, max((row.n_cases for row in rows), default=0)
