"""The single trainings that trials consist of: on all their labels, and without each inner fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.calibration import Fold
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.trials import (
    Trial,
    beside,
    candidate_trials,
    judged,
    planned,
    selections,
)
from rdfc_core.results.vocabulary import BLOCK_METHODS, PROBE, RADIOMICS

LINEAR = (RADIOMICS, PROBE, *BLOCK_METHODS)
"""Core's methods that train no network."""


@dataclass(frozen=True)
class TrialPart:
    """One training of a trial: on all its labels, or without an inner fold of them.

    Args:
        trial: The trial.
        name: ``inner-1-of-3``; "" for the training on all its labels.
        rows: The cases that it is trained on.
        asked: The cases that it is asked about.
    """

    trial: Trial
    name: str
    rows: NDArray[np.int64]
    asked: NDArray[np.int64]


def planned_parts(
    setup: SupervisedSetup, choices: Sequence[Trial] | None = None
) -> list[TrialPart]:
    """The trainings of networks that the settings plan, or that some choices ask for.

    Args:
        setup: Of the split.
        choices: Of `rdfc_core.evaluation.trials.selections`; None: everything.

    Returns:
        Each once; a trial's own after those of its inner folds.
    """
    data, settings = setup.data, setup.data.settings
    trials: list[Trial] = []
    if choices is None and setup.compared:
        trials, choices = beside(settings), []
    elif choices is None:
        trials, choices = planned(settings, setup.candidates()), selections(settings)
    counts: dict[Trial, set[int]] = {trial: set() for trial in trials}
    for choice in choices:
        for method in setup.candidates():
            for trial in candidate_trials(method, settings, choice):
                counts.setdefault(trial, set()).add(settings.selection.folds)
    tested = np.arange(len(data.split.train), len(data.cases))
    found: list[TrialPart] = []
    for trial, asked in counts.items():
        if not trains_network(setup, trial):
            continue
        asked |= {settings.inner_folds} if calibrated(setup, trial) else set()
        found += [part for count in sorted(asked) for part in inner_parts(setup, trial, count)]
        found.append(TrialPart(trial, "", rows_of(setup, trial), tested))
    return list({(part.trial, part.name): part for part in found}.values())


def inner_parts(setup: SupervisedSetup, trial: Trial, count: int) -> list[TrialPart]:
    """A training without each inner fold, of so many folds or fewer."""
    rows, folds = rows_of(setup, trial), folds_of(setup, trial, count)
    return [
        TrialPart(trial, f"inner-{k}-of-{len(folds)}", rows[taught], rows[held])
        for k, (taught, held) in enumerate(folds, start=1)
    ]


def folds_of(setup: SupervisedSetup, trial: Trial, count: int) -> list[Fold]:
    """Inner folds of the trial's labelled cases, as places among them, alike for each method.

    None where a class has a single patient.
    """
    rows = rows_of(setup, trial)
    patients = [setup.data.cases[row].patient_id for row in rows]
    folds = setup.data.task.folds
    return folds(setup.data.truth[rows], patients, count, seed_of(setup, trial))


def rows_of(setup: SupervisedSetup, trial: Trial) -> NDArray[np.int64]:
    """The cases whose labels a trial is given."""
    return setup.data.labelled(trial.label_fraction, seed_of(setup, trial))


def seed_of(setup: SupervisedSetup, trial: Trial) -> int:
    """What decides its labels, and all that is random."""
    return setup.data.seed + trial.seed


def calibrated(setup: SupervisedSetup, trial: Trial) -> bool:
    """Whether a temperature is fitted for it; for no control."""
    settings = setup.data.settings
    control = trial.method in setup.own.study.named("control")
    return settings.temperature_scaling and judged(trial, settings) and not control


def trains_network(setup: SupervisedSetup, trial: Trial) -> bool:
    """Whether its method is told of in many steps; the others take a moment."""
    return trial.method not in (*LINEAR, *setup.own.study.evaluators)
