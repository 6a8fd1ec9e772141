"""A model with fresh weights: towers and pretext, held to their contracts as they are built."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.tasks import require_encoders, require_tower_of
from rdfc_core.interfaces import Pretext, Tower, View
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.registry import Registry
from rdfc_core.training.seeding import seeded


def fresh_pretext(
    study: ResolvedStudy,
    registry: Registry,
    views: Mapping[str, View],
    cases: int,
    seed: int,
    blank: bool = False,
) -> Pretext:
    """A pretext with fresh towers for fitted views; the same for the same seed.

    Args:
        study: Names the pretext.
        registry: Where components come from.
        views: Fitted.
        cases: N, the number of pretext cases.
        seed: Decides the weights.
        blank: Leave out the weights that towers may begin with: others are loaded over them.
    """
    with seeded(seed):
        pretext: Pretext = study.pretext.build(registry)
        towers = {name: _tower(view, blank) for name, view in views.items()}
        with held_to_contract(pretext):
            with left_alone(f"{type(pretext).__name__}.build()", weights=True):
                pretext.build(towers, cases, torch.Generator().manual_seed(seed))
            require_encoders(pretext, views)
    return pretext


def _tower(view: View, blank: bool) -> Tower:
    who = type(view).__name__
    with held_to_contract(view):
        with left_alone(f"{who}.tower()", weights=True):
            tower = view.blank_tower() if blank else view.tower()
        require_tower_of(tower, who)
    return tower


def network_part(view: View) -> object:
    """The component that makes a view's network: an image encoder behind it, or the view."""
    return getattr(view, "encoder", view)
