"""What tasks on pairs of views have in common: terms, towers, projections, and a measure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Batch, Pretext, Projector, Tower, at_least_single
from rdfc_objective_infonce.config import PairedViewsConfig

HELD_BACK_TEMPERATURE = 0.07
"""Of the measure on held-back cases, which is to mean the same whatever the objective is."""


class PairedViews(Pretext):
    """Views of one case in a common space: each has its tower and a projection to D numbers.

    What two views of a term, or two draws of one view, are asked for is the task's own.
    """

    task: str

    def __init__(self, config: PairedViewsConfig, projector: Projector | None = None) -> None:
        super().__init__()
        self.config = config
        self._projector = projector

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """Take the towers of the views that stand in a term, and make their projections.

        Args:
            towers: View name → its tower, in the study's order.
            cases: N, the number of pretext cases.
            generator: On the CPU; not used here.

        Raises:
            StudyError: If a term names a view that the study does not have, there is no pair of
                views, a view's name cannot name a module, or there are too few cases.
        """
        self.terms = self._named_terms(list(towers))
        self.weights = self.config.weights or (1.0,) * len(self.terms)
        self.views = [name for name in towers if any(name in term for term in self.terms)]
        if cases < 2:
            raise StudyError(
                f"pretext: {self.task} tells a case from others, and there is {cases} pretext "
                "case. Give it at least 2."
            )
        self.cases = cases
        self.towers = nn.ModuleDict({name: towers[name] for name in self.views})
        self.projections = nn.ModuleDict(
            {name: self._projection(towers[name].out_features) for name in self.views}
        )

    def held_back_metrics(self, batch: Batch) -> Mapping[str, Tensor]:
        """How well cases that nobody trained on find their partner among each other.

        Returns:
            ``loss``, the mean over the terms of InfoNCE among these cases, in both directions, at
            the paper's temperature whatever the objective's is; and for each term of two views its
            ``retrieval_top1``, the share of cases whose own partner is the nearest. A view that is
            joined with itself is drawn twice.
        """
        embeddings = {
            name: self._project(name, self.towers[name](batch.prepared[name]))
            for name in self.views
        }
        losses, found = [], {}
        own = torch.arange(len(batch.indices), device=batch.indices.device)
        for name_a, name_b in self.terms:
            if name_a == name_b:
                a, b = self._encode(name_a, batch), self._encode(name_b, batch)
            else:
                a, b = embeddings[name_a], embeddings[name_b]
            similarities = a @ b.T
            both = (similarities, similarities.T)
            losses += [F.cross_entropy(one / HELD_BACK_TEMPERATURE, own) for one in both]
            nearest = torch.stack([one.argmax(1) == own for one in both]).float().mean()
            found[f"{name_a}-{name_b}.retrieval_top1"] = nearest
        return {"loss": torch.stack(losses).mean(), **found}

    def encoders(self) -> Mapping[str, Tower]:
        """View name → its tower, without projection; views that stand in no term are absent."""
        return {name: cast(Tower, self.towers[name]) for name in self.views}

    def embed(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tower features (B, F) → unit-length embeddings (B, D), for the views that are trained."""
        return {
            name: self._project(name, rows)
            for name, rows in features.items()
            if name in self.projections
        }

    def _projection(self, features: int) -> nn.Module:
        """One linear layer where no projector is given."""
        if self._projector is None:
            return nn.Linear(features, self.config.width)
        return self._projector.build(features, self.config.width)

    def _encode(self, name: str, batch: Batch) -> Tensor:
        return self._project(name, self.towers[name](batch.draw(name)))

    def _project(self, name: str, features: Tensor) -> Tensor:
        # float: under mixed precision a unit length would be off by half a percent.
        return F.normalize(at_least_single(self.projections[name](features)), dim=1)

    def _named_terms(self, views: list[str]) -> tuple[tuple[str, str], ...]:
        terms = self.config.terms or tuple(combinations(views, 2))
        if not views:
            raise StudyError(f"views: {self.task} needs two views, and there is none. Add them.")
        if not terms:
            raise StudyError(
                f"pretext.terms: the study has only the view {views[0]}. Add a second view, or "
                f"draw it twice: terms: [[{views[0]}, {views[0]}]]."
            )
        for name in (name for term in terms for name in term):
            if name not in views:
                raise StudyError(
                    f"pretext.terms: there is no view {name!r}. Use one of: {', '.join(views)}."
                )
            if "." in name or hasattr(nn.ModuleDict(), name):
                raise StudyError(
                    f"views.{name}: torch reserves this name. Call the view something else."
                )
        return terms
