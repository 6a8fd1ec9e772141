"""Promises of a projector, on a few rows."""

from __future__ import annotations

import torch
from torch import nn

from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.networks import require_rows
from rdfc_core.contract.promises import require
from rdfc_core.interfaces import Projector

ROWS, FEATURES, WIDTH = 5, 6, 4


def require_projector(projector: Projector) -> None:
    """Check a projector on five rows.

    Args:
        projector: Built.

    Raises:
        ContractError: If it builds no network of the widths that it is given, the network gives no
            numbers, or stops the gradient, or both that it builds are one.
    """
    who = f"{type(projector).__name__}.build()"
    with left_alone(who, weights=True):
        network, other = (projector.build(FEATURES, WIDTH) for _ in range(2))
    require(
        isinstance(network, nn.Module),
        f"{who} gave {type(network).__name__}, not a torch.nn.Module.",
    )
    shared = {id(one) for one in network.parameters()} & {id(one) for one in other.parameters()}
    require(
        network is not other and not shared,
        f"{who} gave the same weights twice; make new ones at every call, a network a view.",
    )
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(ROWS, FEATURES, generator=generator).requires_grad_()
    projected = network.train()(rows)
    require_rows(projected, ROWS, WIDTH, f"The network of {who}")
    require(
        projected.dtype == torch.float32 and torch.isfinite(projected).all(),
        f"The network of {who} gave {projected.dtype}, or NaN or infinite values, for float32; "
        "give finite float32.",
    )
    weights = [one for one in network.parameters() if one.requires_grad]
    if projected.requires_grad:
        projected.square().sum().backward()
    reached = rows.grad is not None and all(one.grad is not None for one in weights)
    require(
        reached,
        f"The network of {who} stops the gradient on its way to the features, or to a weight of "
        "its own.",
    )
