"""The loggers of a run: told what it does, and named where they fail. No torch."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.errors import StoppedError
from rdfc_core.interfaces.logger import Ending, LoggedRun, Logger
from rdfc_core.plugin.importing import side_effects
from rdfc_core.results import files
from rdfc_core.utils.signals import Terminated

if TYPE_CHECKING:
    from rdfc_core.results.schema import Results

log = logging.getLogger("rdfc")

PATIENCE = 3
"""Calls in a row that fail before a logger is left alone: a tracker that is away may take minutes
to say so, after every epoch."""


@dataclass
class _Told:
    """A logger, and how it has done.

    Args:
        name: Of the component; its folder is called after it.
        label: For messages, with its distribution.
        logger: Built.
        begun: Whether it was told of a run that has not ended.
        failed: Calls in a row that failed.
        complaints: What was warned of already.
    """

    name: str
    label: str
    logger: Logger
    begun: bool = False
    failed: int = 0
    complaints: set[str] = field(default_factory=set)


class RunLoggers:
    """What a run tells all its loggers.

    Args:
        loggers: Name of the component, what it is called in messages, and the logger.
    """

    def __init__(self, loggers: Sequence[tuple[str, str, Logger]] = ()) -> None:
        self._told = [_Told(*one) for one in loggers]

    def begin(self, run: LoggedRun) -> None:
        """Tell them of a run; each gets a folder of its own in the run folder.

        Args:
            run: What it is; ``own`` is filled in.
        """
        for one in self._told:
            own = replace(run, own=folder_of(run.folder, one.name))
            one.begun = self._call(one, "begin", own)

    def begin_training(self, training: str, done: int) -> None:
        """Tell them that a pretraining begins after so many epochs."""
        self._tell("begin_training", training, done)

    def log(self, training: str, metrics: Mapping[str, float], step: int) -> None:
        """Tell them the metrics of an epoch, whose number is among them."""
        epoch = int(metrics["epoch"])
        for one in self._told:
            values = {name: float(value) for name, value in metrics.items() if name != "epoch"}
            self._tell_one(one, "log", training, values, epoch, step)

    def results(self, results: Results) -> None:
        """Tell them the results."""
        self._tell("results", results)

    @contextmanager
    def ending(self, finished: bool = True) -> Iterator[None]:
        """After the block, those that were told of a run are told how it ended.

        Args:
            finished: Whether the run is over when the block is; if not, only what ends it early
                is told: the folder of a run that comes to nothing is removed soon.
        """
        outcome: Ending = "failed"
        reason = ""
        try:
            yield
            outcome = "finished"
        except (KeyboardInterrupt, Terminated, StoppedError) as error:
            told = str(error) if isinstance(error, StoppedError) else "The process was asked to end"
            outcome, reason = "stopped", told
            raise
        except BaseException as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise
        finally:
            for one in self._told:
                if one.begun and (finished or outcome != "finished"):
                    one.begun = False
                    self._call(one, "end", outcome, reason)

    def _tell(self, method: str, *facts: Any) -> None:
        for one in self._told:
            self._tell_one(one, method, *facts)

    def _tell_one(self, one: _Told, method: str, *facts: Any) -> None:
        if one.begun and one.failed < PATIENCE:
            self._call(one, method, *facts)

    def _call(self, one: _Told, method: str, *facts: Any) -> bool:
        """Whether it went well."""
        try:
            with side_effects() as effects:
                getattr(one.logger, method)(*facts)
        except (Exception, SystemExit) as error:  # hours of training are worth more than a logger
            log.debug("The %s failed", one.label, exc_info=error)
            one.failed += 1
            _complain(one, method, error)
            return False
        finally:
            for effect in effects:
                sentence = f"The {one.label}: {method}() {effect}."
                if sentence not in one.complaints:
                    one.complaints.add(sentence)
                    log.warning("%s", sentence)
        one.failed = 0
        return True


def folder_of(run: Path, name: str) -> Path:
    """Where the logger of this name keeps files in a run folder."""
    return run / name if name == files.TENSORBOARD else run / files.LOGGERS / name


def _complain(one: _Told, method: str, error: BaseException) -> None:
    """Once for all that fails in a run; and once that no more is told."""
    what = f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}"
    if method == "begin":
        after = "It is told nothing of this run"
    elif one.failed == PATIENCE:
        after = f"It failed {PATIENCE} times in a row and is told no more of this run"
    else:
        after = "The run is not affected"
    if after not in one.complaints:
        one.complaints.add(after)
        log.warning(
            "The %s failed in %s(): %s. %s. Its author finds it with "
            "rdfc_core.testing.check_logger; leave it out of --logger otherwise.",
            *(one.label, method, what.rstrip("."), after),
        )
