"""SimCLR: two variations of one picture find each other among those of other cases."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pytorch_metric_learning.losses import SupConLoss
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor, nn
from torch.nn import functional as F

from rdfc_core.interfaces import Batch, PretextOutput, Projector, Tower, at_least_single
from rdfc_pretext_baselines.config import SimCLRConfig
from rdfc_pretext_baselines.pictures import PicturePretext


class SimCLR(PicturePretext):
    """Contrastive learning of one view: two draws, a projection of two layers, NT-Xent.

    Source: Chen et al. 2020, Alg. 1. The variations are the image view's own.
    """

    task = "simclr"
    projection: nn.Module

    def __init__(self, config: SimCLRConfig, *, projector: Projector | None = None) -> None:
        super().__init__(config)
        self._projector = projector
        self.config = config
        self.objective = NTXent(config.temperature)

    def build_head(self, tower: Tower) -> None:
        """Linear, ReLU, Linear, or what the projector builds."""
        if self._projector is not None:
            self.projection = self._projector.build(tower.out_features, self.config.width)
            return
        hidden = self.config.hidden or tower.out_features
        self.projection = nn.Sequential(
            nn.Linear(tower.out_features, hidden), nn.ReLU(), nn.Linear(hidden, self.config.width)
        )

    def forward(self, batch: Batch) -> PretextOutput:
        """Draw the picture twice, encode both draws at once, contrast them."""
        draws = torch.cat([batch.draw(self.view), batch.draw(self.view)])
        embeddings = self._project(self.tower(draws))
        loss = self.objective(embeddings, batch.indices)
        logs = agreement(embeddings.detach(), batch.indices)
        first = embeddings.detach()[: len(batch.indices)]
        return PretextOutput(loss, logs, {self.view: first})

    def embed(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tower features (B, F) → unit-length embeddings (B, D)."""
        return {name: self._project(rows) for name, rows in features.items() if name == self.view}

    def _project(self, features: Tensor) -> Tensor:
        # float: under mixed precision a unit length would be off by half a percent.
        return F.normalize(at_least_single(self.projection(features)), dim=1)


class NTXent(nn.Module):
    """Normalised, temperature-scaled cross-entropy of each draw with its counterpart.

    Of pytorch-metric-learning, SupConLoss with the pairs named: with one positive an anchor it is
    NT-Xent. The library's NTXentLoss lays each positive pair beside each negative one, 8 B³
    numbers, and this one each draw beside each draw, 4 B².
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.loss = SupConLoss(temperature=temperature, reducer=MeanReducer())

    def forward(self, embeddings: Tensor, indices: Tensor) -> Tensor:
        """The mean over all draws, in nats; 0 if no draw has a negative.

        Args:
            embeddings: (2 B, D), the first draws of B cases and then their second draws.
            indices: (B,) which cases they are. Draws of one case are never its negatives, also if
                the case stands in the batch twice.
        """
        cases = indices.repeat(2)
        anchors = torch.arange(len(cases), device=cases.device)
        others = torch.where(cases[:, None] != cases)
        pairs = (anchors, counterparts(anchors), *others)
        # Without autocast: its half precision would blur what the temperature magnifies.
        with torch.autocast(embeddings.device.type, enabled=False):
            loss: Tensor = self.loss(embeddings, indices_tuple=pairs)
        return loss


def counterparts(draws: Tensor) -> Tensor:
    """First draws for second ones and second for first, (2 B, …)."""
    return draws.roll(len(draws) // 2, dims=0)


def agreement(embeddings: Tensor, indices: Tensor) -> dict[str, Tensor]:
    """How near draws are to their counterparts, and how many are nearer than all other cases'.

    Args:
        embeddings: Of unit length, (2 B, D), without gradient.
        indices: (B,) which cases they are.
    """
    cosines = embeddings @ embeddings.T
    cases = indices.repeat(2)
    other = cases[:, None] != cases
    positive = (embeddings * counterparts(embeddings)).sum(dim=1)
    nearest = cosines.masked_fill(~other, -torch.inf).amax(dim=1)
    return {
        "positive_similarity": positive.mean(),
        "negative_similarity": cosines[other].mean(),
        "top1": (positive > nearest).float().mean(),
    }
