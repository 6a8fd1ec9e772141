"""A pretraining in one process: what its steps work with, and what a checkpoint keeps of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rdfc_core import checkpoint
from rdfc_core.feed import Feed, feed_of
from rdfc_core.group import Group
from rdfc_core.interfaces import Pretext, View
from rdfc_core.layout import laid_out, like_weights
from rdfc_core.metrics_log import Place
from rdfc_core.residence import chosen
from rdfc_core.settings import PretrainSettings
from rdfc_core.training.device import device_for
from rdfc_core.training.optim import optimizer_for
from rdfc_core.training.seeding import seeded

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger("rdfc")


@dataclass(frozen=True)
class Task:
    """What is to be trained, and on what: all that another process is told of it.

    Args:
        pretext: Built, with fresh weights.
        views: View name → the fitted view, for its augmentation.
        prepared: View name → (N, …), the collated pretext cases.
        settings: Epochs, batch size, optimiser and so on.
        seed: Decides order, augmentation, dropout and negatives.
    """

    pretext: Pretext
    views: Mapping[str, View]
    prepared: Mapping[str, Tensor]
    settings: PretrainSettings
    seed: int


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
    """

    group: Group
    fabric: Fabric
    model: nn.Module
    pretext: Pretext
    optimizer: Any
    scaler: Any
    views: Mapping[str, View]
    cases: Feed
    settings: PretrainSettings
    generator: torch.Generator

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
        }


@contextmanager
def begun(group: Group, task: Task, place: Place | None) -> Iterator[tuple[Training, int]]:
    """Inside, a training is ready for its next epoch, as its last checkpoint left it.

    Args:
        group: The processes that train together.
        task: What is trained; the networks are laid out as before afterwards.
        place: Of the checkpoint; None where the leading process hands it over.

    Yields:
        The training, and the number of epochs that it has behind it.

    Raises:
        DataError: If neither the checkpoint nor the one before it can be read.
        StudyError: If a network cannot be compiled.
    """
    fabric = device_for(task.settings.precision, group)
    towers = task.pretext.encoders().values()
    # Laid out first: processes exchange gradients in the layout that they find.
    with seeded(task.seed), laid_out(towers, task.settings, fabric.device):
        training = _on_device(fabric, group, task)
        done = _resume(training, place)
        like_weights(training.optimizer)
        yield training, done


def _on_device(fabric: Fabric, group: Group, task: Task) -> Training:
    settings = task.settings
    trained = [p for p in task.pretext.parameters() if p.requires_grad]
    model, optimizer = fabric.setup(task.pretext, optimizer_for([{"params": trained}], settings))
    model.train()
    needed = sum(one.nbytes for one in task.prepared.values())
    return Training(
        group=group,
        fabric=fabric,
        model=model,
        pretext=task.pretext,
        optimizer=optimizer,
        scaler=fabric.strategy.precision,
        views=task.views,
        cases=feed_of(task.prepared, fabric.device, chosen(needed, settings.cases_in)),
        settings=settings,
        generator=torch.Generator().manual_seed(task.seed),
    )


def _resume(training: Training, place: Place | None) -> int:
    """Take over the leading process's checkpoint; the number of epochs that it has behind it."""
    state = training.group.share(checkpoint.load(place.checkpoint) if place else None)
    if state is None:
        return 0
    training.pretext.load_state_dict(state["pretext"])
    training.optimizer.load_state_dict(state["optimizer"])
    training.scaler.load_state_dict(state["scaler"])
    training.generator.set_state(state["generator"])
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():  # else it goes on elsewhere than it began
        torch.cuda.set_rng_state_all(state["cuda"])
    if place:
        log.info("Continuing after epoch %d of %s.", state["epoch"], place.split)
    return int(state["epoch"])
