"""Where networks begin: fresh weights, or what a pretext learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.errors import StudyError
from rdfc_core.interfaces import Pretext, Tower, View
from rdfc_core.models.head import Head
from rdfc_core.models.hybrid import Hybrid
from rdfc_core.models.layer_groups import Plan, modules
from rdfc_core.results.vocabulary import CLASSIFICATION, EMBEDDING, TaskName
from rdfc_core.training.seeding import seeded
from rdfc_core.views.feature_view import FeatureView

NO_EMBEDDINGS = (
    "evaluate.supervised.head: this pretext has no embeddings for a head to stand on. Use head: "
    "features."
)


@dataclass(frozen=True)
class Initialisation:
    """Where networks begin.

    Args:
        views: View name → the fitted view.
        trained: The pretext with what it learnt.
        fresh: The study's pretext with the fresh weights of a seed.
        classes: C, the width of the head.
        task: What the head gives.
    """

    views: Mapping[str, View]
    trained: Pretext
    fresh: Callable[[int], Pretext]
    classes: int
    task: TaskName = CLASSIFICATION

    def network(
        self,
        names: Sequence[str],
        settings: SupervisedSettings,
        seed: int,
        plan: Plan | None,
        blank: bool = False,
    ) -> Hybrid:
        """A network on these views.

        Args:
            names: The views.
            settings: Say what the head stands on.
            seed: Decides all fresh weights.
            plan: How pretrained towers are treated; None: all weights are fresh. Views that the
                pretext did not train are fresh in any case.
            blank: Whatever weights, since others are loaded over them.

        Raises:
            StudyError: If the head is to stand on embeddings and the pretext has none.
        """
        with seeded(seed):
            # Blank without a plan: what is called scratch begins with no published weights.
            views = {name: self.views[name] for name in names}
            bare = blank or plan is None
            towers = {n: v.blank_tower() if bare else v.tower() for n, v in views.items()}
            if plan is not None:
                self._load(towers, plan)
            projector = None
            if settings.head == EMBEDDING:
                projector = deepcopy(self.trained) if plan is not None else self.fresh(seed)
                projector = projector.cpu()
            raw = self._handcrafted(names) if settings.raw_features else {}
            widths, projections = _widths(towers, projector)
            widths += raw.values()
            head = Head(widths, self.classes, direct=projector is not None)
        frozen = modules(towers, plan.freeze) if plan is not None else ()
        return Hybrid(
            towers,
            head,
            projector,
            frozen,
            tuple(raw),
            settings.head_scale,
            projections,
            self.task,
        )

    def _handcrafted(self, names: Sequence[str]) -> dict[str, int]:
        """The views of handcrafted features among these, and how many features each has."""
        views = {name: self.views[name] for name in names}
        return {name: len(v.names) for name, v in views.items() if isinstance(v, FeatureView)}

    def _load(self, towers: Mapping[str, Tower], plan: Plan) -> None:
        """Pretrained weights into the towers, but for the groups that begin afresh."""
        fresh = {module: deepcopy(module.state_dict()) for module in modules(towers, plan.reinit)}
        for name, tower in self.trained.encoders().items():
            if name in towers:
                towers[name].load_state_dict(tower.state_dict())
        for module, state in fresh.items():
            module.load_state_dict(state)


def _widths(
    towers: Mapping[str, Tower], projector: Pretext | None
) -> tuple[list[int], dict[str, nn.Module]]:
    """Width of each view before the head; and projections for views that the pretext left out."""
    if projector is None:
        return [tower.out_features for tower in towers.values()], {}
    embedded = projector.embed({n: torch.zeros(2, t.out_features) for n, t in towers.items()})
    if not embedded:
        raise StudyError(NO_EMBEDDINGS)
    widths = [rows.shape[1] for rows in embedded.values()]
    missing = {name: t for name, t in towers.items() if name not in embedded}
    projections = {n: nn.Linear(tower.out_features, widths[0]) for n, tower in missing.items()}
    return [*widths, *[widths[0]] * len(missing)], dict(projections)
