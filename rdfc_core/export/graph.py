"""What a run predicts, as one network: from pictures and measured features to probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rdfc_core.export.inputs import Port, batch_of
from rdfc_core.interfaces.collated import Collated
from rdfc_core.models.hybrid import Hybrid
from rdfc_core.models.linear_model import LinearModel
from rdfc_core.models.members import LEARNT, MEASURED, LinearMember, Member, NetworkMember
from rdfc_core.models.model import Model
from rdfc_core.models.outputs import OUTPUTS
from rdfc_core.results.vocabulary import CLASSIFICATION, FEATURES, SELECTED, TaskName
from rdfc_core.views.feature_view import FeatureView


class Standardiser(nn.Module):
    """As `FeatureView.collate`: (N, F) measured, NaN where one is missing → imputed, standardised.

    Args:
        view: Fitted.
    """

    median: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, view: FeatureView) -> None:
        super().__init__()
        state = view.state()
        for name in ("median", "mean", "scale"):
            self.register_buffer(name, torch.from_numpy(np.asarray(state[name], np.float64)))
        self.clip = view.config.clip

    def forward(self, measured: Tensor) -> Tensor:
        """(N, F) → (N, F)."""
        filled = torch.where(torch.isnan(measured), self.median, measured)
        values = (filled - self.mean) / self.scale
        if self.clip is not None:
            values = values.clamp(-self.clip, self.clip)
        return values.float()


class Linear64(nn.Module):
    """A linear map in double precision, as `LinearMember` and `LinearModel` compute it.

    Args:
        weight: (C, F).
        fill: (F,) for what is missing; without columns nothing is filled in.
    """

    weight: Tensor
    fill: Tensor

    def __init__(self, weight: NDArray[np.float64], fill: NDArray[np.float64]) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(np.asarray(weight, np.float64)))
        self.register_buffer("fill", torch.from_numpy(np.asarray(fill, np.float64)))

    def forward(self, table: Tensor) -> Tensor:
        """(N, F) → (N, C)."""
        table = table.double()
        if self.fill.numel():
            table = torch.where(torch.isnan(table), self.fill, table)
        return table @ self.weight.T


class Calibrated(nn.Module):
    """What one member says, at its temperature.

    Args:
        task: What members say.
        temperature: Of probabilities; numbers have none.
    """

    def __init__(self, task: TaskName, temperature: float) -> None:
        super().__init__()
        self.task, self.temperature = task, temperature

    def answer(self, outputs: Tensor) -> Tensor:
        """(N, C) outputs of a last layer → probabilities or numbers, float64."""
        said = OUTPUTS[self.task].of_tensor(outputs)
        if self.task != CLASSIFICATION or self.temperature == 1:
            return said
        floor = float(np.finfo(np.float64).tiny)  # as rdfc_core.models.temperature
        return torch.softmax(torch.log(said.clamp(min=floor)) / self.temperature, dim=1)


class LinearAnswer(Calibrated):
    """A `LinearMember`: the sum of linear maps of its sources."""

    bias: Tensor

    def __init__(self, member: LinearMember, temperature: float) -> None:
        super().__init__(member.task, temperature)
        self.sources = tuple(member.weights)
        self.maps = nn.ModuleList(Linear64(w, member.fill) for w in member.weights.values())
        self.register_buffer("bias", torch.from_numpy(np.asarray(member.bias, np.float64)))

    def forward(self, tables: Mapping[str, Tensor], cases: Mapping[str, Collated]) -> Tensor:
        """Source → (N, F), and the collated cases → (N, C)."""
        logits = self.bias
        for source, linear in zip(self.sources, self.maps, strict=True):
            logits = logits + linear(tables[source])
        return self.answer(logits)


class NetworkAnswer(Calibrated):
    """A `NetworkMember`: its network on the collated cases."""

    sources: tuple[str, ...] = ()

    def __init__(self, network: Hybrid, temperature: float) -> None:
        super().__init__(network.task, temperature)
        self.network = network

    def forward(self, tables: Mapping[str, Tensor], cases: Mapping[str, Collated]) -> Tensor:
        """The collated cases → (N, C)."""
        return self.answer(self.network(cases))


class ModelGraph(nn.Module):
    """What the model of one split says by a method.

    Args:
        model: In evaluation mode.
        method: What was chosen, or one of the candidates.
    """

    def __init__(self, model: Model, method: str = SELECTED) -> None:
        super().__init__()
        answers = _answers(model, method)
        self.answers = nn.ModuleList(answers)
        self.layer = FEATURES if model.selection is not None else model.layer
        self.pretext = model.pretext
        self.views = needed_views(model, method)
        self.standardisers = nn.ModuleDict(
            {
                name: Standardiser(view)
                for name, view in model.views.items()
                if name in self.views and isinstance(view, FeatureView)
            }
        )
        asked = {source for answer in answers for source in answer.sources}
        self.towers = [
            name
            for name in model.pretext.encoders()
            # An embedding may depend on all towers.
            if self.layer != FEATURES or f"{LEARNT}.{name}" in asked
        ]

    def forward(self, batch: Mapping[str, Collated]) -> Tensor:
        """View → the cases as an exported model gets them; (N, C)."""
        cases = dict(batch)
        tables: dict[str, Tensor] = {}
        for name, standardiser in self.standardisers.items():
            measured = batch[name]
            assert isinstance(measured, Tensor)
            tables[f"{MEASURED}.{name}"] = measured
            cases[name] = standardiser(measured)
        for name, one in cases.items():
            if isinstance(one, Tensor) and one.ndim == 2:
                tables[f"standard.{name}"] = one
        encoders = self.pretext.encoders()
        features = {name: encoders[name](cases[name]).float() for name in self.towers}
        learnt = (
            {name: functional.normalize(one) for name, one in features.items()}
            if self.layer == FEATURES
            else self.pretext.embed(features)
        )
        tables |= {f"{LEARNT}.{name}": one for name, one in learnt.items()}
        said = [answer(tables, cases) for answer in self.answers]
        return torch.stack(said).mean(dim=0)


class RunGraph(nn.Module):
    """The mean over the models of a run: one tensor an input → probabilities or numbers, (N, C).

    Args:
        graphs: One a split.
        ports: The inputs in their order.
    """

    def __init__(self, graphs: Sequence[ModelGraph], ports: Sequence[Port]) -> None:
        super().__init__()
        self.graphs = nn.ModuleList(graphs)
        self.ports = tuple(ports)

    def forward(self, *tensors: Tensor) -> Tensor:
        """As many tensors as there are inputs, (N, …) each → (N, C) float64."""
        batch = batch_of(self.ports, tensors)
        return torch.stack([graph(batch) for graph in self.graphs]).mean(dim=0)


def needed_views(model: Model, method: str) -> tuple[str, ...]:
    """The views that a method looks at, in the order of the study."""
    asked: set[str] = set()
    for one in _members(model, method).values():
        if isinstance(one, NetworkMember):
            asked |= set(one.network.views) | set(one.network.raw)
        elif isinstance(one, LinearMember):
            asked |= {source.partition(".")[2] for source in one.weights}
    if model.selection is None and model.layer != FEATURES:
        asked |= set(model.pretext.encoders())  # all towers have a say in each embedding
    return tuple(name for name in model.views if name in asked)


def _members(model: Model, method: str) -> dict[str, Member]:
    if model.selection is None:
        assert model.classifier is not None
        return {"": _of_classifier(model, model.classifier)}
    names = model.selection.members if method == SELECTED else (method,)
    return {name: model.members[name] for name in names}


def _of_classifier(model: Model, classifier: LinearModel) -> LinearMember:
    """The linear classifier of a model without a selection, on its features or embeddings."""
    towers = model.pretext.encoders()
    if model.layer == FEATURES:
        widths = {name: towers[name].out_features for name in classifier.views}
    else:
        zeros = {name: torch.zeros(2, tower.out_features) for name, tower in towers.items()}
        embedded = model.pretext.embed(zeros)
        widths = {name: int(embedded[name].shape[1]) for name in classifier.views}
    ends = np.cumsum([0, *widths.values()])
    parts = {
        f"{LEARNT}.{name}": classifier.weight[:, start:end]
        for name, start, end in zip(widths, ends[:-1], ends[1:], strict=True)
    }
    return LinearMember(parts, classifier.bias, np.zeros(0), classifier.task)


def _answers(model: Model, method: str) -> list[LinearAnswer | NetworkAnswer]:
    ranking = model.selection.ranking if model.selection else ()
    heat = {one.candidate: one.temperature for one in ranking}
    found: list[LinearAnswer | NetworkAnswer] = []
    for name, one in _members(model, method).items():
        temperature = heat.get(name, 1.0)
        if isinstance(one, NetworkMember):
            found.append(NetworkAnswer(one.network, temperature))
        elif isinstance(one, LinearMember):
            found.append(LinearAnswer(one, temperature))
        else:
            raise TypeError(f"the method {name} of {type(one).__name__} has no graph")
    return found
