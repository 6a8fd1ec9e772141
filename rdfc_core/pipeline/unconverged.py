"""What a run says of pretrainings that ended before their task was learnt."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rdfc_core.data.splits import Split
from rdfc_core.results.schema import finite
from rdfc_core.training.convergence import Convergence

log = logging.getLogger("rdfc")


def unconverged(pretext: str, splits: Mapping[str, Convergence]) -> str | None:
    """The sentence on pretrainings that ended before their task was learnt; None if all learnt it.

    Args:
        pretext: Name of a compared one, or "" for the study's own.
        splits: Split → how far the pretraining on it came.
    """
    early = {name: told for name, told in splits.items() if told.history and not told.converged}
    if not early:
        return None
    split, told = next(iter(early.items()))
    steps = max(one.epochs * one.epoch_steps for one in early.values())
    larger = [f"--set {one}" for one in longer(list(early.values()))]
    first, last = told.history[0][1], told.history[-1][1]
    name, loss = f"{split}.{pretext}" if pretext else split, "the loss"
    if len(splits) > 1:
        where = f"in {len(early)} of {len(splits)} splits"
        name, loss = f"{pretext}, {where}" if pretext else where, f"on {split} the loss"
    return (
        f"Pretraining ({name}) ended unconverged after {steps} steps: {loss} that tells when the "
        f"task is learnt went from {first:.3g} to {last:.3g} and had not settled. What follows "
        "judges a network that has not learnt its task. To go on from there, with RUN for the "
        f"run's folder: rdfc run RUN/study.yaml --out RUN {' '.join(larger)}."
    )


def longer(early: Sequence[Convergence]) -> list[str]:
    """The settings that train twice as long: each budget that would end them before.

    Args:
        early: Pretrainings of one study that ended before their task was learnt.
    """
    steps = max(one.epochs * one.epoch_steps for one in early)
    epochs = max(one.epochs for one in early)
    settings = early[0].settings
    larger = []
    if settings.epochs < 2 * epochs:
        larger.append(f"pretrain.epochs={2 * epochs}")
    if settings.steps is not None and settings.steps < 2 * steps:
        larger.append(f"pretrain.steps={2 * steps}")
    return larger


class ConvergenceRecord:
    """How far each pretraining of a run came, and what was said of it.

    Args:
        trainings: On how many splits each network is pretrained.
    """

    def __init__(self, trainings: int = 0) -> None:
        self._trainings = trainings
        self._told: dict[str, dict[str, Convergence]] = {}

    @classmethod
    def of(cls, splits: Sequence[Split]) -> ConvergenceRecord:
        """Of a run on these splits; those that share their pretext cases share a pretraining."""
        return cls(sum(1 for _ in groupby(splits, key=lambda split: split.pretext)))

    def add(self, pretext: str, split: str, told: Convergence) -> None:
        """Keep how far a pretraining came, and say at once if that is too early to judge it."""
        self._told.setdefault(pretext, {})[split] = told
        if sentence := unconverged(pretext, {split: told}):
            # Of several the last word is that on all of them.
            log.log(logging.INFO if self._trainings > 1 else logging.WARNING, "%s", sentence)

    def warnings(self) -> list[str]:
        """What there is to say at the end, and was not said at once."""
        if self._trainings <= 1:
            return []
        found = (unconverged(name, told) for name, told in self._told.items())
        return [sentence for sentence in found if sentence]

    def facts(self) -> dict[str, dict[str, Any]]:
        """Split, or ``SPLIT.PRETEXT`` → how far it came, as ``results.json`` has it."""
        return {
            f"{split}.{name}" if name else split: _facts(told, of_split)
            for name, of_split in self._told.items()
            for split, told in of_split.items()
        }


def _facts(told: Convergence, of_split: Mapping[str, Convergence]) -> dict[str, Any]:
    """How long a pretraining was, and how its task was measured from check to check."""
    early = [one for one in of_split.values() if one.history and not one.converged]
    return {
        "epochs": told.epochs,
        "steps": told.epochs * told.epoch_steps,
        "converged": told.converged,
        "history": [{"epoch": epoch, "loss": finite(loss)} for epoch, loss in told.history],
        "longer": longer(early) if told in early else [],
    }
