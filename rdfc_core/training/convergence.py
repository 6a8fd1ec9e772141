"""When a pretraining has learnt its task: its budget, and the measurements that end it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rdfc_core.config.training_parts import WARMUP_STABLE_DECAY
from rdfc_core.config.training_settings import PretrainSettings

PROGRESS = 0.005
"""Share of the first measurement by which one has to be below the best before it to count as
progress. Of the best itself, a loss on its way to 0 would make progress for ever."""

LATE_PROGRESS = 0.05
"""Share by which the last fifth of a budget may still lower the measurement of a learnt task."""


@dataclass
class Convergence:
    """The budget of a pretraining in epochs, and what was measured of it so far.

    Under ``warmup-stable-decay`` the learning rate stays at its peak until ``patience``
    measurements in a row bring no progress, or until only the decay is left of the budget. What
    was trained until then does not depend on the budget, so that a larger one goes on from there.

    Args:
        settings: Of the pretraining.
        epoch_steps: Steps of an epoch.
        history: Epoch and measurement of each check, in order.
        decay_from: Epochs after which the learning rate began to fall; None before that.
    """

    settings: PretrainSettings
    epoch_steps: int
    history: list[tuple[int, float]] = field(default_factory=list)
    decay_from: int | None = None

    @property
    def budget(self) -> int:
        """Epochs at most."""
        settings = self.settings
        if settings.steps is None:
            return settings.epochs
        return min(settings.epochs, math.ceil(settings.steps / self.epoch_steps))

    @property
    def epochs(self) -> int:
        """Epochs of the whole training, as far as it is known."""
        if self.decay_from is None:
            return self.budget
        return self.decay_from + self._decay_epochs

    @property
    def decay(self) -> range | None:
        """The steps over which the learning rate falls; None before that is decided."""
        if self.decay_from is None:
            return None
        return range(self.decay_from * self.epoch_steps, self.epochs * self.epoch_steps)

    @property
    def stable(self) -> bool:
        """Whether the next epoch would be trained the same under a larger budget."""
        return self.settings.schedule.name == WARMUP_STABLE_DECAY and self.decay_from is None

    @property
    def patience_left(self) -> int | None:
        """Measurements that may still pass without progress; None if they are not counted."""
        if self.settings.patience is None:
            return None
        return self.settings.patience - self._without_progress()

    @property
    def converged(self) -> bool:
        """Whether the task is learnt as far as these settings bring it.

        With patience: it ran out before the budget did. Otherwise: the last fifth of the budget
        lowered the measurement by less than `LATE_PROGRESS`.
        """
        if self.settings.patience is not None:
            return self._learnt
        if self.settings.schedule.name == WARMUP_STABLE_DECAY and self.decay_from is not None:
            stable = [one for one in self.history if one[0] <= self.decay_from]
        else:
            stable = self.history
        if not stable:
            return False
        early = [value for epoch, value in stable if epoch <= 0.8 * stable[-1][0]]
        late = [value for epoch, value in stable if epoch > 0.8 * stable[-1][0]]
        if not early:
            return False
        best = min(early)
        return min(late) > best - LATE_PROGRESS * abs(best)

    def due(self, epoch: int) -> bool:
        """Whether the end of an epoch, counted from 1, is a time to measure."""
        every, steps = self.settings.check_steps, self.epoch_steps
        return epoch * steps // every > (epoch - 1) * steps // every or epoch == self.epochs

    def keeps(self, epoch: int) -> bool:
        """Whether a checkpoint is to be written after an epoch, counted from 1."""
        short = math.ceil(self.settings.checkpoint_steps / self.epoch_steps)
        return epoch % max(self.settings.checkpoint_every, short) == 0 or epoch == self.epochs

    def look(self, epoch: int, measured: float) -> None:
        """Take in what was measured after an epoch, counted from 1."""
        self.history.append((epoch, measured))

    def turn(self, epoch: int) -> bool:
        """Whether the learning rate begins to fall after this epoch; from then on it does."""
        if not self.stable:
            return False
        # The first epoch is stable, however small the budget.
        decay = max(1, round(self.settings.decay_share * self.budget))
        if self._learnt or epoch >= max(1, self.budget - decay):
            self.decay_from = epoch
            return True
        return False

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {
            "history": [[epoch, value] for epoch, value in self.history],
            "decay_from": self.decay_from,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        self.history = [(int(epoch), float(value)) for epoch, value in state["history"]]
        self.decay_from = state["decay_from"]

    def outgrows(self, state: Mapping[str, Any]) -> bool:
        """Whether the budget is larger than that of a training that a checkpoint has ended.

        Its learning rate has begun to fall then, where under this budget it would not have.
        """
        if state["decay_from"] is None:
            return False
        earlier = Convergence(self.settings, self.epoch_steps)
        earlier.history = [
            (int(epoch), float(value))
            for epoch, value in state["history"]
            if epoch <= state["decay_from"]
        ]
        return not earlier.turn(state["decay_from"])

    def goes_on(self, state: Mapping[str, Any]) -> bool:
        """Whether a training that a checkpoint has ended would be longer under this budget.

        Args:
            state: With ``epoch`` and ``convergence``, as a checkpoint keeps them.
        """
        whole = Convergence(self.settings, self.epoch_steps)
        whole.load(state["convergence"])
        return bool(whole.epochs > state["epoch"])

    @property
    def _decay_epochs(self) -> int:
        """What is left of the budget; of a task that was learnt before, ``decay_share`` of all."""
        stable, share = self.decay_from or 0, self.settings.decay_share
        left = self.budget - stable
        return min(left, max(1, round(stable * share / (1 - share)))) if self._learnt else left

    @property
    def _learnt(self) -> bool:
        return self.patience_left is not None and self.patience_left <= 0

    def _without_progress(self) -> int:
        """Measurements since the last one that was well below all before it."""
        best, since = math.inf, 0
        least = PROGRESS * abs(self.history[0][1]) if self.history else 0.0
        for epoch, value in self.history:
            if self.decay_from is not None and epoch > self.decay_from:
                break
            if best == math.inf or value < best - least:
                best, since = value, 0
            else:
                since += 1
        return since
