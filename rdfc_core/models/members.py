"""What a trained method is as plain arrays, and as a model again: linear maps and networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.interfaces import MemoryQueue, MemoryStore, Pretext, View
from rdfc_core.interfaces.collated import Collated
from rdfc_core.models.hybrid import Hybrid, predict
from rdfc_core.models.initialisation import Initialisation
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.results.schema import Selection
from rdfc_core.results.vocabulary import CLASSIFICATION, SELECTED, TaskName

Arrays = Mapping[str, NDArray[Any]]

LEARNT, STANDARD, MEASURED = "learnt", "standard", "measured"
"""What a linear map stands on: a view's learnt features of unit length; its rows of numbers
(handcrafted features, columns), standardised as the view does; and handcrafted features as they
were measured, NaN where one is missing."""

NEVER = -1e4
"""Logit of a class that no case was seen of: finite, and next to impossible."""

NETWORK, PROJECTOR = "network.", "projector."


@dataclass(frozen=True)
class Inputs:
    """The same N cases in every form that a member may ask for.

    Args:
        learnt: View name → (N, F).
        standard: View name → (N, F) as collated, for views whose cases are rows of numbers.
        measured: Handcrafted features as measured.
        cases: View name → (N, …) as collated.
    """

    learnt: Mapping[str, NDArray[np.float32]]
    standard: Mapping[str, NDArray[np.float32]]
    measured: Mapping[str, NDArray[np.float64]]
    cases: Mapping[str, Collated]

    def of(self, source: str) -> NDArray[np.float64]:
        """What a source such as ``learnt.image`` names, (N, F)."""
        kind, _, view = source.partition(".")
        return np.asarray(getattr(self, kind)[view], np.float64)


class Member(Protocol):
    """A method that has learnt."""

    def predict(self, inputs: Inputs) -> NDArray[np.float64]:
        """Class probabilities of N cases, (N, C), or numbers, (N, 1)."""

    def arrays(self) -> Arrays:
        """To be saved; `member` makes the method of them again."""


@dataclass(frozen=True)
class LinearMember:
    """The summed linear maps of its sources; of classes their softmax.

    Args:
        weights: Source → (C, F).
        bias: (C,).
        fill: (F,) for what is missing among the measured features; without columns otherwise.
        task: What the maps give.
    """

    weights: Arrays
    bias: NDArray[np.float64]
    fill: NDArray[np.float64]
    task: TaskName = CLASSIFICATION

    def predict(self, inputs: Inputs) -> NDArray[np.float64]:
        """Class probabilities of N cases, (N, C), or numbers, (N, 1)."""
        logits = self.bias
        for source, weight in self.weights.items():
            table = inputs.of(source)
            if self.fill.size:
                table = np.where(np.isnan(table), self.fill, table)
            logits = logits + table @ weight.T
        return OUTPUTS[self.task].of_array(logits)

    def arrays(self) -> Arrays:
        """To be saved."""
        bias = np.maximum(self.bias, NEVER) if self.task == CLASSIFICATION else self.bias
        return {**self.weights, "bias": bias, "fill": self.fill}


@dataclass(frozen=True)
class NetworkMember:
    """Towers with a head, fine-tuned.

    Args:
        network: In evaluation mode.
        pretext: That the network began from, and need not be saved twice.
    """

    network: Hybrid
    pretext: Pretext

    def predict(self, inputs: Inputs) -> NDArray[np.float64]:
        """Class probabilities of N cases, (N, C), or numbers, (N, 1)."""
        return predict(self.network, inputs.cases)

    def arrays(self) -> Arrays:
        """To be saved: without what training alone needs, or is the pretext's own still."""
        own, left_out = self.pretext.state_dict(), training_keys(self.pretext)
        found = {}
        for key, value in self.network.state_dict().items():
            name = key.removeprefix(PROJECTOR) if key.startswith(PROJECTOR) else None
            if name is None or not (
                name in left_out or torch.equal(value.cpu(), own[name].detach().cpu())
            ):
                found[NETWORK + key] = value.detach().cpu().numpy()
        return found


def of_probe(model: LinearModel, widths: Sequence[int]) -> LinearMember:
    """A linear model on learnt features, each of whose views has so many."""
    ends = np.cumsum([0, *widths])
    parts = {
        f"{LEARNT}.{view}": model.weight[:, start:end]
        for view, start, end in zip(model.views, ends[:-1], ends[1:], strict=True)
    }
    return LinearMember(parts, model.bias, np.zeros(0), model.task)


def member(
    arrays: Arrays,
    views: Mapping[str, View],
    pretext: Pretext,
    settings: SupervisedSettings,
    classes: int,
    task: TaskName = CLASSIFICATION,
) -> Member:
    """A method from what was saved of it.

    Args:
        arrays: As ``arrays`` of either kind gives them.
        views: View name → the fitted view.
        pretext: That it began from.
        settings: Say what a network's head stands on.
        classes: C, the width of what it says.
        task: What it says.

    Raises:
        ValueError: If they do not belong together.
    """
    if not any(key.startswith(NETWORK) for key in arrays):
        weights = {k: v for k, v in arrays.items() if k not in ("bias", "fill")}
        if {a.shape[0] for a in (*weights.values(), arrays["bias"])} != {classes}:
            raise ValueError(f"a linear model is not for its {classes} classes")
        return LinearMember(weights, arrays["bias"], arrays["fill"], task)
    initialisation = Initialisation(views, pretext, lambda _: deepcopy(pretext), classes, task)
    net = initialisation.network(list(views), settings, 0, None, blank=True)
    own = net.state_dict()
    given = {k.removeprefix(NETWORK): torch.from_numpy(v.copy()) for k, v in arrays.items()}
    if missing := {k for k in own if not k.startswith(PROJECTOR)} - set(given):
        raise ValueError(f"its fine-tuned network lacks {min(missing)}")
    net.load_state_dict({**own, **given})
    net.eval()
    return NetworkMember(net, pretext)


def answer(
    selection: Selection,
    members: Mapping[str, Member],
    inputs: Inputs,
    method: str,
    task: TaskName = CLASSIFICATION,
) -> NDArray[np.float64]:
    """What is said of N cases, (N, C), by the chosen model or by one member of it.

    Args:
        selection: What was chosen, and what calibrates each candidate.
        members: Candidate → what it has learnt.
        inputs: The cases.
        method: `SELECTED`, or the name of a candidate.
        task: What members say.
    """
    names = selection.members if method == SELECTED else (method,)
    heat = {one.candidate: one.temperature for one in selection.ranking}
    tempered = OUTPUTS[task].tempered
    said = [tempered(members[n].predict(inputs), heat.get(n, 1.0)) for n in names]
    return np.asarray(np.mean(said, axis=0))


def training_keys(pretext: Pretext) -> set[str]:
    """Names of a pretext's numbers that no model needs once it is trained.

    A memory's, which tell what training cases look like to it, and those of further towers.
    """
    towers = {id(tower) for tower in pretext.further_towers()}
    return {
        f"{name}.{key}"
        for name, module in pretext.named_modules(remove_duplicate=False)
        if isinstance(module, MemoryStore | MemoryQueue) or id(module) in towers
        for key in module.state_dict()
    }
