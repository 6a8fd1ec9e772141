"""What a model tells of single predictions, made of its held-back training cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rdfc_core.config.safeguard_settings import OutOfDistributionSettings
from rdfc_core.evaluation.conformal import (
    calibrate_interval,
    calibrate_sets,
    conformal_quantile,
    patient_shares,
    patients_needed,
)
from rdfc_core.evaluation.linear_probe import LabelledSplit
from rdfc_core.evaluation.operating_points import choose_point
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trials import Trial
from rdfc_core.extraction.extract import Extraction
from rdfc_core.models.inputs import positions, sources_of
from rdfc_core.models.model import Model
from rdfc_core.models.training_cases import TrainingCases, patients_apart, spread
from rdfc_core.results.safeguards import Conformal, Familiarity, OperatingPoint, Safeguards
from rdfc_core.results.vocabulary import PROBE, REGRESSION

MOST_CASES = 4000
"""Training cases that are kept: their distances to each other are computed."""


@dataclass(frozen=True)
class OutOfFold:
    """What a model says of training cases by what was trained without their inner fold.

    Args:
        rows: (M,) places among the cases of the split.
        said: (M, C), calibrated as the model's answers are.
    """

    rows: NDArray[np.int64]
    said: NDArray[np.float64]


@dataclass(frozen=True)
class Guarded:
    """The safeguards of a split's model, and where its training cases lie."""

    safeguards: Safeguards
    training_cases: TrainingCases | None


def guard(
    runner: TrialRunner,
    model: Model,
    held_back: OutOfFold | None,
    extraction: Extraction,
) -> Guarded:
    """The safeguards of a model; no test case is looked at.

    Args:
        runner: Of the split.
        model: With what it has chosen.
        held_back: What was chosen, out of fold; None: the model is the linear probe, or nothing
            could be held back.
        extraction: All cases.
    """
    data, settings = runner.setup.data, runner.setup.data.settings
    if held_back is None and model.selection is None:
        held_back = of_probe(runner)
    sets: Conformal | None = None
    points: tuple[OperatingPoint, ...] = ()
    if settings.conformal.enabled:
        sets = _sets(data, held_back, model.classes)
    if held_back is not None and settings.operating_points:
        said, truth = held_back.said, data.truth[held_back.rows]
        points = tuple(
            choose_point(one, said, np.asarray(truth, np.int64), model.classes)
            for one in settings.operating_points
        )
    elif settings.operating_points:
        points = tuple(
            OperatingPoint(
                name=one.name,
                positive=one.positive,
                threshold=None,
                why_not=_nothing(data),
            )
            for one in settings.operating_points
        )
    familiarity, kept = None, None
    if settings.out_of_distribution.enabled:
        familiarity, kept = familiar(data, model, extraction, settings.out_of_distribution)
    return Guarded(
        Safeguards(conformal=sets, operating_points=points, familiarity=familiarity), kept
    )


def of_probe(runner: TrialRunner) -> OutOfFold | None:
    """The linear probe out of fold; None where nothing can be held back."""
    trial, count = Trial(PROBE), runner.setup.data.settings.inner_folds
    if not runner.folds(trial, count):
        return None
    return OutOfFold(*runner.out_of_fold(trial, count))


def _nothing(data: LabelledSplit) -> str:
    return f"{data.task.nothing_held_back}, so that no training case could be held back"


def _sets(data: LabelledSplit, held_back: OutOfFold | None, classes: Sequence[str]) -> Conformal:
    settings = data.settings.conformal
    if held_back is None:
        return Conformal(coverage=settings.coverage, why_not=_nothing(data))
    said, truth = held_back.said, data.truth[held_back.rows]
    patients = [data.cases[row].patient_id for row in held_back.rows]
    if data.task.name == REGRESSION:
        numbers = np.asarray(truth, np.float64)
        return calibrate_interval(said[:, 0], numbers, patients, settings.coverage)
    places = np.asarray(truth, np.int64)
    return calibrate_sets(said, places, patients, classes, settings.coverage, settings.by_class)


def familiar(
    data: LabelledSplit,
    model: Model,
    extraction: Extraction,
    settings: OutOfDistributionSettings,
) -> tuple[Familiarity, TrainingCases | None]:
    """How far training cases are from each other, in the features that the model stands on.

    Args:
        data: The labelled cases of the split.
        model: Trained.
        extraction: All cases.
        settings: Which neighbour, and which quantile.
    """
    sources = sources_of(model)
    labels = {case.case_id: case.label for case in data.cases[: len(data.split.train)]}
    ids = _kept(data, list(labels))
    owners = {case.case_id: case.patient_id for case in extraction.cases}
    patients = [owners[case_id] for case_id in ids]
    about: dict[str, Any] = {
        "quantile": settings.quantile,
        "neighbours": settings.neighbours,
        "sources": sources,
        "cases": len(ids),
        "patients": len(set(patients)),
    }
    if about["patients"] < 2:
        why = "there are training cases of a single patient"
        return Familiarity(**about, limit=None, why_not=why), None
    prepared = {name: extraction.of(name, ids) for name in model.views}
    own = positions(model, prepared, sources)
    centres, scales = spread(own)
    blank = np.zeros(0, np.float32)
    kept = TrainingCases(
        tuple(ids), tuple(labels.get(one) for one in ids), blank, blank, blank, centres, scales
    )
    # As it is read again later: distances to itself would not be 0 otherwise.
    vectors = kept.place(own).astype(np.float16).astype(np.float32)
    apart = patients_apart(vectors, patients, settings.neighbours)
    kept = replace(
        kept,
        vectors=vectors,
        held_out=apart.astype(np.float32),
        shares=patient_shares(patients).astype(np.float32),
    )
    limit = conformal_quantile(apart, patients, settings.quantile)
    if np.isfinite(limit):
        return Familiarity(**about, limit=limit), kept
    why = (
        f"the model has {about['patients']} training patients, and a flag beyond "
        f"{100 * settings.quantile:g} % of them needs {patients_needed(settings.quantile)}"
    )
    return Familiarity(**about, limit=None, why_not=why), kept


def _kept(data: LabelledSplit, labelled: Sequence[str]) -> list[str]:
    """The training cases that are kept: those with a label before others, drawn by the seed."""
    rng = np.random.default_rng(data.seed)
    known = set(labelled)
    others = [one for one in dict.fromkeys(data.split.pretext) if one not in known]
    if len(labelled) > MOST_CASES:
        labelled = [labelled[k] for k in np.sort(rng.permutation(len(labelled))[:MOST_CASES])]
    room = MOST_CASES - len(labelled)
    if len(others) > room:
        others = [others[k] for k in np.sort(rng.permutation(len(others))[:room])]
    return [*labelled, *others]
