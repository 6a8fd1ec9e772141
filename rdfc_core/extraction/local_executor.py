"""Runs jobs in processes of this machine; a worker that is killed costs only the job it held."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rdfc_core.errors import DataError, PluginError
from rdfc_core.extraction.worker import ActiveClock, in_time, start_worker
from rdfc_core.interfaces.executor import Executor, Outcome, WorkerDiedError


def usable_cores() -> int:
    """The cores that this process may use, where the system says so; otherwise all."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalExecutorConfig(BaseModel):
    """Options of the local executor."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int | None = Field(
        None,
        ge=0,
        description="Processes; null: one a core; 0: in this process, without limits. "
        "Networks that labels train have no more, either.",
    )
    timeout_seconds: float | None = Field(
        1800,
        gt=0,
        description="A case that takes longer is given up; null: never (as on Windows).",
    )
    memory_gib: float | None = Field(
        None,
        gt=0,
        description="Address space of a worker; a case that needs more fails alone. null: any.",
    )

    @model_validator(mode="after")
    def _limit_can_be_set(self) -> LocalExecutorConfig:
        if self.memory_gib is not None and not hasattr(signal, "setitimer"):
            raise ValueError("memory_gib: this system has no such limit; leave it out")
        return self


HOPELESS = 3
"""So many jobs that kill their workers, and none that does not, are no accident."""


class LocalExecutor(Executor):
    """One process a core, started afresh (not forked: threads and libraries may be loaded)."""

    def __init__(self, config: LocalExecutorConfig) -> None:
        self.config = config

    def run(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Outcome]:
        """One outcome a job, in the order in which they finish.

        When a worker dies, the jobs that were in hand are each tried once more, alone in a process
        of their own, so that the one which kills its worker is known by name. One whose time was
        up is not tried again.

        Raises:
            DataError: If the first jobs all kill their workers and none was ever done: it is not
                the jobs that are at fault then.
        """
        wanted = usable_cores() if self.config.workers is None else self.config.workers
        workers = min(wanted, len(jobs))
        if wanted == 0:
            yield from (_here(function, jobs, job) for job in range(len(jobs)))
            return
        _refuse_what_cannot_be_sent(function)
        with ActiveClock(self.config.timeout_seconds) as clock:
            yield from self._worked(_Crew(function, jobs, self.config, clock), workers)

    def _worked(self, crew: _Crew, workers: int) -> Iterator[Outcome]:
        waiting = deque(range(len(crew.jobs)))
        killed = 0
        while waiting:
            for job in (yield from crew.drain(waiting, workers)):
                if not (yield from crew.drain(deque([job]), 1)):
                    continue
                killed += 1
                if killed == HOPELESS and not crew.finished:
                    raise DataError(
                        f"The workers of the first {HOPELESS} cases were all killed, each "
                        "twice, before any case was done. See what happens without workers: "
                        "--executor local:workers=0."
                    )
                yield Outcome(
                    job,
                    error=WorkerDiedError(
                        "its worker process was killed twice, perhaps for want of memory. "
                        "Try again with fewer workers (--executor local:workers=1)."
                    ),
                )


def worker_limit(executor: Executor) -> int | None:
    """Processes of this machine that the user allows; None: nothing was said of them."""
    return executor.config.workers if isinstance(executor, LocalExecutor) else None


def _refuse_what_cannot_be_sent(function: Callable[[Any], Any]) -> None:
    try:
        pickle.dumps(function)
    except Exception as error:  # whatever it holds decides what pickle raises
        raise PluginError(
            f"A view or extractor cannot be sent to worker processes: {error}. Its author has to "
            "keep lambdas, open files and locks out of it; until then: --executor local:workers=0."
        ) from error


@dataclass
class _Crew:
    """Works through queues of jobs, one pool of processes after the other."""

    function: Callable[[Any], Any]
    jobs: Sequence[Any]
    config: LocalExecutorConfig
    clock: ActiveClock
    finished: int = 0

    def drain(self, waiting: deque[int], workers: int) -> Generator[Outcome, None, list[int]]:
        """Work through the queue in one pool, until it is empty or a worker dies.

        Returns:
            The jobs that were in hand when a worker died, and may have been the reason.
        """
        pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=start_worker,
            initargs=(self.config.memory_gib,),
        )
        work = functools.partial(in_time, self.config.timeout_seconds, self.function)
        in_hand: dict[Future[Any], tuple[int, float]] = {}
        interrupted = True
        try:
            while waiting or in_hand:
                while waiting and len(in_hand) < workers:  # no more: each in hand is a suspect
                    future = pool.submit(work, self.jobs[waiting[0]])
                    in_hand[future] = waiting.popleft(), self.clock.seconds()
                done, _ = wait(in_hand, return_when=FIRST_COMPLETED)
                broken = [f for f in done if isinstance(f.exception(), BrokenProcessPool)]
                for future in done.difference(broken):
                    self.finished += 1
                    yield _outcome(in_hand.pop(future)[0], future)
                if broken:
                    break
            interrupted = False
        except BrokenProcessPool:  # raised by submit, once the pool knows
            interrupted = False
        finally:
            processes = list((getattr(pool, "_processes", None) or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            if interrupted:  # Python would wait for what they have in hand, perhaps half an hour
                for process in processes:
                    process.kill()
        return (yield from self._suspects(in_hand.values()))

    def _suspects(
        self, in_hand: Iterable[tuple[int, float]]
    ) -> Generator[Outcome, None, list[int]]:
        """The jobs in hand but those whose time was up, which are given up."""
        suspects, limit = [], self.config.timeout_seconds
        for job, started in in_hand:
            if limit is None or self.clock.seconds() - started < limit:
                suspects.append(job)
                continue
            self.finished += 1  # the limit is at fault, and not the workers
            yield Outcome(
                job,
                error=WorkerDiedError(
                    f"it took longer than {limit:g} s and was given up. Crop the image around the "
                    "tumour, or raise the limit (--executor local:timeout_seconds=…)."
                ),
            )
        return suspects


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
