"""Cases in every form that a saved method may ask for, and the space that it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from rdfc_core.interfaces import Prepared, View
from rdfc_core.models.members import (
    LEARNT,
    MEASURED,
    STANDARD,
    Inputs,
    LinearMember,
    Member,
    NetworkMember,
)
from rdfc_core.results.vocabulary import FEATURES
from rdfc_core.views.feature_view import FeatureView

if TYPE_CHECKING:
    from rdfc_core.models.model import Model

BATCH = 256


def inputs_of(
    views: Mapping[str, View],
    learnt: Mapping[str, NDArray[np.float32]],
    prepared: Mapping[str, Sequence[Prepared]],
) -> Inputs:
    """Prepared cases in every form that a member may ask for.

    Args:
        views: View name → the fitted view.
        learnt: View name → (N, F), what the pretext makes of the cases.
        prepared: View name → N cases.
    """
    cases = {name: view.collate(prepared[name]) for name, view in views.items()}
    flat = {n: one for n, one in cases.items() if isinstance(one, torch.Tensor)}
    return Inputs(
        learnt=learnt,
        standard={name: one.numpy() for name, one in flat.items() if one.ndim == 2},
        measured={
            name: view.measured(prepared[name])[:]
            for name, view in views.items()
            if isinstance(view, FeatureView)
        },
        cases=cases,
    )


def sources_of(model: Model) -> tuple[str, ...]:
    """The features that a model's answer stands on, such as ``learnt.image``.

    Handcrafted features count as the view standardises them. A fine-tuned network counts by what
    it began from: its own features have been fitted to the training cases' labels, to which new
    cases would seem far by that alone.
    """
    learnt = list(model.pretext.encoders())
    if model.selection is None:
        return tuple(f"{LEARNT}.{name}" for name in learnt)
    members = (model.members[name] for name in model.selection.members)
    return tuple(dict.fromkeys(s for one in members for s in _sources(one, learnt)))


def _sources(member: Member, learnt: Sequence[str]) -> list[str]:
    if isinstance(member, LinearMember):
        return [source.replace(f"{MEASURED}.", f"{STANDARD}.") for source in member.weights]
    if isinstance(member, NetworkMember):
        views = member.network.views
        return [f"{LEARNT if view in learnt else STANDARD}.{view}" for view in views]
    raise TypeError(f"{type(member).__name__} does not say which features it stands on")


def positions(
    model: Model, prepared: Mapping[str, Sequence[Prepared]], sources: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Where cases lie: source → (N, F).

    Args:
        model: Trained.
        prepared: View name → N cases, at least one.
        sources: Of `sources_of`.
    """
    count = len(next(iter(prepared.values())))
    found: dict[str, list[NDArray[np.float32]]] = {source: [] for source in sources}
    for start in range(0, count, BATCH):
        some = {name: own[start : start + BATCH] for name, own in prepared.items()}
        inputs = inputs_of(model.views, model.outputs(some)[FEATURES], some)
        for source in sources:
            found[source].append(inputs.of(source).astype(np.float32))
    return {source: np.concatenate(parts) for source, parts in found.items()}
