"""A pretext's loss in the precisions that runs use, apart from what its towers compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rdfc_core.contract.promises import require
from rdfc_core.interfaces import Tower
from rdfc_core.interfaces.collated import Collated, tensors
from rdfc_core.testing.precision import TOLERANCE, require_same_loss, without_dropout
from rdfc_core.training.autocast import towers_in_half

if TYPE_CHECKING:
    from rdfc_core.interfaces import Pretext, PretextOutput, View

WHOLE_TOLERANCE = 2e-2
"""Of the loss of a task that asks for autocast of all its networks: bfloat16 has two digits."""
SEEN = 64
"""Numbers that an `ExactTower` makes of pictures."""

Step = Callable[["Pretext"], "PretextOutput"]


class ExactTower(Tower):
    """A tower whose features are the same, to the bit, in every precision.

    It averages what it is given to a few numbers (all of them, if the tower that it stands for
    begins with a linear layer), and multiplies them in float64; the features are rounded to
    float32 in any case.
    """

    def __init__(self, like: Tower, seed: int) -> None:
        super().__init__()
        self.out_features, self.picture_shape = like.out_features, like.picture_shape
        first = next((one for one in like.modules() if not list(one.children())), None)
        seen = first.in_features if isinstance(first, nn.Linear) else SEEN
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randn(self.out_features, seen, generator=generator)
        self.layer = nn.Linear(seen, self.out_features, bias=False)
        self.layer.weight = nn.Parameter(weight)

    def forward(self, batch: Collated) -> Tensor:
        """(B, …) → (B, out_features)."""
        weight = self.layer.weight
        with torch.autocast(weight.device.type, enabled=False):
            flat = [one.double().flatten(1) for one in tensors(batch)]
            numbers = torch.cat(flat, dim=1)[:, None]
            seen = nn.functional.adaptive_avg_pool1d(numbers, weight.shape[1])[:, 0]
            rows = (seen - seen.mean(dim=1, keepdim=True)) @ weight.double().T
            return rows.float().to(weight.dtype)


def require_exact_pretext(
    pretext: Pretext, views: Mapping[str, View], cases: int, step: Step
) -> None:
    """The loss of a task is the same in every precision, given the same features.

    Args:
        pretext: Its `build` has not been called yet.
        views: The study's views, fitted.
        cases: How many cases `step` shows.
        step: One forward, with the same cases and draws at every call.

    Raises:
        ContractError: If it is not.
    """
    who, whole = type(pretext).__name__, pretext.mixed_precision
    single = deepcopy(pretext)
    towers = {
        name: ExactTower(view.tower(), place) for place, (name, view) in enumerate(views.items())
    }
    single.build(towers, cases, torch.Generator().manual_seed(0))
    double = deepcopy(single).double()
    half = deepcopy(single)
    with without_dropout(double), without_dropout(single), without_dropout(half):
        expected = step(double.train()).loss
        require(
            expected.dtype == torch.float64,
            f"{who} made {expected.dtype} of features in float64; keep the type of what is given.",
        )
        loss = step(single.train()).loss
        require_same_loss(loss, expected, f"The loss of {who} in float32")
        _require_gradients(single, loss, f"{who} in float32")
        own = [*half.encoders().values(), *half.further_towers()]
        cpu, tolerance = torch.device("cpu"), WHOLE_TOLERANCE if whole else TOLERANCE
        with (
            towers_in_half(half.train(), own, "bf16-mixed", cpu, "precision"),
            torch.autocast("cpu", dtype=torch.bfloat16),
        ):
            loss = step(half).loss
        how = f"{who} under bf16-mixed"
        require(
            loss.dtype == torch.float32,
            f"The loss of {how} is {loss.dtype}; keep it in float32.",
        )
        require_same_loss(loss, expected, f"The loss of {how}", tolerance)
        _require_gradients(half, loss, how)


def _require_gradients(pretext: Pretext, loss: Tensor, how: str) -> None:
    loss.backward()
    bad = [
        name
        for name, parameter in pretext.named_parameters()
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all()
    ]
    require(not bad, f"{how}: the gradient of {bad[:1]} is NaN or infinite.")
