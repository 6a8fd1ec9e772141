"""Promises of a fitted view: its state, its batches, its variations, its tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from rdfc_core.contract.global_state import left_alone
from rdfc_core.contract.networks import require_batch, require_draw, require_finite, require_rows
from rdfc_core.contract.promises import require
from rdfc_core.contract.tasks import require_tower_of
from rdfc_core.interfaces import Prepared, Tower, View
from rdfc_core.interfaces.collated import Collated, alike, count, each


def require_state(state: Any, who: str) -> None:
    """What `fit` learnt is plain arrays of numbers by name."""
    require(
        isinstance(state, Mapping) and all(isinstance(v, np.ndarray) for v in state.values()),
        f"{who}.state() has to be a dict of numpy arrays.",
    )
    for key, value in state.items():
        require(
            isinstance(key, str) and value.dtype.kind in "biuf",
            f"{who}.state()[{key!r}] is of type {value.dtype}; keep plain numbers, which are "
            "saved without pickle.",
        )


def require_round_trip(view: View, blank: View, prepared: Sequence[Prepared], who: str) -> Collated:
    """A new view with the same state collates alike.

    Args:
        view: Fitted on the cases.
        blank: Another view of the same options, not fitted; takes the state over.
        prepared: The cases.
        who: The view, for messages.

    Returns:
        The cases collated.
    """
    state = view.state()
    require_state(state, who)
    batch = view.collate(prepared)
    require_batch(batch, len(prepared), who)
    blank.load_state({key: value.copy() for key, value in state.items()})
    require(
        alike(blank.collate(prepared), batch),
        f"{who}: a new view with the same state collates differently; put all that fit learns "
        "into state().",
    )
    return batch


def require_same_towers(view: View, blank: View, who: str) -> None:
    """A new view with the same state makes a network of the same shape."""
    shapes = [[p.shape for p in one.tower().parameters()] for one in (view, blank)]
    require(
        shapes[0] == shapes[1],
        f"{who}: a new view with the same state makes another tower; let the tower depend on "
        "options and state only.",
    )


def require_variation(view: View, batch: Collated, who: str) -> None:
    """A variation draws from its generator alone, keeps form and type, and leaves the batch."""
    before = each(batch, torch.clone)
    with left_alone(f"{who}.augment()"):
        drawn = view.augment(batch, torch.Generator().manual_seed(0))
    require_draw(drawn, batch, before, who)
    require(
        alike(drawn, view.augment(batch, torch.Generator().manual_seed(0))),
        f"{who}.augment() gave another result for the same generator; draw all randomness from it.",
    )


def require_tower(view: View, batch: Collated, who: str) -> Tower:
    """The view makes a tower, whose features are as wide as it says.

    Returns:
        The tower.
    """
    tower = view.tower()
    require_tower_of(tower, who)
    with torch.no_grad():
        rows = tower.eval()(batch)
    require_rows(rows, count(batch), tower.out_features, f"The tower of {who}")
    require_finite(rows, f"The tower of {who}")
    return tower
