"""Runs trials, on all their labels and on inner folds of them; what was run before is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rdfc_core.evaluation import finetuning
from rdfc_core.evaluation.calibration import Fold
from rdfc_core.evaluation.learners import learner
from rdfc_core.evaluation.supervised_setup import SupervisedSetup
from rdfc_core.evaluation.trial_store import Arrays, TrialOutput, TrialStore
from rdfc_core.evaluation.trials import Trial, judged
from rdfc_core.results.vocabulary import BLOCK_METHODS, PROBE, RADIOMICS
from rdfc_core.utils.progress import Advance, Progress

LINEAR = (RADIOMICS, PROBE, *BLOCK_METHODS)
"""Methods that are told of in one step; the others take many."""


@dataclass(frozen=True)
class TrialRunner:
    """Runs the trials of a split.

    Args:
        setup: The split's cases and where the methods begin.
        store: Keeps what each trial said: nothing is trained twice.
        progress: Told of every training.
    """

    setup: SupervisedSetup
    store: TrialStore
    progress: Progress

    def said(self, trial: Trial) -> TrialOutput:
        """What the trial says of the test part, after training on its share of the labels."""
        data, store = self.setup.data, self.store
        split, train = self.setup.folder_name, len(data.split.train)
        case_ids = [case.case_id for case in data.cases[train:]]
        said = store.read(split, trial, case_ids)
        if said is None or (self._kept(trial) and self._weights(trial, said) is None):
            temperature = None
            control = trial.method in self.setup.own.study.named("control")
            if data.settings.temperature_scaling and judged(trial, data.settings) and not control:
                temperature = self._temperature(trial)
            rows = data.labelled(trial.label_fraction, data.seed + trial.seed)
            title = f"Training {trial.name} ({split})"
            with self.progress.task(title, self._parts(trial)) as advance:
                taught = learner(self.setup, trial, data.seed + trial.seed, advance)(rows)
                said = TrialOutput(taught(np.arange(train, len(data.cases))), temperature)
            if self._kept(trial):
                checksum = store.write_weights(split, trial, taught.member().arrays())
                said = replace(said, weights=checksum)
            store.write(split, trial, case_ids, said)
        return said

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
        data, seed = self.setup.data, self.setup.data.seed + trial.seed
        rows = data.labelled(trial.label_fraction, seed)
        patients = [data.cases[row].patient_id for row in rows]
        return data.task.folds(data.truth[rows], patients, count, seed)

    def out_of_fold(
        self, trial: Trial, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """What is said of each labelled case by what was trained without its fold.

        Returns:
            Rows of the labelled cases, (M,), and what is said of them, (M, C).
        """
        data, seed = self.setup.data, self.setup.data.seed + trial.seed
        rows = data.labelled(trial.label_fraction, seed)
        folds = self.folds(trial, count)
        held = [rows[places] for _, places in folds]
        ids = [[data.cases[row].case_id for row in own] for own in held]
        parts = [f"inner-{k}-of-{count}" for k in range(1, len(folds) + 1)]
        split = self.setup.folder_name
        found = [
            self.store.read(split, trial, own, part) for own, part in zip(ids, parts, strict=True)
        ]
        missing = [k for k, said in enumerate(found) if said is None]

        def run(advance: Advance) -> None:
            learn = learner(self.setup, trial, seed, advance)
            for k in missing:
                said = TrialOutput(learn(rows[folds[k][0]])(held[k]))
                self.store.write(split, trial, ids[k], said, parts[k])
                found[k] = said

        if missing and self._parts(trial) == 1:
            run(_silent)  # a moment each, and many
        elif missing:
            title = f"Training {trial.name}, inner folds ({split})"
            with self.progress.task(title, self._parts(trial) * len(missing)) as advance:
                run(advance)
        return np.concatenate(held), np.concatenate([one.probabilities for one in found if one])

    def _temperature(self, trial: Trial) -> float | None:
        count = self.setup.data.settings.inner_folds
        if not self.folds(trial, count):
            return None
        rows, said = self.out_of_fold(trial, count)
        return self.setup.data.task.temperature(said, self.setup.data.truth[rows])

    def _kept(self, trial: Trial) -> bool:
        """Whether the user may be given what this trial learns."""
        first = trial.label_fraction == 1 and trial.seed == 0
        any_variant = trial.method in BLOCK_METHODS or judged(trial, self.setup.data.settings)
        return first and any_variant and trial.method in self.setup.candidates()

    def _weights(self, trial: Trial, said: TrialOutput) -> Arrays | None:
        return self.store.read_weights(self.setup.folder_name, trial, said.weights)

    def _parts(self, trial: Trial) -> int:
        return (
            1 if trial.method in (*LINEAR, *self.setup.own.study.evaluators) else finetuning.PARTS
        )


def _silent(steps: int = 1, note: str = "", total: int | None = None) -> None:
    return
