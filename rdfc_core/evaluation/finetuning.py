"""Networks that labels train: towers with a head, from scratch or from what a pretext learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rdfc_core.config.settings import AnyPrecision, SupervisedSettings
from rdfc_core.errors import DataError, StudyError
from rdfc_core.evaluation.classifiers import Head, LogisticProbe, class_weights
from rdfc_core.evaluation.hybrid import Hybrid
from rdfc_core.evaluation.layer_groups import Plan, modules
from rdfc_core.interfaces import Pretext, Tower, View
from rdfc_core.results.vocabulary import EMBEDDING
from rdfc_core.training.autocast import towers_in_half
from rdfc_core.training.batches import endless_batches, label_steps
from rdfc_core.training.device import device_for
from rdfc_core.training.memory_format import channels_last
from rdfc_core.training.optim import optimizer_for, set_learning_rates
from rdfc_core.training.schedule import supervised_factor
from rdfc_core.training.seeding import seeded
from rdfc_core.utils.progress import Advance
from rdfc_core.views.feature_view import FeatureView

BATCH = 256

NO_EMBEDDINGS = (
    "evaluate.supervised.head: this pretext has no embeddings for a head to stand on. Use head: "
    "features."
)

PARTS = 10
"""Of a training with labels; after each its loss is looked at, and its progress told."""


@dataclass(frozen=True)
class Initialisation:
    """Where networks begin.

    Args:
        views: View name → the fitted view.
        trained: The pretext with what it learnt.
        fresh: The study's pretext with the fresh weights of a seed.
        classes: C.
    """

    views: Mapping[str, View]
    trained: Pretext
    fresh: Callable[[int], Pretext]
    classes: int

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
        return Hybrid(towers, head, projector, frozen, tuple(raw), settings.head_scale, projections)

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


def fit(
    network: Hybrid,
    views: Mapping[str, View],
    cases: Mapping[str, Tensor],
    truth: NDArray[np.int64],
    settings: SupervisedSettings,
    precision: AnyPrecision,
    balanced: bool,
    seed: int,
    plan: Plan | None = None,
    probe: LogisticProbe | None = None,
    advance: Advance | None = None,
) -> None:
    """Train a network with labels, in place: cross-entropy on the views' random variations.

    Args:
        network: With the weights to begin with.
        views: View name → the view, for its augmentation.
        cases: View name → (N, …), the training cases as collated.
        truth: (N,) class indices.
        settings: Budget, optimiser, and the course of the learning rate.
        precision: Number format of the forward pass.
        balanced: Weigh classes by their rarity.
        seed: Decides order, augmentation and dropout.
        plan: Factors on the learning rate.
        probe: Fitted first, on the same cases as they are, for the head to begin with (Kumar et
            al. 2022, "Fine-tuning can distort pretrained features"); None: as the head is.
        advance: Told of a tenth of the steps at a time.

    Raises:
        DataError: If the loss is no longer finite.
        StudyError: If gradients would be wrong in this precision.
    """
    fabric = device_for(precision)
    generator = torch.Generator().manual_seed(seed)
    towers = [tower for tower in network.towers if isinstance(tower, Tower)]
    half = towers_in_half(
        network, towers, precision, fabric.device, "evaluate.supervised.precision"
    )
    with seeded(seed), channels_last(towers, fabric.device), half:
        optimizer = optimizer_for(_rates(network, plan or Plan(), settings), settings)
        peaks = [group["lr"] for group in optimizer.param_groups]
        steps = label_steps(len(truth), settings)
        model, optimizer = fabric.setup(network, optimizer)
        targets = fabric.to_device(torch.from_numpy(truth))
        weight = class_weights(targets, network.head.classes.out_features) if balanced else None
        inputs = {name: fabric.to_device(cases[name]) for name in network.views}
        if probe is not None:
            seen = _each_batch(network, inputs, network.seen).numpy()
            probe.fit({"seen": seen}, truth, network.head.classes.out_features)
            network.head.begin_with(probe.model.weight, probe.model.bias)
        model.train()
        losses: list[Tensor] = []
        batches = endless_batches(len(truth), settings.batch_size, generator)
        for step, chosen in zip(range(steps), batches, strict=False):
            set_learning_rates(optimizer, peaks, supervised_factor(settings, step, steps))
            rows = fabric.to_device(chosen)
            drawn = {n: views[n].augment(one[rows], generator) for n, one in inputs.items()}
            loss = functional.cross_entropy(model(drawn).float(), targets[rows], weight)
            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()
            losses.append(loss.detach())
            if parts := (step + 1) * PARTS // steps - step * PARTS // steps:
                mean = _finite_mean(losses, step)
                losses = []
                if advance:
                    advance(parts, note=f"loss {mean:.3f}")
    network.eval()


def _finite_mean(losses: Sequence[Tensor], step: int) -> float:
    mean = float(torch.stack(list(losses)).mean())
    if not np.isfinite(mean):
        raise DataError(
            f"The loss of training with labels became {mean} by step {step + 1}. Lower "
            "evaluate.supervised.learning_rate, or set its precision to 32-true."
        )
    return mean


def _rates(
    network: Hybrid, plan: Plan, settings: SupervisedSettings
) -> list[dict[str, list[nn.Parameter] | float]]:
    """Parameters by their learning rate, those that stand in no group at the settings' own."""
    base = settings.learning_rate
    scale: dict[int, float] = {}
    for view, tower in zip(network.views, network.towers, strict=True):
        scale |= {id(parameter): 1.0 for parameter in tower.parameters()}
        for group, factor in plan.scale.items():
            if group[0] == view:
                members = modules({view: tower}, frozenset([group]))  # type: ignore[dict-item]
                scale |= {id(p): factor for member in members for p in member.parameters()}
    by_rate: dict[float, list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            factor = scale.get(id(parameter), plan.head)
            by_rate.setdefault(base * factor, []).append(parameter)
    return [{"params": members, "lr": rate} for rate, members in by_rate.items()]


def predict(network: Hybrid, cases: Mapping[str, Tensor]) -> NDArray[np.float64]:
    """Class probabilities of N cases without augmentation, (N, C)."""
    found = _each_batch(network, cases, lambda batch: torch.softmax(network(batch).double(), dim=1))
    return found.numpy()


def _each_batch(
    network: Hybrid, cases: Mapping[str, Tensor], what: Callable[[Mapping[str, Tensor]], Tensor]
) -> Tensor:
    """What a network in evaluation mode gives for N cases, (N, …), on the CPU."""
    network.eval()
    device = next(network.parameters()).device
    count = len(cases[network.views[0]])
    with torch.inference_mode():
        found = [
            what({n: cases[n][start : start + BATCH].to(device) for n in network.views}).cpu()
            for start in range(0, count, BATCH)
        ]
    return torch.cat(found)
