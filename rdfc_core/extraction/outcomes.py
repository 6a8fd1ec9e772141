"""What an executor gives, held to its contract: one outcome a job, and every job once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rdfc_core.contract.promises import require
from rdfc_core.errors import with_article
from rdfc_core.interfaces import Executor, Outcome
from rdfc_core.plugin.attribution import held_to_contract


def each_once(
    executor: Executor, function: Callable[[Any], Any], jobs: Sequence[Any]
) -> Iterator[Outcome]:
    """The outcomes, as the executor gives them.

    Raises:
        PluginError: If it loses a job, gives one twice, or gives anything else.
    """
    who = type(executor).__name__
    waiting = set(range(len(jobs)))
    outcomes = iter(executor.run(function, jobs))
    while True:
        try:
            outcome = next(outcomes)
        except StopIteration:
            break
        with held_to_contract(executor):
            require(
                isinstance(outcome, Outcome),
                f"{who}.run() gave {with_article(type(outcome).__name__)}; give an Outcome for "
                "each job.",
            )
            require(
                outcome.job in waiting,
                f"{who}.run() gave an outcome for job {outcome.job!r} of {len(jobs)}, which is not "
                "left; give one for each job.",
            )
        waiting.discard(outcome.job)
        yield outcome
    with held_to_contract(executor):
        require(
            not waiting,
            f"{who}.run() ended with {len(waiting)} of {len(jobs)} jobs left (first: "
            f"{min(waiting, default=0)}); give one outcome for each.",
        )
