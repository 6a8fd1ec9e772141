"""Runs jobs in processes of this machine; a worker that is killed costs only the job it held."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rdfc_core.errors import DataError
from rdfc_core.interfaces.executor import Executor, Outcome


def usable_cores() -> int:
    """The cores that this process may use, where the system says so; otherwise all."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutorConfig(BaseModel):
    """Options of the local executor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int | None = Field(
        None, ge=0, description="Processes; null: one a core; 0: in this process."
    )


HOPELESS = 3
"""So many jobs that kill their workers, and none that does not, are no accident."""


class LocalExecutor(Executor):
    """One process a core, started afresh (not forked: threads and libraries may be loaded)."""

    def __init__(self, config: LocalExecutorConfig) -> None:
        self.config = config

    def run(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Outcome]:
        """One outcome a job, in the order in which they finish.

        When a worker dies, the jobs that were in hand are each tried once more, alone in a process
        of their own, so that the one which kills its worker is known by name.

        Raises:
            DataError: If the first jobs all kill their workers and none was ever done: it is not
                the jobs that are at fault then.
        """
        wanted = usable_cores() if self.config.workers is None else self.config.workers
        workers = min(wanted, len(jobs))
        if wanted == 0:
            yield from (_here(function, jobs, job) for job in range(len(jobs)))
            return
        waiting = deque(range(len(jobs)))
        killed = done = 0
        while waiting:
            suspects, finished = yield from _drain(function, jobs, waiting, workers)
            done += finished
            for job in suspects:
                again, finished = yield from _drain(function, jobs, deque([job]), 1)
                done += finished
                if again:
                    killed += 1
                    if killed == HOPELESS and not done:
                        raise DataError(
                            f"The workers of the first {HOPELESS} cases were all killed, each "
                            "twice, before any case was done. See what happens without workers: "
                            "--executor local:workers=0."
                        )
                    yield Outcome(
                        job,
                        error=RuntimeError(
                            "its worker process was killed twice, perhaps for want of memory. "
                            "Try again with fewer workers (--executor local:workers=1)."
                        ),
                    )


def _drain(
    function: Callable[[Any], Any], jobs: Sequence[Any], waiting: deque[int], workers: int
) -> Generator[Outcome, None, tuple[list[int], int]]:
    """Work through the queue in one pool.

    Returns:
        The jobs that were in hand if a worker died, and how many jobs finished.
    """
    finished = 0
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    in_hand: dict[Future[Any], int] = {}
    try:
        while waiting or in_hand:
            while waiting and len(in_hand) < workers:  # no more: each in hand is a suspect
                in_hand[pool.submit(function, jobs[waiting[0]])] = waiting[0]
                waiting.popleft()
            done, _ = wait(in_hand, return_when=FIRST_COMPLETED)
            broken = [f for f in done if isinstance(f.exception(), BrokenProcessPool)]
            for future in done.difference(broken):
                finished += 1
                yield _outcome(in_hand.pop(future), future)
            if broken:
                return list(in_hand.values()), finished
    except BrokenProcessPool:  # raised by submit, once the pool knows
        return list(in_hand.values()), finished
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [], finished


def _outcome(job: int, future: Future[Any]) -> Outcome:
    error = future.exception()
    if error is None:
        return Outcome(job, value=future.result())
    if not isinstance(error, Exception):
        raise error
    return Outcome(job, error=error)


def _here(function: Callable[[Any], Any], jobs: Sequence[Any], job: int) -> Outcome:
    try:
        return Outcome(job, value=function(jobs[job]))
    except Exception as error:
        return Outcome(job, error=error)


def _start_worker() -> None:
    # One thread a process: more would only fight for the cores the other workers use.
    for variable in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    ):
        os.environ[variable] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
