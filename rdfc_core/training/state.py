"""A pretraining in one process: what its steps work with, and what a checkpoint keeps of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from rdfc_core.config.training_settings import PretrainSettings
from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.interfaces import Batch, Pretext, Schedule, Tower, View
from rdfc_core.interfaces.collated import Collated, count, nbytes, to_device
from rdfc_core.training import checkpoint
from rdfc_core.training.autocast import towers_in_half
from rdfc_core.training.batches import batch_count
from rdfc_core.training.convergence import Convergence
from rdfc_core.training.device import device_for
from rdfc_core.training.kept_states import has_ended
from rdfc_core.training.loader import BatchLoader, loader_of
from rdfc_core.training.memory_format import laid_out, like_weights
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.training.optim import optimizer_for
from rdfc_core.training.placement import Residence, chosen
from rdfc_core.training.schedule import schedule_for
from rdfc_core.training.seeding import seeded

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger("rdfc")


def towers_of(pretext: Pretext) -> list[Tower]:
    """All towers that its steps send cases through."""
    return [*pretext.encoders().values(), *pretext.further_towers()]


STEPS = ("forward", "prime", "held_back_metrics")
"""The methods of a pretext that send cases through its towers."""


@dataclass(frozen=True)
class Task:
    """What is to be trained, and on what: all that another process is told of it.

    Args:
        pretext: Built, with fresh weights.
        views: View name → the fitted view, for its augmentation.
        prepared: View name → (N, …), the collated pretext cases.
        settings: Epochs, batch size, optimiser and so on.
        seed: Decides order, augmentation, dropout and negatives.
        held_back: View name → (M, …), collated pretext cases that the task is measured on; empty
            if there are none.
    """

    pretext: Pretext
    views: Mapping[str, View]
    prepared: Mapping[str, Collated]
    settings: PretrainSettings
    seed: int
    held_back: Mapping[str, Collated] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """What an epoch works with; all but the settings change from step to step, or are drawn from.

    Args:
        group: The processes that train together.
        fabric: The device.
        model: The pretext as the device runs it.
        pretext: The pretext itself.
        optimizer: Of the pretext's trained parameters.
        scaler: Of gradients, under 16-mixed; of other precisions it has no state.
        views: View name → the fitted view.
        cases: All of them, in batches for the device.
        settings: Epochs, batch size, learning rate and so on.
        generator: Of order, augmentation and negatives.
        peaks: Learning rate of each of the optimiser's groups, at its highest.
        schedule: The course of the learning rate.
        convergence: The budget, and what was measured so far.
        held_back: View name → (M, …) on the device; empty if no cases are held back.
        seed: Of the draws of a measurement, which is the same however often it is made.
    """

    group: ProcessGroup
    fabric: Fabric
    model: nn.Module
    pretext: Pretext
    optimizer: Any
    scaler: Any
    views: Mapping[str, View]
    cases: BatchLoader
    settings: PretrainSettings
    generator: torch.Generator
    peaks: tuple[float, ...]
    schedule: Schedule
    convergence: Convergence
    held_back: Mapping[str, Collated]
    seed: int

    @torch.no_grad()
    def measured(self) -> dict[str, float]:
        """How well the task is done on the cases that are held back; empty if it cannot tell."""
        if not self.held_back:
            return {}
        cases = count(next(iter(self.held_back.values())))
        generator = torch.Generator().manual_seed(self.seed)
        indices = torch.arange(cases, device=self.fabric.device)
        self.pretext.eval()
        batch = Batch(indices, dict(self.held_back), self.views, generator)
        with seeded(self.seed), self.fabric.autocast():
            found = self.pretext.held_back_metrics(batch)
        self.model.train()
        return {name: float(value) for name, value in found.items()}

    @torch.no_grad()
    def prime(self) -> None:
        """Show every case to the pretext once, before the first step."""
        order = torch.arange(len(self.cases)).tensor_split(
            batch_count(len(self.cases), self.settings.batch_size)
        )
        generator = torch.Generator().manual_seed(self.seed)
        with self.fabric.autocast():
            for indices, own in self.cases.batches(order):
                self.pretext.prime(Batch(indices, own, self.views, generator))

    def state(self, epoch: int) -> dict[str, Any]:
        """All that the epochs after this one depend on.

        All processes of the group ask for it at the same time: memories that are spread over them
        hand over their rows.
        """
        return {
            "epoch": epoch,
            "pretext": dict(self.pretext.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "convergence": self.convergence.state(),
        }


@contextmanager
def begun(
    group: ProcessGroup, task: Task, paths: PretrainPaths | None
) -> Iterator[tuple[Training, int]]:
    """Inside, a training is ready for its next epoch, as its last checkpoint left it.

    Args:
        group: The processes that train together.
        task: What is trained; the networks are laid out as before afterwards.
        paths: Of the checkpoint; None where the leading process hands it over.

    Yields:
        The training, and the number of epochs that it has behind it.

    Raises:
        DataError: If neither the checkpoint nor the one before it can be read.
        StudyError: If a network cannot be compiled, or its gradients would be wrong.
    """
    fabric = device_for(task.settings.precision, group)
    towers = towers_of(task.pretext)
    # Laid out first: processes exchange gradients in the layout that they find.
    precision = task.settings.precision, fabric.device, "pretrain.precision"
    with (
        seeded(task.seed),
        laid_out(towers, task.settings, fabric.device),
        towers_in_half(task.pretext, towers, *precision, STEPS),
    ):
        training = _on_device(fabric, group, task)
        done = _resume(training, paths)
        like_weights(training.optimizer)
        yield training, done


def _on_device(fabric: Fabric, group: ProcessGroup, task: Task) -> Training:
    settings = task.settings
    trained = [p for p in task.pretext.parameters() if p.requires_grad]
    model, optimizer = fabric.setup(task.pretext, optimizer_for([{"params": trained}], settings))
    model.train()
    cases = loader_of(task.prepared, fabric.device, _residence(task))
    return Training(
        group=group,
        fabric=fabric,
        model=model,
        pretext=task.pretext,
        optimizer=optimizer,
        scaler=fabric.strategy.precision,
        views=task.views,
        cases=cases,
        settings=settings,
        generator=torch.Generator().manual_seed(task.seed),
        peaks=tuple(group["lr"] for group in optimizer.param_groups),
        schedule=schedule_for(settings),
        convergence=Convergence(settings, batch_count(len(cases), settings.batch_size)),
        held_back={n: to_device(one, fabric.device) for n, one in task.held_back.items()},
        seed=task.seed,
    )


def _residence(task: Task) -> Residence:
    needed = sum(nbytes(one) for one in task.prepared.values())
    return chosen(needed, task.settings.data_placement)


def _resume(training: Training, paths: PretrainPaths | None) -> int:
    """Take over the leading process's checkpoint; the number of epochs that it has behind it."""
    state = training.group.share(_kept(training, paths) if paths else None)
    if state is None:
        training.prime()
        return 0
    training.convergence.load(state["convergence"])
    training.pretext.load_state_dict(state["pretext"])
    if has_ended(state):
        return int(state["epoch"])
    training.optimizer.load_state_dict(state["optimizer"])
    training.scaler.load_state_dict(state["scaler"])
    training.generator.set_state(state["generator"])
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():  # else it goes on elsewhere than it began
        torch.cuda.set_rng_state_all(state["cuda"])
    if paths:
        log.info("Continuing after epoch %d of %s.", state["epoch"], paths.split)
    return int(state["epoch"])


def _kept(training: Training, paths: PretrainPaths) -> Any | None:
    """The newest checkpoint; the one before the learning rate fell, if there is more to train."""
    state = checkpoint.load(paths.checkpoint)
    if state is None:
        return None
    later = training.convergence.outgrows(state["convergence"])
    if later or (has_ended(state) and training.convergence.goes_on(state)):
        state = checkpoint.load(paths.stable)
        if state is None:
            log.warning("%s is missing: %s is trained anew.", paths.stable, paths.split)
        elif later:  # under the larger budget its learning rate falls later
            state["convergence"]["decay_from"] = None
    return state
