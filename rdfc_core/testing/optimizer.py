"""What rdfc relies on in an `Optimizer` and in a `Schedule`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require, require_kind
from rdfc_core.testing.assertions import conformance

if TYPE_CHECKING:
    from rdfc_core.interfaces import Optimizer, Schedule


@conformance
def check_optimizer(maker: Optimizer) -> None:
    """Check an optimiser on two small layers, and that a checkpoint holds what it remembers.

    Args:
        maker: Built.

    Raises:
        AssertionError: If it loses parameters or rates, needs a closure, does not learn, moves
            weights at a rate of 0, or does not go on alike from its saved state.
    """
    import torch

    from rdfc_core.contract.optimizers import require_optimizer
    from rdfc_core.interfaces import Optimizer
    from rdfc_core.training.checkpoint import packed

    who = require_kind(maker, Optimizer)
    require_optimizer(maker)
    weight = torch.nn.Parameter(torch.ones(3))
    made = maker.build([{"params": [weight]}], 0.1)
    weight.grad = torch.ones(3)
    made.step()
    try:
        packed(made.state_dict())
    except TypeError as error:
        require(
            False,
            f"{who}: {error}; its state_dict may have tensors, numbers, text, lists and mappings.",
        )


@conformance
def check_schedule(schedule: Schedule) -> None:
    """Check a schedule over trainings of 1 to 300 steps.

    Args:
        schedule: Built.

    Raises:
        AssertionError: If a factor is none, leaves 0 to 1, or depends on what was asked before.
    """
    from rdfc_core.contract.optimizers import require_schedule
    from rdfc_core.interfaces import Schedule

    require_kind(schedule, Schedule)
    require_schedule(schedule)
