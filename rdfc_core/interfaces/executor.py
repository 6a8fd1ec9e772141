"""Executor: runs many independent jobs, and survives what happens to its workers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any


class WorkerDiedError(RuntimeError):
    """A job's worker was killed, or took too long; the message says what and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of one job.

    Args:
        job: Its place in the list of jobs.
        value: What the function returned, or None if it failed.
        error: What it raised, or a `WorkerDiedError` if its worker did not live to tell.
    """

    job: int
    value: Any = None
    error: Exception | None = None


class Executor(ABC):
    """Runs a function over jobs. Built as ``Class(config)``."""

    @abstractmethod
    def run(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Outcome]:
        """One outcome a job, in the order in which they finish; every job exactly once.

        A job that raises, or whose worker is killed, costs only itself. ``function`` and jobs are
        pickled: pass paths, not arrays.

        Called:
            By each extraction and check, in the main process, once with all cases that the store
            lacks.
        """
