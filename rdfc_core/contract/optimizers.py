"""Promises of what trains networks: optimisers and schedules, on a handful of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.promises import require
from rdfc_core.interfaces import Optimizer, Schedule

RATE, OTHER_RATE = 0.05, 0.01
COURSES = (1, 2, 10, 300)
"""Steps of the trainings on which a schedule is looked at."""


def require_groups(
    made: Any, groups: Sequence[Mapping[str, Any]], learning_rate: float, who: str
) -> None:
    """An optimiser holds the parameters that it was given, each group at its rate."""
    require(
        isinstance(made, torch.optim.Optimizer),
        f"{who}.build() gave {type(made).__name__}; give a torch.optim.Optimizer.",
    )
    given = [[id(one) for one in group["params"]] for group in groups]
    held = [[id(one) for one in group["params"]] for group in made.param_groups]
    require(
        held == given,
        f"{who}.build() made an optimiser of {[len(one) for one in held]} parameters for groups of "
        f"{[len(one) for one in given]}; hold each group as it is given, in that order.",
    )
    rates = [group.get("lr") for group in made.param_groups]
    wanted = [group.get("lr", learning_rate) for group in groups]
    require(
        rates == wanted,
        f"{who}.build() gave the groups the learning rates {rates} instead of {wanted}; keep a "
        "group's own lr, and learning_rate where it has none.",
    )


def require_optimizer(maker: Optimizer) -> None:
    """Check an optimiser on two small layers.

    Args:
        maker: Built.

    Raises:
        ContractError: If it loses parameters or rates, needs a closure, does not learn, moves
            weights at a rate of 0, or does not go on alike from its saved state.
    """
    who = type(maker).__name__
    network = _Small()
    with left_alone(f"{who}.build()"):
        made = maker.build(network.groups(), RATE)
    require_groups(made, network.groups(), RATE, who)
    start, first = network.weights(), network.step(made, who)
    for _ in range(4):
        network.step(made, who)
    moved = [not torch.equal(*pair) for pair in zip(start, network.weights(), strict=True)]
    require(all(moved), f"{who}: after five steps some weights are where they were; move them all.")
    require(
        bool(network.loss().detach() < first),
        f"{who}: the error of a straight line is not smaller after five steps at a rate of {RATE}; "
        "step against the gradient.",
    )
    _require_state(maker, made, network, who)
    for group in made.param_groups:
        group["lr"] = 0.0
    before = network.weights()
    network.step(made, who)
    require(
        all(torch.equal(*pair) for pair in zip(before, network.weights(), strict=True)),
        f"{who} moves weights where the learning rate is 0; read lr from its groups at every step.",
    )


def _require_state(
    maker: Optimizer, made: torch.optim.Optimizer, network: _Small, who: str
) -> None:
    """Another optimiser, with the state of this one, goes on as this one does."""
    other = deepcopy(network)
    again = maker.build(other.groups(), RATE)
    again.load_state_dict(deepcopy(made.state_dict()))
    network.step(made, who)  # itself: a copy of it would have its state alone
    other.step(again, who)
    require(
        all(torch.equal(*pair) for pair in zip(network.weights(), other.weights(), strict=True)),
        f"{who}: an optimiser with the same state_dict takes another step; keep all that it "
        "remembers in its state.",
    )


class _Small(nn.Module):
    """Two layers that are to give a straight line."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 1)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for one in self.parameters():
                one.copy_(torch.randn(one.shape, generator=generator) * 0.5)
        self.seen = torch.randn(16, 3, generator=generator)

    def groups(self) -> list[dict[str, Any]]:
        """The second layer has a rate of its own."""
        return [
            {"params": list(self.first.parameters())},
            {"params": list(self.second.parameters()), "lr": OTHER_RATE},
        ]

    def loss(self) -> torch.Tensor:
        """Mean squared error."""
        wanted = self.seen.sum(dim=1, keepdim=True)
        error: torch.Tensor = (self.second(self.first(self.seen)) - wanted).square().mean()
        return error

    def step(self, optimizer: torch.optim.Optimizer, who: str) -> torch.Tensor:
        """One step; the error before it."""
        error = self.loss()
        optimizer.zero_grad()
        error.backward()
        try:
            optimizer.step()
        except TypeError as reason:
            require(False, f"{who}: step() cannot be called without a closure ({reason}).")
        return error.detach()

    def weights(self) -> list[torch.Tensor]:
        """Copies."""
        return [one.detach().clone() for one in self.parameters()]


def require_schedule(schedule: Schedule) -> None:
    """Check a schedule over short and long trainings.

    Args:
        schedule: Built.

    Raises:
        ContractError: If a factor is none, leaves 0 to 1, or depends on what was asked before.
    """
    who = type(schedule).__name__
    for steps in COURSES:
        with left_alone(f"{who}.factor()"):
            course = [schedule.factor(step, steps) for step in range(steps)]
        for step, factor in enumerate(course):
            require(
                isinstance(factor, int | float) and math.isfinite(factor) and 0 <= factor <= 1,
                f"{who}.factor({step}, {steps}) gave {factor!r}; give a number from 0 to 1: what "
                "the highest learning rate is multiplied by.",
            )
        require(
            any(course),
            f"{who}.factor() is 0 at each of {steps} steps, at which nothing is learnt.",
        )
        again = [schedule.factor(step, steps) for step in reversed(range(steps))]
        require(
            again[::-1] == course,
            f"{who}.factor() gave other factors when it was asked again, in another order; let "
            "them depend on step and steps alone.",
        )
