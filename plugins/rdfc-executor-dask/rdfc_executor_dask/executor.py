"""Runs jobs on the workers of a Dask cluster; a worker that dies costs only the job it held."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

import rdfc_core
from rdfc_core.errors import DataError, StudyError
from rdfc_core.interfaces import Executor, Outcome, WorkerDiedError
from rdfc_executor_dask.config import DaskConfig

log = logging.getLogger("rdfc")


class DaskExecutor(Executor):
    """The workers of a running Dask cluster, which see the same files under the same paths.

    By ``Client.submit`` and ``as_completed``. Only as many jobs are in the cluster as its workers
    have threads: Dask blames a worker's death on every task that it was given, not only on the one
    it worked on. A job is given up when Dask has lost more workers to it than the cluster's
    ``allowed-failures``.
    """

    def __init__(self, config: DaskConfig) -> None:
        self.config = config

    def run(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Outcome]:
        """One outcome a job, in the order in which they finish.

        Raises:
            StudyError: If the scheduler does not answer, has no worker, or its workers have no
                rdfc-core, or another version of it.
            DataError: If the connection to the scheduler is lost.
        """
        if not jobs:
            return
        with self._cluster() as client:
            from distributed import as_completed

            waiting = deque(range(len(jobs)))
            in_hand: dict[Any, int] = {}

            def hand_out(count: int) -> list[Any]:
                given = []
                for _ in range(min(count, len(waiting))):
                    job = waiting.popleft()
                    # Not pure: a job of an earlier run that Dask remembers is not this one.
                    given.append(client.submit(function, jobs[job], pure=False))
                    in_hand[given[-1]] = job
                return given

            threads = client.nthreads()
            try:
                finished = as_completed(hand_out(_count(threads)))
                for future in finished:
                    yield _outcome(in_hand.pop(future), future)
                    # Workers may have come or gone.
                    before, threads = threads, client.nthreads()
                    _tell_of_lost(before, threads)
                    for more in hand_out(_count(threads) - len(in_hand)):
                        finished.add(more)
            except CancelledError as error:
                raise DataError(
                    f"The connection to the Dask scheduler {self.config.address} was lost. What "
                    "is finished is kept: the same command goes on once it is there again."
                ) from error

    @contextmanager
    def _cluster(self) -> Iterator[Any]:
        """A client of a cluster that can do the work."""
        from distributed import Client, Security

        config = self.config
        security = None
        if config.tls_ca is not None:
            security = Security(
                tls_ca_file=str(config.tls_ca),
                tls_client_cert=str(config.tls_cert),
                tls_client_key=str(config.tls_key),
                require_encryption=True,
            )
        try:
            client = Client(
                config.address, timeout=config.wait_seconds, security=security, set_as_default=False
            )
        except (OSError, ValueError, TypeError) as error:
            raise StudyError(
                f"The Dask scheduler {config.address} does not answer: "
                f"{' '.join(str(error).split())[:200]}. Start it with dask scheduler, or correct "
                "the address or the certificates."
            ) from error
        with client, client.as_current():
            self._check_workers(client)
            yield client

    def _check_workers(self, client: Any) -> None:
        try:
            client.wait_for_workers(1, timeout=self.config.wait_seconds)
        except TimeoutError as error:
            raise StudyError(
                f"The Dask scheduler {self.config.address} has no worker. Start some with: dask "
                f"worker {self.config.address} --nthreads 1."
            ) from error
        for worker, answer in client.run(_core_version, on_error="return").items():
            if answer != rdfc_core.__version__:
                has = answer if isinstance(answer, str) else "no rdfc-core that can be imported"
                raise StudyError(
                    f"The Dask worker {worker} has {has}, and this is rdfc-core "
                    f"{rdfc_core.__version__}. Install the same rdfc and plugins for every worker."
                )


def _count(threads: Mapping[str, int]) -> int:
    return max(1, sum(threads.values()))


def _tell_of_lost(before: Mapping[str, int], now: Mapping[str, int]) -> None:
    for worker in sorted(set(before) - set(now)):
        log.warning(
            "The Dask worker %s is gone. The case that it worked on is tried again.", worker
        )


def _core_version() -> str:
    """Runs in the workers."""
    return rdfc_core.__version__


def _outcome(job: int, future: Any) -> Outcome:
    from distributed import KilledWorker

    if future.status == "cancelled":
        raise CancelledError
    error = future.exception()
    if error is None:
        return Outcome(job, value=future.result())
    if isinstance(error, KilledWorker):
        last = getattr(error.last_worker, "address", error.last_worker)
        return Outcome(
            job,
            error=WorkerDiedError(
                f"its Dask worker died {error.allowed_failures + 1} times, the last one {last}, "
                "perhaps for want of memory. Give workers more memory or fewer threads."
            ),
        )
    if not isinstance(error, Exception):
        raise error
    return Outcome(job, error=error)
