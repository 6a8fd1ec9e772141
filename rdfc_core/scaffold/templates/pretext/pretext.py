"""A task without negatives: two views of a case agree, and each dimension says something new."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from rdfc_core import StudyError
from rdfc_core.interfaces import Batch, Pretext, PretextOutput, Tower

from .config import ExampleConfig


class Example(Pretext):
    """Brings the cross-correlation of two views' embeddings near the identity.

    Source: Zbontar et al. 2021, Eq. 1.
    """

    def __init__(self, config: ExampleConfig) -> None:
        super().__init__()
        self.config = config

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """A projection of each of the first two views into the shared space.

        Raises:
            StudyError: If there are fewer than two views.
        """
        if len(towers) < 2:
            raise StudyError(
                f"This task compares two views and the study has {len(towers)}. Add a view."
            )
        self.names = tuple(towers)[:2]
        # In a ModuleDict, so that towers are trained, saved and moved with the task.
        self.towers = nn.ModuleDict({name: towers[name] for name in self.names})
        self.projections = nn.ModuleDict(
            {name: nn.Linear(towers[name].out_features, self.config.width) for name in self.names}
        )

    def forward(self, batch: Batch) -> PretextOutput:
        """One step: draw both views, project, correlate."""
        embeddings = {
            name: self.projections[name](self.towers[name](batch.draw(name))) for name in self.names
        }
        a, b = (_standardised(embeddings[name]) for name in self.names)
        correlation = a.T @ b / len(a)
        agreement = (correlation.diagonal() - 1).square().sum()
        off_diagonal = correlation.square().sum() - correlation.diagonal().square().sum()
        loss = agreement + self.config.redundancy * off_diagonal
        return PretextOutput(
            loss,
            logs={"agreement": agreement.detach()},
            embeddings={
                name: functional.normalize(embedding.detach(), dim=1)
                for name, embedding in embeddings.items()
            },
        )

    def encoders(self) -> Mapping[str, Tower]:
        """Both towers, without their projections."""
        towers: dict[str, Tower] = {}
        for name in self.names:
            tower = self.towers[name]
            assert isinstance(tower, Tower)
            towers[name] = tower
        return towers

    def embed(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tower features (B, F) → unit-length embeddings (B, width)."""
        return {
            name: functional.normalize(self.projections[name](features[name]), dim=1)
            for name in self.names
            if name in features
        }


def _standardised(batch: Tensor) -> Tensor:
    return (batch - batch.mean(dim=0)) / batch.std(dim=0).clamp(min=1e-6)
