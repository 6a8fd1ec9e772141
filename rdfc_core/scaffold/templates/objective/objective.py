"""A hinge on cosines: the own case must be nearer than other cases, by a margin."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from rdfc_core import ShapeError
from rdfc_core.interfaces import Memory, Objective

from .config import ExampleConfig


class Example(Objective):
    """Triplet hinge of both directions, with other cases from the memory.

    Source: Schroff et al. 2015, Eq. 3 (with cosines for distances).
    """

    uses_memory = True  # False where the batch alone suffices: no memory is then kept

    def __init__(self, config: ExampleConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, a: Tensor, b: Tensor, memory: Memory) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The mean of max(0, margin − cosine to the own case + cosine to another case).

        Args:
            a: Unit-length embeddings of one view, (B, D).
            b: Unit-length embeddings of the same cases in the other view, (B, D).
            memory: The memories of both views; only read.

        Returns:
            The loss, and the share of triplets that still cost something.

        Raises:
            ShapeError: If ``a`` and ``b`` differ in shape.
        """
        if a.shape != b.shape:
            raise ShapeError(
                f"The embeddings of the two views have shapes {tuple(a.shape)} and "
                f"{tuple(b.shape)}; they have to be equal."
            )
        k = self.config.negatives
        # The own case is excluded: otherwise it would be pushed away from itself.
        exclude, generator = memory.indices, memory.generator
        a_to_others = memory.b.similarities(a, k, exclude, generator)
        b_to_others = memory.a.similarities(b, k, exclude, generator)
        own = (a * b).sum(dim=1, keepdim=True)
        hinge = (self.config.margin - own + a_to_others).clamp(min=0)
        hinge = hinge + (self.config.margin - own + b_to_others).clamp(min=0)
        # What is logged carries no gradient: it would keep the whole graph alive.
        return hinge.mean(), {"active": (hinge.detach() > 0).float().mean()}
