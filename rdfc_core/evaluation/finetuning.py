"""Networks that labels train: towers with a head, from scratch or from what a pretext learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn

from rdfc_core.config.supervised_settings import SupervisedSettings
from rdfc_core.config.training_settings import AnyPrecision
from rdfc_core.data.targets import Truth
from rdfc_core.errors import DataError
from rdfc_core.evaluation.classifiers import LinearProbe
from rdfc_core.evaluation.losses import LOSSES, TargetLoss
from rdfc_core.interfaces import Tower, View
from rdfc_core.interfaces.collated import Collated, rows, to_device
from rdfc_core.models.hybrid import Hybrid, each_batch
from rdfc_core.models.layer_groups import Plan, modules
from rdfc_core.training.autocast import towers_in_half
from rdfc_core.training.batches import endless_batches, label_steps
from rdfc_core.training.device import device_for
from rdfc_core.training.memory_format import channels_last
from rdfc_core.training.optim import optimizer_for, set_learning_rates
from rdfc_core.training.schedule import schedule_for
from rdfc_core.training.seeding import seeded
from rdfc_core.training.small_maps import as_products
from rdfc_core.utils.progress import Advance

PARTS = 10
"""Of a training with labels; after each its loss is looked at, and its progress told."""


def fit(
    network: Hybrid,
    views: Mapping[str, View],
    cases: Mapping[str, Collated],
    truth: Truth,
    settings: SupervisedSettings,
    precision: AnyPrecision,
    balanced: bool,
    seed: int,
    plan: Plan | None = None,
    probe: LinearProbe | None = None,
    advance: Advance | None = None,
) -> None:
    """Train a network with labels, in place: its task's loss on the views' random variations.

    Args:
        network: With the weights to begin with.
        views: View name → the view, for its augmentation.
        cases: View name → (N, …), the training cases as collated.
        truth: (N,) class indices, or numbers.
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
    quick = as_products(towers) if fabric.device.type == "cpu" else nullcontext()
    with seeded(seed), channels_last(towers, fabric.device), half, quick:
        optimizer = optimizer_for(_rates(network, plan or Plan(), settings), settings)
        peaks = [group["lr"] for group in optimizer.param_groups]
        steps, schedule = label_steps(len(truth), settings), schedule_for(settings)
        model, optimizer = fabric.setup(network, optimizer)
        loss_of = LOSSES[network.task](truth, network.head.classes.out_features, balanced)
        loss_of.to(fabric.device)
        inputs = {name: to_device(cases[name], fabric.device) for name in network.views}
        if probe is not None:
            _begin_head_with(probe, network, inputs, truth, loss_of)
        model.train()
        losses: list[Tensor] = []
        batches = endless_batches(len(truth), settings.batch_size, generator)
        for step, chosen in zip(range(steps), batches, strict=False):
            set_learning_rates(optimizer, peaks, schedule.factor(step, steps))
            asked = fabric.to_device(chosen)
            drawn = {n: views[n].augment(rows(one, asked), generator) for n, one in inputs.items()}
            loss = loss_of.of(model(drawn).float(), loss_of.targets[asked])
            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()
            losses.append(loss.detach())
            if parts := (step + 1) * PARTS // steps - step * PARTS // steps:
                mean = _finite_mean(losses, step)
                losses = []
                if advance:
                    advance(parts, note=f"loss {mean:.3f}")
    loss_of.end_head(network.head)
    network.eval()


def _begin_head_with(
    probe: LinearProbe,
    network: Hybrid,
    inputs: Mapping[str, Collated],
    truth: Truth,
    loss: TargetLoss,
) -> None:
    """Fit the probe on what the head sees of the cases as they are, and give the head its layer."""
    seen = each_batch(network, inputs, network.seen).numpy()
    probe.fit({"seen": seen}, truth, network.head.classes.out_features)
    loss.begin_head(network.head, probe.model.weight, probe.model.bias)


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
