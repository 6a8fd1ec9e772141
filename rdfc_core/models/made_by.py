"""What a saved model was made by: recipes, versions, and what its components gave for phantoms."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from rdfc_core.config.resolve import ResolvedStudy
from rdfc_core.extraction.needs import needs_of, preparer_of
from rdfc_core.interfaces import Prepared, View
from rdfc_core.interfaces.collated import to_device
from rdfc_core.models.phantoms import phantoms
from rdfc_core.plugin.registry import Registry

if TYPE_CHECKING:
    from rdfc_core.models.model import Model

Seen = tuple[dict[str, list[Prepared]], dict[str, str]]
"""What views make of phantoms, and why those that make nothing of them do not."""

Arrays = dict[str, NDArray[Any]]


class MadeBy(BaseModel):
    """What ``model.json`` says of the components; the probe's numbers lie with the weights.

    Args:
        ndim: Axes of the tumours that it was trained on, and of the phantoms.
        versions: Component → its distribution and version.
        recipes: View → everything that determined what it made of a case.
        features: View → the names of its numbers; of views without names, nothing.
        unprobed: View → why it made nothing of a phantom.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ndim: int
    versions: dict[str, str]
    recipes: dict[str, dict[str, Any]]
    features: dict[str, tuple[str, ...]]
    unprobed: dict[str, str] = {}


@dataclass(frozen=True)
class Probe:
    """What the components of a model give for phantoms.

    Args:
        made_by: What they are.
        prepared: View → what it makes of each phantom.
        networks: View → (2, F), rows of unit length, of the trained network.
    """

    made_by: MadeBy
    prepared: Mapping[str, Sequence[Prepared]]
    networks: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def arrays(self) -> Arrays:
        """Its numbers, by the names under which they are saved."""
        found: Arrays = {f"network.{view}": rows for view, rows in self.networks.items()}
        for view, cases in self.prepared.items():
            found |= {f"prepared.{view}.{place}": one.array for place, one in enumerate(cases)}
        return found


def versions(study: ResolvedStudy, registry: Registry) -> dict[str, str]:
    """Component → distribution and version, of views, pretext and all that they are made of."""
    tops = [*study.views.values(), study.pretext]
    parts = [part for top in tops for part in top.walk()]
    components = [registry.get(part.kind, part.name) for part in parts]
    return {component.label: component.offered_by for component in components}


def seen_phantoms(views: Mapping[str, View], ndim: int) -> Seen:
    """Show the phantoms to the views."""
    prepared, unprobed = {}, {}
    for name, view in views.items():
        preparer = preparer_of(view)
        try:
            seen = phantoms(ndim, needs_of(preparer))
            prepared[name] = [preparer.prepare(one) for one in seen]
        except Exception as error:  # a view may ask for what no phantom has
            unprobed[name] = f"{type(error).__name__}: {error}"[:300]
    return prepared, unprobed


def probe(
    model: Model,
    study: ResolvedStudy,
    registry: Registry,
    ndim: int,
    seen: Seen | None = None,
) -> Probe:
    """Measure the phantoms with a model's views and networks.

    Args:
        model: Trained.
        study: Names its components.
        registry: Where they come from.
        ndim: Axes of the tumours that it was trained on.
        seen: What `seen_phantoms` gave for the same views; None: it is asked.
    """
    prepared, unprobed = seen or seen_phantoms(model.views, ndim)
    networks, blind = _networks(model, prepared)
    made_by = MadeBy(
        ndim=ndim,
        versions=versions(study, registry),
        recipes={name: plain(view.recipe()) for name, view in model.views.items()},
        features={name: cases[0].names for name, cases in prepared.items() if cases[0].names},
        unprobed={**blind, **unprobed},
    )
    return Probe(made_by, prepared, networks)


def plain(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as it is read back from JSON."""
    found: dict[str, Any] = json.loads(json.dumps(recipe))
    return found


@torch.inference_mode()
def _networks(
    model: Model, prepared: Mapping[str, Sequence[Prepared]]
) -> tuple[dict[str, NDArray[np.float32]], dict[str, str]]:
    """View → rows of unit length, and why a network gives none."""
    rows, blind = {}, {}
    model.pretext.eval()
    for name, tower in model.pretext.encoders().items():
        if name not in prepared:
            continue
        device = next((one.device for one in tower.parameters()), torch.device("cpu"))
        try:
            batch = to_device(model.views[name].collate(prepared[name]), device)
            found = torch.nn.functional.normalize(tower(batch).float())
        except Exception as error:  # a probe is no reason to lose what was trained
            blind[f"the network of {name}"] = f"{type(error).__name__}: {error}"[:300]
            continue
        rows[name] = found.cpu().numpy()
    return rows, blind
