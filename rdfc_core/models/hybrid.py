"""The network that labels train: towers of one or more views, and a head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rdfc_core.interfaces import Pretext, Tower
from rdfc_core.interfaces.collated import Collated, count, rows, to_device
from rdfc_core.models.head import Head
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.results.vocabulary import CLASSIFICATION, TaskName

BATCH = 256
"""Cases at a time, where nothing is learnt."""


class Hybrid(nn.Module):
    """Towers of one or more views, and a head: (B, …) of each view → (B, C) logits.

    Args:
        towers: View name → its tower.
        head: On the features of unit length, or on the embeddings.
        projector: Turns features into embeddings; None: the head stands on the features.
        frozen: Layers that stay as they are: no gradient, no dropout, and batch normalisation by
            the statistics that they came with.
        raw: Views whose own input, (B, F), stands before the head, too, at unit length.
        scale: Factor on the rows of unit length before the head.
        projections: Of views that the projector does not know: view name → (B, F) to (B, D).
        task: What the head gives: logits of C classes, or (C = 1) the number itself.
    """

    def __init__(
        self,
        towers: Mapping[str, Tower],
        head: Head,
        projector: Pretext | None = None,
        frozen: Sequence[nn.Module] = (),
        raw: Sequence[str] = (),
        scale: float = 1.0,
        projections: Mapping[str, nn.Module] | None = None,
        task: TaskName = CLASSIFICATION,
    ) -> None:
        super().__init__()
        self.task = task
        self.projections = nn.ModuleDict(projections or {})
        self.scale = scale
        self.views = tuple(towers)
        self.towers = nn.ModuleList(towers.values())
        self.head = head
        self.projector = projector
        self.raw = tuple(raw)
        self._frozen = tuple(frozen)  # in a tuple: torch would count them a second time
        for module in self._frozen:
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> Hybrid:
        """Training mode, but for the layers that are frozen."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, batch: Mapping[str, Any]) -> Tensor:
        """Logits, (B, C)."""
        logits: Tensor = self.head(self.seen(batch))
        return logits

    def seen(self, batch: Mapping[str, Any]) -> Tensor:
        """What the head stands on, (B, F): rows of unit length of each view, times the scale."""
        features = {
            name: tower(batch[name]).float()
            for name, tower in zip(self.views, self.towers, strict=True)
        }
        if self.projector is not None:
            parts = list(self.projector.embed(features).values())
            parts += [
                functional.normalize(projection(features[name]))
                for name, projection in self.projections.items()
            ]
        else:
            parts = [functional.normalize(one) for one in features.values()]
        parts += [functional.normalize(batch[name].float()) for name in self.raw]
        return torch.cat(parts, dim=1) * self.scale


def predict(network: Hybrid, cases: Mapping[str, Collated]) -> NDArray[np.float64]:
    """Class probabilities of N cases without augmentation, (N, C), or numbers, (N, 1)."""
    said = OUTPUTS[network.task].of_tensor
    return each_batch(network, cases, lambda batch: said(network(batch))).numpy()


def each_batch(
    network: Hybrid, cases: Mapping[str, Collated], what: Callable[[Mapping[str, Any]], Tensor]
) -> Tensor:
    """What a network in evaluation mode gives for N cases, (N, …), on the CPU."""
    network.eval()
    device = next(network.parameters()).device
    with torch.inference_mode():
        found = [
            what(
                {
                    name: to_device(rows(cases[name], slice(start, start + BATCH)), device)
                    for name in network.views
                }
            ).cpu()
            for start in range(0, count(cases[network.views[0]]), BATCH)
        ]
    return torch.cat(found)
