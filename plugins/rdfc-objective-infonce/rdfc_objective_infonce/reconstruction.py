"""Correspondence, SimCLR, and features that are restored from what both views say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Batch, MemoryStore, Objective, Projector, Tower, at_least_single
from rdfc_objective_infonce.config import CorrespondenceReconstructionConfig
from rdfc_objective_infonce.correspondence_simclr import CorrespondenceSimCLR


class CorrespondenceReconstruction(CorrespondenceSimCLR):
    """`CorrespondenceSimCLR`, and the features that were replaced are told from all embeddings.

    What the features that are left do not say has to come from the picture. One decoder of two
    layers a view of features, on the joined embeddings of all views; the squared error counts the
    replaced features alone.

    Source: Du et al. 2024, TIP, Sect. 3.2 (masked tabular reconstruction), with fully connected
    layers in place of transformers.
    """

    def __init__(
        self,
        config: CorrespondenceReconstructionConfig,
        *,
        objective: Objective,
        memory: MemoryStore,
        projector: Projector | None = None,
    ) -> None:
        super().__init__(config, objective=objective, memory=memory, projector=projector)
        self.reconstruction = config

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """As `CorrespondenceSimCLR.build`, and a decoder for each view of features.

        Raises:
            StudyError: If no view has features to restore, or as `CorrespondenceSimCLR.build`.
        """
        super().build(towers, cases, generator)
        seen = len(self.views) * self.config.width
        hidden = self.reconstruction.hidden
        restored = {
            name: width
            for name in self.views
            if name not in self._pictured and (width := inputs_of(towers[name]))
        }
        if not restored:
            raise StudyError(
                "pretext: reconstruction restores the features of a view, and no tower here begins "
                "with a linear layer on features. Add a view of features, or use "
                "correspondence-simclr."
            )
        self.decoders = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(seen, hidden), nn.ReLU(), nn.Linear(hidden, width))
                for name, width in restored.items()
            }
        )

    def _further(
        self,
        seen_by: Mapping[str, Sequence[Tensor]],
        drawn: Mapping[str, Sequence[Tensor]],
        batch: Batch,
    ) -> dict[str, tuple[Tensor, Mapping[str, Tensor]]]:
        joined = torch.cat([drawn[name][0] for name in self.views], dim=1)
        found: dict[str, tuple[Tensor, Mapping[str, Tensor]]] = {}
        for name, decoder in self.decoders.items():
            whole = at_least_single(batch.prepared[name])
            error = restoring_error(
                at_least_single(decoder(joined)), whole, at_least_single(seen_by[name][0])
            )
            loss = self.reconstruction.reconstruction * error
            found[f"{name}.restored"] = loss, {"mse": error.detach()}
        return found


def restoring_error(restored: Tensor, whole: Tensor, seen: Tensor) -> Tensor:
    """Mean squared error over the entries that were replaced; 0 where none was.

    Args:
        restored: (B, F).
        whole: The features themselves, (B, F).
        seen: What the tower saw of them, (B, F).
    """
    replaced = seen != whole
    return ((restored - whole) ** 2 * replaced).sum() / replaced.sum().clamp(min=1)


def inputs_of(tower: Tower) -> int:
    """How many features a tower takes, by its first layer; 0 where that is not linear."""
    layers = (module for module in tower.modules() if not list(module.children()))
    first = next(layers, None)
    return first.in_features if isinstance(first, nn.Linear) else 0
