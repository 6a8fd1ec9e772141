"""Waits for the jobs that a Dask cluster has in hand, and for none of them without an end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from rdfc_core.errors import DataError
from rdfc_core.interfaces import Outcome, WorkerDiedError
from rdfc_executor_dask.config import DaskConfig

LOOK_SECONDS = 1.0
"""So often it is looked whether there still is a worker, and whose time is up."""


@dataclass
class _Held:
    job: int
    seconds: float = 0.0


class Watch:
    """The jobs in hand.

    Their time is that in which this process has waited for them: one that was suspended loses no
    job to the limit.

    Args:
        client: Of the cluster.
        config: Says how long is waited for what.
    """

    def __init__(self, client: Any, config: DaskConfig) -> None:
        self.client, self.config = client, config
        self.in_hand: dict[Any, _Held] = {}
        self._without_workers = 0.0

    def add(self, job: int, future: Any) -> None:
        """Wait for one job more."""
        self.in_hand[future] = _Held(job)

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

    def ended(self) -> Iterator[Outcome]:
        """Outcomes of jobs that have ended or were given up; none if none has for a moment.

        Raises:
            CancelledError: If the connection to the scheduler is lost.
            DataError: If there has been no worker for as long as one is waited for.
        """
        from distributed import wait

        began = time.monotonic()
        try:
            done = wait(list(self.in_hand), LOOK_SECONDS, "FIRST_COMPLETED").done
        except TimeoutError:
            done = set()
        passed = min(time.monotonic() - began, 2 * LOOK_SECONDS)  # no more: it was suspended
        for future in done:
            outcome = self._outcome(future)
            if outcome is not None:
                del self.in_hand[future]
                yield outcome
        for held in self.in_hand.values():
            held.seconds += passed
        yield from self._given_up()
        if not done:
            self._refuse_to_wait_for_nobody(passed)

    def _outcome(self, future: Any) -> Outcome | None:
        """What became of the job; None if its worker was lost since, and it is done once more."""
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise CancelledError
        job, patience = self.in_hand[future].job, self.config.wait_seconds
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

    def _given_up(self) -> Iterator[Outcome]:
        limit = self.config.timeout_seconds
        for future, held in list(self.in_hand.items()):
            if limit is None or held.seconds < limit:
                continue
            del self.in_hand[future]
            future.cancel()
            yield Outcome(
                held.job,
                error=WorkerDiedError(
                    f"it took longer than {limit:g} s on the Dask cluster and was given up. Crop "
                    "the image around the tumour, or raise the limit (--executor "
                    "dask:timeout_seconds=…)."
                ),
            )

    def _refuse_to_wait_for_nobody(self, passed: float) -> None:
        self._without_workers = 0.0 if self.threads() else self._without_workers + passed
        if self._without_workers >= self.config.wait_seconds:
            raise DataError(
                f"The Dask scheduler {self.config.address} has had no worker for "
                f"{self.config.wait_seconds:g} s. What is finished is kept: start workers, and the "
                "same command again."
            )
