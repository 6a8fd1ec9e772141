"""What rdfc relies on in an `Executor`."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require, require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import Executor

GOOD, FAILS, DIES = "good", "fails", "dies"


@dataclass(frozen=True)
class Job:
    """What one job does: it succeeds, raises, or kills its own worker."""

    number: int
    fate: str
    parent: int
    """Process id of the test, which must survive."""


@conformance
def check_executor(executor: Executor) -> None:
    """Check an executor on jobs that succeed, raise, and kill their worker process.

    Args:
        executor: Built, with at least two workers if they are processes.

    Raises:
        AssertionError: If an outcome is missing, doubled or wrong, or one job's failure costs
            another.
    """
    from rdfc_core.interfaces import Executor

    who = require_kind(executor, Executor)
    require(list(executor.run(work, [])) == [], f"{who}.run() of no jobs has to give no outcomes.")
    fates = [GOOD, FAILS, GOOD, GOOD, FAILS, GOOD]
    _check_outcomes(executor, fates, who)
    _check_outcomes(executor, [GOOD, GOOD, DIES, GOOD, GOOD, GOOD], who)


def work(job: Job) -> int:
    """Runs in the executor's workers."""
    if job.fate == FAILS:
        raise ValueError(f"job {job.number} fails")
    if job.fate == DIES and os.getpid() != job.parent:
        os.kill(os.getpid(), signal.SIGKILL)
    if job.fate == DIES:  # a thread of the test itself: it cannot die alone
        raise RuntimeError(f"job {job.number} has no process of its own")
    return job.number**2


def _check_outcomes(executor: Executor, fates: list[str], who: str) -> None:
    from rdfc_core.interfaces import Outcome

    jobs = [Job(number, fate, os.getpid()) for number, fate in enumerate(fates)]
    try:
        outcomes = list(executor.run(work, jobs))
    except Exception as error:
        raise AssertionError(
            f"{who}.run() raised {type(error).__name__} ({error}) because of one job; report it in "
            "that job's Outcome and go on."
        ) from error
    require(
        all(isinstance(outcome, Outcome) for outcome in outcomes),
        f"{who}.run() has to give Outcome objects.",
    )
    places = sorted(outcome.job for outcome in outcomes)
    require(
        places == list(range(len(jobs))),
        f"{who}.run() gave outcomes for the jobs {places} of {len(jobs)}; give each exactly one.",
    )
    for outcome in outcomes:
        _check_outcome(outcome.value, outcome.error, jobs[outcome.job], who)


def _check_outcome(value: object, error: Exception | None, job: Job, who: str) -> None:
    what = f"{who}.run(): the job that {job.fate if job.fate != GOOD else 'succeeds'}"
    if job.fate == GOOD:
        require(
            error is None and value == job.number**2,
            f"{what} came back with {value!r} and {error!r}, while others fail; give its value.",
        )
    elif job.fate == FAILS:
        require(
            type(error) is ValueError and str(job.number) in str(error),
            f"{what} came back with the error {error!r}; give the one that it raised.",
        )
    else:
        require(
            isinstance(error, RuntimeError) and str(error),
            f"{what} came back with the error {error!r}; give a WorkerDiedError with a sentence.",
        )
