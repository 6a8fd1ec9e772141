"""The jobs that a Dask cluster is working on, with a limit to every wait."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from rdfc_core.errors import DataError
from rdfc_core.interfaces import Outcome, WorkerDiedError
from rdfc_executor_dask.config import DaskConfig

POLL_SECONDS = 1.0
"""Interval at which workers and time limits are checked."""


@dataclass
class _Pending:
    job: int
    seconds: float = 0.0


class PendingJobs:
    """The jobs that the cluster was given and has not returned yet.

    A job's time counts only while this process polls: one that was suspended loses no job.

    Args:
        client: Of the cluster.
        config: With the limits.
    """

    def __init__(self, client: Any, config: DaskConfig) -> None:
        self.client, self.config = client, config
        self.futures: dict[Any, _Pending] = {}
        self._without_workers = 0.0

    def add(self, job: int, future: Any) -> None:
        """Wait for one more job."""
        self.futures[future] = _Pending(job)

    def threads(self) -> Mapping[str, int]:
        """Worker → its threads.

        Raises:
            DataError: If the scheduler does not answer.
        """
        try:
            found: Mapping[str, int] = self.client.nthreads(
                callback_timeout=self.config.wait_seconds
            )
        except OSError as error:  # a TimeoutError is one
            raise DataError(
                f"The Dask scheduler {self.config.address} does not answer any more. What "
                "is finished is kept: the same command goes on once it is there again."
            ) from error
        return found

    def finished(self) -> Iterator[Outcome]:
        """Outcomes of jobs that finished or timed out; none if nothing happened for a second.

        Raises:
            CancelledError: If the connection to the scheduler is lost.
            DataError: If there has been no worker for ``wait_seconds``.
        """
        from distributed import wait

        began = time.monotonic()
        try:
            done = wait(list(self.futures), POLL_SECONDS, "FIRST_COMPLETED").done
        except TimeoutError:
            done = set()
        # More than this has passed only where this process was suspended.
        passed = min(time.monotonic() - began, 2 * POLL_SECONDS)
        for future in done:
            outcome = self._outcome(future)
            if outcome is not None:
                del self.futures[future]
                yield outcome
        for pending in self.futures.values():
            pending.seconds += passed
        yield from self._timed_out()
        if not done:
            self._check_for_workers(passed)

    def _outcome(self, future: Any) -> Outcome | None:
        """What became of the job; None if its result was lost with its worker: Dask repeats it."""
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise CancelledError
        job, patience = self.futures[future].job, self.config.wait_seconds
        try:
            error = future.exception(timeout=patience)
            if error is None:
                return Outcome(job, value=future.result(timeout=patience))
        except TimeoutError:
            return None
        if isinstance(error, KilledWorker):
            last = getattr(error.last_worker, "address", error.last_worker)
            return Outcome(
                job,
                error=WorkerDiedError(
                    f"its Dask worker died {error.allowed_failures + 1} times, the last one "
                    f"{last}, perhaps out of memory. Give workers more memory or fewer threads."
                ),
            )
        if not isinstance(error, Exception):
            raise error
        return Outcome(job, error=error)

    def _timed_out(self) -> Iterator[Outcome]:
        limit = self.config.timeout_seconds
        for future, pending in list(self.futures.items()):
            if limit is None or pending.seconds < limit:
                continue
            del self.futures[future]
            future.cancel()
            yield Outcome(
                pending.job,
                error=WorkerDiedError(
                    f"it took longer than {limit:g} s on the Dask cluster and was given up. Crop "
                    "the image around the tumour, or raise the limit (--executor "
                    "dask:timeout_seconds=…)."
                ),
            )

    def _check_for_workers(self, passed: float) -> None:
        self._without_workers = 0.0 if self.threads() else self._without_workers + passed
        if self._without_workers >= self.config.wait_seconds:
            raise DataError(
                f"The Dask scheduler {self.config.address} has had no worker for "
                f"{self.config.wait_seconds:g} s. What is finished is kept: start workers, and the "
                "same command again."
            )
