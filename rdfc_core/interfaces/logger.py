"""Logger: an experiment tracker that is told of a run as it goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rdfc_core.results.schema import Results

Ending = Literal["finished", "stopped", "failed"]
"""How a run ended."""


@dataclass(frozen=True)
class LoggedRun:
    """A run that begins, or goes on.

    Args:
        name: Of the run folder, such as ``mine`` of ``runs/mine``.
        folder: The run folder, to be read from (docs/reference/run-folder.md).
        own: A folder in it for this logger alone, for whatever it writes there, such as the
            tracker's number of this run. Not made yet when the run is new; kept when it is resumed,
            and removed by ``--overwrite``.
        study: The resolved study as plain data, every default filled in, as in ``study.yaml``.
        step: The last step that is asked for: ``extract``, ``pretrain`` or ``evaluate``.
        resumed: Whether the run was begun before, by another process or call.
    """

    name: str
    folder: Path
    own: Path
    study: Mapping[str, Any]
    step: str
    resumed: bool


class Logger(ABC):
    """Sends what a run measures to an experiment tracker. Built as ``Class(config)``.

    Loggers are chosen where a run is started (``--logger NAME:key=value``, or ``loggers=[…]`` from
    Python), not in the study: they change no number, and a run may be resumed with others. One
    that fails is told of once, by its name, and ends no training; whatever it raises is caught.
    It has to write to standard error or files alone: standard output is the command's.

    What is told of a run lies in its folder as well: ``metrics.jsonl`` is not the loggers'.
    """

    @abstractmethod
    def begin(self, run: LoggedRun) -> None:
        """A run begins or is resumed; the same logger may be told of one run after another.

        Args:
            run: What it is. Epochs that the last process trained after its last checkpoint are
                trained, and told, again.

        Called:
            Once a run, in its first process, when the study fits and before anything is measured.
            Not for a run that is finished already.
        """

    # Optional, so neither abstract nor anything by default.
    def begin_training(self, training: str, done: int) -> None:  # noqa: B027
        """A pretraining begins or goes on; the one before it is over.

        Args:
            training: Its name: that of the split, such as ``holdout`` or ``fold-0``, followed by
                ``.NAME`` for a network that is compared.
            done: Epochs that its checkpoint has behind it, 0 for a new one. What was told of later
                ones does not count: they are trained again.

        Called:
            Before the first epoch that is trained now.
        """

    @abstractmethod
    def log(self, training: str, metrics: Mapping[str, float], epoch: int, step: int) -> None:
        """An epoch of a pretraining is over.

        Args:
            training: As for `begin_training`.
            metrics: Name → value, as in ``metrics.jsonl``: ``loss``, ``learning_rate``,
                ``radiomics.effective_rank`` and so on. May be NaN. The logger's own to change.
            epoch: Counted from 1 in each training.
            step: Steps of the optimiser so far, in this training.

        Called:
            After every epoch, in the first process. A run may be killed at any time: write at
            once.
        """

    def results(self, results: Results) -> None:  # noqa: B027
        """The results, as ``results.json`` holds them.

        Called:
            When they are written, at the end of a run that went as far as it was asked to.
        """

    @abstractmethod
    def end(self, outcome: Ending, reason: str) -> None:
        """The run is over: write what is left, and close.

        Args:
            outcome: ``finished``; ``stopped`` by the user, a scheduler or a plugin: the same
                command goes on from there; or ``failed``.
            reason: One sentence for ``stopped`` and ``failed``; empty for ``finished``.

        Called:
            Once for each `begin` that succeeded, also where another method has failed since. The
            run folder then holds ``results.json``, and ``report.html`` if it was evaluated. Not
            where the process is killed.
        """
