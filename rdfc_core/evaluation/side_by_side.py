"""Many small networks at once: each in a process of its own with few threads, as many as fit."""

from __future__ import annotations

import logging
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rdfc_core.errors import RdfcError
from rdfc_core.evaluation.network_training import (
    Errand,
    TrainedElsewhere,
    packed,
    run_packed,
    unpacked,
)
from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
from rdfc_core.interfaces.executor import WorkerDiedError
from rdfc_core.training.placement import SHARE, machine_memory
from rdfc_core.training.threads import usable_threads
from rdfc_core.utils.progress import Progress

log = logging.getLogger("rdfc")

WORTH_S = 20.0
"""So long, at least, the trainings that wait would take one after the other: a process loads torch
for five seconds before it trains."""

UNKNOWN_MEMORY = 4 * 2**30
"""Bytes of a process that trains a network, where the system does not tell what this one took."""


@dataclass(frozen=True)
class Errands:
    """Trainings that wait, each made when it is its turn, so that few networks lie in memory.

    Args:
        steps: Of each.
        make: Gives one by its number, the same at every call.
    """

    steps: Sequence[int]
    make: Callable[[int], Errand]


@dataclass(frozen=True)
class ProcessLimits:
    """How many processes train networks side by side.

    Args:
        at_once: So many, however long the trainings take; None: one a thread of this process where
            it pays. On a GPU it is none: nothing was measured there.
        processes: At most so many where it pays, as the user said; None: any number.
    """

    at_once: int | None = None
    processes: int | None = None

    def most(self) -> int:
        """Processes at most; below two, there are none."""
        if self.at_once is not None:
            return self.at_once
        device = torch.cuda.is_available() or torch.backends.mps.is_available()
        threads = 1 if device else usable_threads()
        return threads if self.processes is None else min(threads, self.processes)


@dataclass(frozen=True)
class _Packed(Sequence[bytes]):
    """Errands as bytes, by their place among those that wait."""

    errands: Errands
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: Any) -> Any:
        return packed(self.errands.make(self.numbers[place]))


def run(
    errands: Errands,
    done: Callable[[int, TrainedElsewhere], None],
    progress: Progress,
    title: str,
    limits: ProcessLimits,
) -> None:
    """Do as many of the trainings as can be done side by side; the others are left to the caller.

    The first is done in this process: its time and memory say whether processes are worth their
    start, and how many fit. What is computed does not depend on it. One that fails is left, too:
    it fails again where the caller asks for it, when all others are done.

    Args:
        errands: The trainings.
        done: Called with each outcome, as it comes, and the number of its training.
        progress: Is told of each.
        title: What the progress is called.
        limits: Processes at most.
    """
    count, most = len(errands.steps), limits.most()
    if min(count, most) < 2:
        return
    with progress.task(title, count) as advance:
        started = time.perf_counter()
        try:
            done(0, errands.make(0).run())
        except RdfcError as error:
            log.debug("Told of when it is asked for: %s", error)
        seconds = time.perf_counter() - started
        advance(1)
        left = seconds / max(1, errands.steps[0]) * sum(errands.steps[1:])
        workers = min(most, count - 1, max(1, int(SHARE * machine_memory() / _memory_of_one())))
        if (workers < 2 or left < WORTH_S) and limits.at_once is None:
            advance(0, total=1)
            return
        for number, outcome in _outcomes(errands, range(1, count), workers):
            done(number, outcome)
            advance(1)


def _outcomes(
    errands: Errands, numbers: Sequence[int], workers: int
) -> Iterator[tuple[int, TrainedElsewhere]]:
    try:
        packed(errands.make(numbers[0]))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        log.warning(
            "Networks are trained one after the other, since a part of them cannot be sent to "
            "other processes: %s.",
            error,
        )
        return
    executor = LocalExecutor(LocalExecutorConfig(workers=workers, timeout_seconds=None))
    for outcome in executor.run(run_packed, _Packed(errands, numbers)):
        if outcome.error is None:
            yield numbers[outcome.job], unpacked(outcome.value)
        elif isinstance(outcome.error, WorkerDiedError):
            log.warning("A network is trained once more, in this process: %s", outcome.error)


def _memory_of_one() -> int:
    """Bytes that a process takes which trains a network: at most what this one took so far."""
    try:
        import resource  # not on Windows
    except ImportError:
        return UNKNOWN_MEMORY
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
