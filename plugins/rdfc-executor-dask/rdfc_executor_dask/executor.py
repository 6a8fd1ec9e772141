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
from rdfc_core.interfaces import Executor, Outcome
from rdfc_executor_dask.config import DaskConfig
from rdfc_executor_dask.pending_jobs import PendingJobs

log = logging.getLogger("rdfc")


class DaskExecutor(Executor):
    """The workers of a running Dask cluster, which see the same files under the same paths.

    By ``Client.submit`` and ``wait``. Only as many jobs are in the cluster as its workers
    have threads: Dask blames a worker's death on every task that it was given, not only on the one
    it worked on. A job is given up when Dask has lost more workers to it than the cluster's
    ``allowed-failures``, or when its time is up. Every wait has a limit.
    """

    def __init__(self, config: DaskConfig) -> None:
        self.config = config

    def run(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Outcome]:
        """One outcome a job, in the order in which they finish.

        Raises:
            StudyError: If the scheduler does not answer, has no worker, or its workers do not
                answer, have no rdfc-core, or another version of it.
            DataError: If the connection to the scheduler is lost, or no worker is left.
        """
        if not jobs:
            return
        with self._cluster() as client:
            waiting = deque(range(len(jobs)))
            pending = PendingJobs(client, self.config)
            threads = pending.threads()
            try:
                while waiting or pending.futures:
                    for _ in range(min(_count(threads) - len(pending.futures), len(waiting))):
                        job = waiting.popleft()
                        # Not pure: a job of an earlier run that Dask remembers is not this one.
                        pending.add(job, client.submit(function, jobs[job], pure=False))
                    yield from pending.finished()
                    before, threads = threads, pending.threads()  # workers may have come or gone
                    _tell_of_lost(before, threads)
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
        patience = self.config.wait_seconds
        try:
            answers = client.run(_core_version, on_error="return", callback_timeout=patience)
        except TimeoutError as error:
            raise StudyError(
                f"Not all workers of the Dask scheduler {self.config.address} answered within "
                f"{patience:g} s. Restart those that hang, or wait longer (--executor "
                "dask:wait_seconds=…)."
            ) from error
        for worker, answer in answers.items():
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
