"""Objective: how well two views of the same cases agree, against other cases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rdfc_core.errors import ContractError
from rdfc_core.interfaces.loss_checks import complaint_about_loss
from rdfc_core.interfaces.memory_store import MemoryStore


def at_least_single(values: Tensor) -> Tensor:
    """Halves as float32; float32 and float64 as they are."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


@dataclass(frozen=True, eq=False)
class Memory:
    """What an objective may look up besides the batch.

    Args:
        indices: (B,) which cases the batch holds, 0 … N − 1.
        a: The memory of the first view.
        b: The memory of the second view; the same object where one view is drawn twice.
        generator: On the CPU; the only source of randomness.
    """

    indices: Tensor
    a: MemoryStore
    b: MemoryStore
    generator: torch.Generator


class Objective(nn.Module, ABC):
    """A contrastive loss. Built as ``Class(config)``. It reads the memory and never writes it.

    It is computed in single precision, outside autocast, also where towers are not; one that wants
    half precision opens ``torch.autocast`` in its `forward`.

    Attributes:
        uses_memory: False if the batch alone suffices: no memory is then kept for it, and
            `Memory.a` and `Memory.b` must not be touched. True by default; may depend on the
            options.
        positive_from_memory: True if the positive is read from the memory too, so that a case's
            partner need not be in the batch: what a control with a fixed wrong pairing needs.
            False by default.
    """

    uses_memory: bool = True
    positive_from_memory: bool = False

    @abstractmethod
    def forward(self, a: Tensor, b: Tensor, memory: Memory) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of a batch.

        Args:
            a: Unit-length embeddings of one view, (B, D).
            b: Unit-length embeddings of the same cases in the other view, (B, D).
            memory: The memories of both views, and which cases the batch holds.

        Returns:
            The loss, a scalar with gradient, and scalars to log, without.

        Raises:
            ShapeError: If ``a`` and ``b`` differ in shape.

        Called:
            At every step, by the pretext, for each pair of views that it joins, through `score`.
        """

    def score(self, a: Tensor, b: Tensor, memory: Memory) -> tuple[Tensor, Mapping[str, Tensor]]:
        """`forward` in at least single precision, and a look at what it gave; a pretext calls it.

        Raises:
            ContractError: If that is no loss to train by, which is a fault of the objective.
        """
        with torch.autocast(a.device.type, enabled=False):
            result = self(at_least_single(a), at_least_single(b), memory)
        complaint = self.complaint(result)
        if complaint:
            raise ContractError(complaint, self)
        loss, logs = result
        return loss, logs

    def complaint(self, result: Any) -> str | None:
        """What is wrong with a result of `forward`, or None."""
        who = f"The objective {type(self).__name__}"
        if not (isinstance(result, tuple) and len(result) == 2):
            return f"{who} has to return the loss and the scalars to log, and gave {result!r}."
        return complaint_about_loss(*result, who)
