"""What predictions of cases whose label is known come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rdfc_core.data.targets import TARGETS
from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.judged_safeguards import GuardedTest, Resampling, judge_safeguards
from rdfc_core.evaluation.sample_size import too_few
from rdfc_core.extraction.extract import Extraction
from rdfc_core.pipeline.cohort_scores import CONFIDENCE, RESAMPLES, SEED, counts, metrics
from rdfc_core.pipeline.open_run import OpenRun
from rdfc_core.pipeline.predict import Predictions
from rdfc_core.results.safeguards import JudgedSafeguards
from rdfc_core.results.validation import Value
from rdfc_core.results.vocabulary import CLASSIFICATION

LEARNT_FROM = ("pretext", "train")
"""Parts of a split whose cases a model has seen."""


@dataclass(frozen=True)
class PredictedScores:
    """Scores of cases whose label is known.

    Args:
        cases: How many are judged.
        known: Labelled cases that are left out, since the run has learnt from them.
        metrics: Metric → value with its interval; empty where no case is judged.
        safeguards: Coverage and operating points on these cases; None where the run has none.
        doubt: Why the scores say little; empty: nothing is known against them.
    """

    cases: int
    known: int
    metrics: dict[str, Value]
    safeguards: JudgedSafeguards | None
    doubt: str


def scores_of(run: OpenRun, extraction: Extraction, found: Predictions) -> PredictedScores | None:
    """Judge predictions by the labels that their cases have; None where no case has one.

    Args:
        run: That predicted.
        extraction: Of the cases.
        found: A row a case.
    """
    targets = TARGETS[found.task]
    labelled = [
        place
        for place, case in enumerate(extraction.cases)
        if targets.counts(case.label, found.classes)
    ]
    if not labelled:
        return None
    seen = {
        row.fingerprint
        for row in run.place.case_rows()
        if row.fingerprint and set(row.parts) & set(LEARNT_FROM)
    }
    prints = extraction.fingerprints
    judged = [k for k in labelled if prints.get(extraction.cases[k].case_id) not in seen]
    known = len(labelled) - len(judged)
    if not judged:
        return PredictedScores(0, known, {}, None, "")
    cases = [extraction.cases[k] for k in judged]
    said = found.probabilities[judged]
    prediction = Prediction(
        "here",
        tuple(case.case_id for case in cases),
        tuple(case.patient_id for case in cases),
        targets.encoded(cases, found.classes),
        said if found.task == CLASSIFICATION else said[:, 0],
    )
    doubt = ""
    if found.task == CLASSIFICATION:
        doubt = too_few(counts(prediction, found.classes), folds=True)
    return PredictedScores(
        len(judged), known, metrics(prediction), _safeguards(run, found, judged, prediction), doubt
    )


def _safeguards(
    run: OpenRun, found: Predictions, judged: list[int], prediction: Prediction
) -> JudgedSafeguards | None:
    made = [one.safeguards for one in run.models.values() if one.safeguards is not None]
    if not found.extra or len(made) < len(run.models):
        return None
    flags = found.extra.get("unlike_training")
    flagged = None if flags is None else np.array([flags[k] for k in judged], bool)
    test = GuardedTest(made, prediction, flagged)
    return judge_safeguards([test], found.classes, Resampling(RESAMPLES, CONFIDENCE, SEED))
