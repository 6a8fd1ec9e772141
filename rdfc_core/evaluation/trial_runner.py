"""Runs trials, on all their labels and on inner folds of them; what was run before is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation import finetuning, side_by_side
from rdfc_core.evaluation.calibration import Fold
from rdfc_core.evaluation.learners import learner, training
from rdfc_core.evaluation.network_training import Errand, TrainedElsewhere
from rdfc_core.evaluation.side_by_side import Errands, ProcessLimits
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.trial_parts import (
    TrialPart,
    calibrated,
    folds_of,
    inner_parts,
    planned_parts,
    rows_of,
    seed_of,
    trains_network,
)
from rdfc_core.evaluation.trial_store import Arrays, TrialOutput, TrialStore
from rdfc_core.evaluation.trials import Trial, judged
from rdfc_core.interfaces.collated import rows as of_rows
from rdfc_core.models.members import NetworkMember
from rdfc_core.results.vocabulary import BLOCK_METHODS
from rdfc_core.training.batches import label_steps
from rdfc_core.training.threads import one_after_the_other, threads_each
from rdfc_core.utils.progress import Advance, Progress


@dataclass(frozen=True)
class TrialRunner:
    """Runs the trials of a split.

    Args:
        setup: The split's cases and where the methods begin.
        store: Keeps what each trial said: nothing is trained twice.
        progress: Told of every training.
        at_once: Processes that train networks side by side; None: where it pays.
        processes: Of these at most, where it pays; None: one a core.
        ahead: What networks said that were trained side by side, until it is stored.
    """

    setup: SupervisedSetup
    store: TrialStore
    progress: Progress
    at_once: int | None = None
    processes: int | None = None
    ahead: dict[Trial, TrainedElsewhere] = field(default_factory=dict)

    @cached_property
    def threads(self) -> int:
        """Threads of the processor for each network: as many as there are to train share them.

        Those that an earlier run trained count, too: the results of a run that goes on would differ
        from those of one in one go otherwise, by rounding.
        """
        return threads_each(self._planned)

    @cached_property
    def _planned(self) -> int:
        return len(planned_parts(self.setup))

    def train_ahead(self, choices: Sequence[Trial] | None = None) -> None:
        """Train the networks that lack an output side by side, where that pays.

        What they say is stored as if it had been asked for; nothing else changes.

        Args:
            choices: Those of `rdfc_core.evaluation.trials.selections` that are asked for, and
                nothing but these; None: all that the settings plan.
        """
        if self.at_once is None and one_after_the_other(self._planned):
            return
        waiting = [part for part in planned_parts(self.setup, choices) if not self._stored(part)]

        def errand(number: int) -> Errand:
            part = waiting[number]
            own = training(self.setup, part.trial, seed_of(self.setup, part.trial), part.rows)
            asked = {n: of_rows(self.setup.cases[n], part.asked) for n in own.network.views}
            return Errand(own, asked, self.threads, not part.name and self._kept(part.trial))

        def done(number: int, outcome: TrainedElsewhere) -> None:
            part = waiting[number]
            if part.name:
                self._write_part(part, outcome.probabilities)
            else:
                self.ahead[part.trial] = outcome
            own = [one for one in waiting if one.trial == part.trial]
            if part.trial in self.ahead and all(map(self._stored, own[:-1])):
                self.said(part.trial)

        supervised = self.setup.data.settings.supervised
        steps = [label_steps(len(part.rows), supervised) for part in waiting]
        title = f"Training {len(waiting)} networks ({self.setup.folder_name})"
        limits = ProcessLimits(self.at_once, self.processes)
        side_by_side.run(Errands(steps, errand), done, self.progress, title, limits)

    def said(self, trial: Trial) -> TrialOutput:
        """What the trial says of the test part, after training on its share of the labels."""
        data, store = self.setup.data, self.store
        split, train = self.setup.folder_name, len(data.split.train)
        case_ids = [case.case_id for case in data.cases[train:]]
        said = store.read(split, trial, case_ids)
        if said is None or (self._kept(trial) and self._weights(trial, said) is None):
            temperature = None
            if calibrated(self.setup, trial):
                temperature = self._temperature(trial)
            probabilities, arrays = self._learnt(trial, np.arange(train, len(data.cases)))
            said = TrialOutput(probabilities, temperature)
            if arrays is not None:
                said = replace(said, weights=store.write_weights(split, trial, arrays))
            store.write(split, trial, case_ids, said)
        return said

    def _learnt(
        self, trial: Trial, asked: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], Arrays | None]:
        """What the trial says after training, (M, C), and what is to be kept of it."""
        kept = self._kept(trial)
        seed = seed_of(self.setup, trial)
        rows = rows_of(self.setup, trial)
        ahead = self.ahead.pop(trial, None)
        if ahead is None:
            title = f"Training {trial.name} ({self.setup.folder_name})"
            with self.progress.task(title, self._steps(trial)) as advance:
                taught = learner(self.setup, trial, seed, advance, self.threads)(rows)
                return taught(asked), taught.member().arrays() if kept else None
        if not kept or ahead.weights is None:
            return ahead.probabilities, None
        network = training(self.setup, trial, seed, rows).network
        network.load_state_dict(ahead.weights)
        member = NetworkMember(network, self.setup.initialisation.trained)
        return ahead.probabilities, member.arrays()

    def weights(self, trial: Trial) -> Arrays:
        """What a trial that may be chosen for the user has learnt from all labels."""
        found = self._weights(trial, self.said(trial))
        if found is None:
            raise RuntimeError(f"{trial.name} was written, and cannot be read again")
        return found

    def folds(self, trial: Trial, count: int) -> list[Fold]:
        """Inner folds of the trial's labelled cases, as places among them, alike for each method.

        None where nothing can be held back, as where a class has a single patient.
        """
        return folds_of(self.setup, trial, count)

    def out_of_fold(
        self, trial: Trial, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """What is said of each labelled case by what was trained without its fold.

        Returns:
            Rows of the labelled cases, (M,), and what is said of them, (M, C).
        """
        parts = inner_parts(self.setup, trial, count)
        found = [self._read_part(part) for part in parts]
        missing = [k for k, said in enumerate(found) if said is None]

        def run(advance: Advance) -> None:
            learn = learner(self.setup, trial, seed_of(self.setup, trial), advance, self.threads)
            for k in missing:
                found[k] = self._write_part(parts[k], learn(parts[k].rows)(parts[k].asked))

        if missing and not trains_network(self.setup, trial):
            run(_silent)  # a moment each, and many
        elif missing:
            title = f"Training {trial.name}, inner folds ({self.setup.folder_name})"
            with self.progress.task(title, self._steps(trial) * len(missing)) as advance:
                run(advance)
        held = np.concatenate([part.asked for part in parts])
        return held, np.concatenate([one.probabilities for one in found if one])

    def _temperature(self, trial: Trial) -> float | None:
        count = self.setup.data.settings.inner_folds
        if not folds_of(self.setup, trial, count):
            return None
        rows, said = self.out_of_fold(trial, count)
        return self.setup.data.task.temperature(said, self.setup.data.truth[rows])

    def _stored(self, part: TrialPart) -> bool:
        said = self._read_part(part)
        kept = not part.name and self._kept(part.trial)
        return said is not None and not (kept and self._weights(part.trial, said) is None)

    def _read_part(self, part: TrialPart) -> TrialOutput | None:
        return self.store.read(self.setup.folder_name, part.trial, self._ids(part), part.name)

    def _write_part(self, part: TrialPart, probabilities: NDArray[np.float64]) -> TrialOutput:
        said = TrialOutput(probabilities)
        self.store.write(self.setup.folder_name, part.trial, self._ids(part), said, part.name)
        return said

    def _ids(self, part: TrialPart) -> list[str]:
        return [self.setup.data.cases[row].case_id for row in part.asked]

    def _kept(self, trial: Trial) -> bool:
        """Whether the user may be given what this trial learns."""
        first = trial.label_fraction == 1 and trial.seed == 0
        any_variant = trial.method in BLOCK_METHODS or judged(trial, self.setup.data.settings)
        return first and any_variant and trial.method in self.setup.candidates()

    def _weights(self, trial: Trial, said: TrialOutput) -> Arrays | None:
        return self.store.read_weights(self.setup.folder_name, trial, said.weights)

    def _steps(self, trial: Trial) -> int:
        return finetuning.PARTS if trains_network(self.setup, trial) else 1


def _silent(steps: int = 1, note: str = "", total: int | None = None) -> None:
    return
