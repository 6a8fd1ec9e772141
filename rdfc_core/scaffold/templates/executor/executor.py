"""Jobs in threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from rdfc_core.interfaces import Executor, Outcome

from .config import ExampleConfig


class Example(Executor):
    """Runs jobs in threads: right where they wait for files or a network."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def run(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Outcome]:
        """One outcome a job, as they finish."""
        with ThreadPoolExecutor(self.config.threads) as pool:
            futures = {pool.submit(function, job): place for place, job in enumerate(jobs)}
            for future in as_completed(futures):
                error = future.exception()
                # A job that failed is reported, not raised: the others go on. What is no
                # Exception (KeyboardInterrupt) is meant for the whole program.
                if error is None:
                    yield Outcome(futures[future], value=future.result())
                elif isinstance(error, Exception):
                    yield Outcome(futures[future], error=error)
                else:
                    raise error
