"""The choice of a model for the user: ranked on inner folds of the labelled training cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation.bootstrap import Prediction
from rdfc_core.evaluation.linear_probe import Variant
from rdfc_core.evaluation.safeguards import OutOfFold
from rdfc_core.evaluation.tasks import EvaluationTask
from rdfc_core.evaluation.trial_runner import TrialRunner
from rdfc_core.evaluation.trial_store import Arrays
from rdfc_core.evaluation.trials import Trial, candidate_trials, selections, tables
from rdfc_core.results.schema import Ranked, Selection
from rdfc_core.results.vocabulary import (
    CLASSIFICATION,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    ENSEMBLE,
    FEATURES_AND_COLUMNS,
    HYBRID_FINETUNE,
    IMAGE_AND_RADIOMICS,
    PROBE,
    RADIOMICS,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
)

SIMPLEST = (
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    IMAGE_AND_RADIOMICS,
    FEATURES_AND_COLUMNS,
    PROBE,
    RADIOMICS,
    HYBRID_FINETUNE,
)
"""Of candidates that the inner folds cannot tell apart, the first is taken."""

DEFAULT = (
    FEATURES_AND_COLUMNS,
    IMAGE_AND_RADIOMICS,
    RADIOMICS_LOGISTIC,
    RADIOMICS_RIDGE,
    PROBE,
    COLUMNS_LOGISTIC,
    COLUMNS_RIDGE,
    RADIOMICS,
    HYBRID_FINETUNE,
)
"""Where nothing can be held back, the first that is a candidate is taken."""

CLEARLY = 2.0
"""Standard errors behind the best single candidate at which one is left out of the ensemble."""


@dataclass(frozen=True)
class Standing:
    """A candidate after its inner folds.

    Args:
        trial: Its method with the best of its penalties.
        temperature: Calibrates it.
        said: (M, C), calibrated, of the held-back training cases.
        losses: (M,) loss of each, as the task has it: log loss in nats, or absolute error.
    """

    trial: Trial
    temperature: float
    said: NDArray[np.float64]
    losses: NDArray[np.float64]


@dataclass(frozen=True)
class Chosen:
    """A choice, and what it says.

    Args:
        choice: The share and draw of the labels.
        selection: What was chosen, and why.
        trials: Candidate → its trial, of every candidate; those chosen first.
        temperatures: Candidate → its temperature.
        held_back: What it says of training cases, out of fold; None where none is held back.
    """

    choice: Trial
    selection: Selection
    trials: Mapping[str, Trial]
    temperatures: Mapping[str, float]
    held_back: OutOfFold | None = None

    def say(self, runner: TrialRunner) -> NDArray[np.float64]:
        """What is said of the test part, (N, C): the mean of the calibrated members."""
        tempered = runner.setup.data.task.output.tempered
        said = [
            tempered(runner.said(self.trials[name]).probabilities, self.temperatures[name])
            for name in self.selection.members
        ]
        return np.asarray(np.mean(said, axis=0))

    def weights(self, runner: TrialRunner) -> dict[str, Arrays]:
        """What every candidate has learnt from all labels, to be saved."""
        return {name: runner.weights(trial) for name, trial in self.trials.items()}


def choose(runner: TrialRunner, choice: Trial) -> Chosen:
    """The model for a share and draw of the labels; no test case is looked at.

    Each candidate is trained on all inner folds but one, and says what it makes of that one; a
    temperature calibrates it there. Candidates are ranked by their log loss, or where numbers are
    predicted by their absolute error. The ensemble averages
    those that are not clearly behind the best. It is chosen unless one alone is better by more than
    a standard error; of several such, the simplest that is not worse by more than that.

    Args:
        runner: Of the split.
        choice: One of `rdfc_core.evaluation.trials.selections`.
    """
    settings = runner.setup.data.settings
    names = runner.setup.candidates()
    asked = {name: candidate_trials(name, settings, choice) for name in names}
    count = settings.selection.folds
    folds = runner.folds(choice, count)
    if not folds:
        return _default(runner, choice, asked)
    data = runner.setup.data
    standings = {name: _best(runner, trials, count) for name, trials in asked.items()}
    rows = np.concatenate([_rows(runner, choice)[held] for _, held in folds])
    patients = np.unique([data.cases[row].patient_id for row in rows], return_inverse=True)[1]
    losses = {name: one.losses for name, one in standings.items()}
    best = min(losses, key=lambda name: losses[name].mean())
    members = [n for n in losses if not _behind(losses[n], losses[best], patients, CLEARLY)]
    if settings.selection.ensemble and len(members) > 1:
        mean = np.mean([standings[name].said for name in members], axis=0)
        losses[ENSEMBLE] = data.task.losses(mean, data.truth[rows])
    chosen, reason = decide(losses, patients, data.task.loss)
    selection = Selection(
        split=data.split.name,
        label_fraction=choice.label_fraction,
        repeat=choice.seed,
        chosen=chosen,
        members=tuple(members) if chosen == ENSEMBLE else (chosen,),
        ranking=tuple(_ranking(losses, standings, patients, data.task)),
        folds=len(folds),
        labelled_cases=len(_rows(runner, choice)),
        reason=reason,
    )
    return Chosen(
        choice,
        selection,
        {name: one.trial for name, one in standings.items()},
        {name: one.temperature for name, one in standings.items()},
        OutOfFold(rows, np.mean([standings[name].said for name in selection.members], axis=0)),
    )


def decide(
    losses: Mapping[str, NDArray[np.float64]], patients: NDArray[np.int64], loss: str = "log loss"
) -> tuple[str, str]:
    """The candidate that is taken, and why.

    Args:
        losses: Candidate → (M,) losses of the same held-back cases; `ENSEMBLE` may be one.
        patients: (M,) numbers of their patients.
        loss: What it is called.
    """
    best = min(losses, key=lambda name: losses[name].mean())
    near = [name for name in losses if not _behind(losses[name], losses[best], patients, 1.0)]
    order = (ENSEMBLE, *SIMPLEST)
    chosen = min(near, key=order.index)
    others = [name for name in near if name != chosen]
    if chosen == best and not others:
        return chosen, f"it has the lowest {loss}, by more than a standard error"
    if chosen == best:
        return chosen, f"it has the lowest {loss}"
    return chosen, (
        f"its {loss} is within a standard error of the lowest, that of {best}, and "
        + ("an average is the safer choice" if chosen == ENSEMBLE else "it is simpler")
    )


def standard_error(differences: NDArray[np.float64], patients: NDArray[np.int64]) -> float:
    """Of the mean of (M,) differences, whose cases of one patient belong together."""
    count = int(patients.max()) + 1
    if count < 2:
        return float("inf")
    sums = np.bincount(patients, differences - differences.mean(), minlength=count)
    return float(np.sqrt((sums**2).sum() * count / (count - 1)) / len(differences))


def judge(
    runner: TrialRunner,
) -> Iterator[tuple[Chosen, list[tuple[Variant, Prediction]]]]:
    """Every choice that the settings ask for, and what it says of the test part.

    The first is that of all labels: the model that is saved.
    """
    setup = runner.setup
    data = setup.data
    for choice in selections(data.settings):
        chosen = choose(runner, choice)
        said = chosen.say(runner)
        prediction = data.prediction(said, choice.seed, _rows(runner, choice))
        found = tables(choice, data.settings)
        yield chosen, [(setup.variant(choice, table), prediction) for table in found]


def _rows(runner: TrialRunner, choice: Trial) -> NDArray[np.int64]:
    data = runner.setup.data
    return data.labelled(choice.label_fraction, data.seed + choice.seed)


def _best(runner: TrialRunner, trials: Sequence[Trial], count: int) -> Standing:
    """A candidate by the penalty that its inner folds prefer."""
    found, task = [], runner.setup.data.task
    for trial in trials:
        rows, raw = runner.out_of_fold(trial, count)
        truth = runner.setup.data.truth[rows]
        temperature = task.temperature(raw, truth)
        said = task.output.tempered(raw, temperature)
        found.append(Standing(trial, temperature, said, task.losses(said, truth)))
    return min(found, key=lambda one: one.losses.mean())


def _behind(
    losses: NDArray[np.float64],
    best: NDArray[np.float64],
    patients: NDArray[np.int64],
    errors: float,
) -> bool:
    """Whether the mean loss is larger by more than so many standard errors."""
    differences = losses - best
    return bool(differences.mean() > errors * standard_error(differences, patients))


def _ranking(
    losses: Mapping[str, NDArray[np.float64]],
    standings: Mapping[str, Standing],
    patients: NDArray[np.int64],
    task: EvaluationTask,
) -> Iterator[Ranked]:
    best = min(losses.values(), key=lambda one: float(one.mean()))
    for name, own in sorted(losses.items(), key=lambda item: float(item[1].mean())):
        standing = standings.get(name)
        error = standard_error(own - best, patients)
        yield Ranked(
            candidate=name,
            tuning=standing.trial.tuning if standing else "",
            log_loss=float(own.mean()) if task.name == CLASSIFICATION else None,
            absolute_error=None if task.name == CLASSIFICATION else float(own.mean()),
            behind=float((own - best).mean()),
            standard_error=error if np.isfinite(error) else 0.0,
            temperature=standing.temperature if standing else 1.0,
        )


def _default(runner: TrialRunner, choice: Trial, asked: Mapping[str, list[Trial]]) -> Chosen:
    """Where nothing can be held back to choose or calibrate by, as of a class of one patient."""
    taken = next(name for name in DEFAULT if name in asked)
    selection = Selection(
        split=runner.setup.data.split.name,
        label_fraction=choice.label_fraction,
        repeat=choice.seed,
        chosen=taken,
        members=(taken,),
        folds=0,
        labelled_cases=len(_rows(runner, choice)),
        reason=f"{runner.setup.data.task.nothing_held_back}, so that nothing could be held back to "
        "rank the candidates by: it is the default choice, and not calibrated",
    )
    first = {name: trials[0] for name, trials in asked.items()}
    return Chosen(choice, selection, first, dict.fromkeys(asked, 1.0))
