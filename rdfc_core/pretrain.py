"""Pretraining: epochs, optimiser, device, checkpoints; what is learnt is the pretext's affair."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rdfc_core import checkpoint
from rdfc_core.diagnostics import collapse_signs
from rdfc_core.errors import DataError
from rdfc_core.faults import third_party
from rdfc_core.group import ALONE, Group
from rdfc_core.interfaces import Batch, Objective, Pretext, View
from rdfc_core.metrics_log import Place, forget_epochs_after, record
from rdfc_core.progress import Progress
from rdfc_core.settings import PretrainSettings
from rdfc_core.training import (
    batches,
    device_for,
    learning_rate,
    optimizer_for,
    require_enough,
    seeded,
)

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from rdfc_core.processes import Team

log = logging.getLogger("rdfc")

EpochEnded = Callable[[Mapping[str, float]], None]


def fit(
    pretext: Pretext,
    views: Mapping[str, View],
    prepared: Mapping[str, Tensor],
    settings: PretrainSettings,
    place: Place,
    seed: int,
    progress: Progress | None = None,
    epoch_ended: EpochEnded | None = None,
    title: str = "Pretraining",
    team: Team | None = None,
) -> None:
    """Train the pretext in place; continues from the checkpoint if there is one.

    Args:
        pretext: Built, with fresh weights.
        views: View name → the fitted view, for its augmentation.
        prepared: View name → (N, …), the collated pretext cases.
        settings: Epochs, batch size, optimiser and so on.
        place: Where checkpoints and metrics go.
        seed: Decides order, augmentation, dropout and negatives.
        progress: Told after every epoch.
        epoch_ended: Called with the metrics of every epoch.
        title: What the progress is called.
        team: The processes that train together; None: this one alone.

    Raises:
        DataError: If there are fewer than two cases, or the loss is no longer finite.
        StudyError: If the batches are too small for the processes.
    """
    from tensorboardX import SummaryWriter  # here, since predicting does without

    require_enough(len(next(iter(prepared.values()))), settings, team.size if team else 1)
    about = (pretext, views, prepared, settings, seed)
    with team.at_work(_take_part, *about) if team else nullcontext(ALONE) as group, seeded(seed):
        training = _begin(group, *about)
        done = _resume(place, training)
        forget_epochs_after(place, done)
        board_folder = str(place.folder / "tensorboard" / place.split)
        with (
            (progress or Progress()).task(title, settings.epochs) as advance,
            SummaryWriter(board_folder, purge_step=done) as board,
        ):
            advance(done)
            for epoch in range(done, settings.epochs):
                metrics = _timed_epoch(training, epoch)
                _refuse_divergence(metrics, pretext)
                record(place, board, metrics)
                due = (epoch + 1) % settings.checkpoint_every == 0 or epoch + 1 == settings.epochs
                if group.share(due):
                    _save(place, training, epoch + 1)
                if epoch_ended:
                    epoch_ended(metrics)
                advance(1, note=f"loss {metrics['loss']:.3f}")
    pretext.eval()


def _take_part(
    group: Group,
    pretext: Pretext,
    views: Mapping[str, View],
    prepared: Mapping[str, Tensor],
    settings: PretrainSettings,
    seed: int,
) -> None:
    """What every other process does of `fit`: the same steps, and no files."""
    with seeded(seed):
        training = _begin(group, pretext, views, prepared, settings, seed)
        for epoch in range(_resume(None, training), settings.epochs):
            _timed_epoch(training, epoch)
            if group.share(False):
                pretext.state_dict()  # memories that are spread over processes hand over their rows


@dataclass(frozen=True)
class _Training:
    """What an epoch works with; all but the settings change from step to step, or are drawn from.

    Args:
        group: The processes that train together.
        fabric: The device.
        model: The pretext as the device runs it.
        pretext: The pretext itself.
        optimizer: Of the pretext's trained parameters.
        scaler: Of gradients, under 16-mixed; of other precisions it has no state.
        views: View name → the fitted view.
        prepared: View name → (N, …), on the device.
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
    prepared: Mapping[str, Tensor]
    settings: PretrainSettings
    generator: torch.Generator

    @property
    def cases(self) -> int:
        """N."""
        return len(next(iter(self.prepared.values())))


def _begin(
    group: Group,
    pretext: Pretext,
    views: Mapping[str, View],
    prepared: Mapping[str, Tensor],
    settings: PretrainSettings,
    seed: int,
) -> _Training:
    """Pretext and cases on the device, ready for the first step."""
    fabric = device_for(settings.precision, group)
    trained = [p for p in pretext.parameters() if p.requires_grad]
    model, optimizer = fabric.setup(pretext, optimizer_for([{"params": trained}], settings))
    model.train()
    return _Training(
        group=group,
        fabric=fabric,
        model=model,
        pretext=pretext,
        optimizer=optimizer,
        scaler=fabric.strategy.precision,
        views=views,
        prepared={name: fabric.to_device(tensor) for name, tensor in prepared.items()},
        settings=settings,
        generator=torch.Generator().manual_seed(seed),
    )


def _timed_epoch(training: _Training, epoch: int) -> dict[str, float]:
    """The metrics of an epoch, counted from 0, at its learning rate; with the time it took."""
    started = time.perf_counter()
    rate = learning_rate(training.settings, epoch)
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    towers = training.pretext.encoders().values()
    with training.group.dividing(towers, training.settings.sync_batchnorm):
        metrics = _epoch(training)
    seconds = time.perf_counter() - started
    return {
        "epoch": epoch + 1,
        **metrics,
        "learning_rate": rate,
        "seconds": round(seconds, 3),
        "cases_per_second": round(training.cases / seconds, 1),
    }


def _refuse_divergence(metrics: Mapping[str, float], pretext: Pretext) -> None:
    if math.isfinite(metrics["loss"]):
        return
    foreign = third_party(m for m in pretext.modules() if isinstance(m, Pretext | Objective))
    suspects = "".join(
        f"It comes from the {part}: check that with rdfc_core.testing.{check}. "
        for part, check in foreign.items()
    )
    raise DataError(
        f"The loss became {metrics['loss']} in epoch {metrics['epoch']}. The state before it is "
        f"kept. {suspects}Lower pretrain.learning_rate, or set pretrain.precision: 32-true, and "
        "begin afresh with --overwrite."
    )


def _epoch(training: _Training) -> dict[str, float]:
    """One pass over the cases: mean loss and logs, and the signs of collapse."""
    fabric, pretext, generator = training.fabric, training.pretext, training.generator
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=fabric.device))
    seen: dict[str, list[Tensor]] = defaultdict(list)
    for chosen in batches(training.cases, training.settings.batch_size, generator):
        indices = fabric.to_device(chosen)
        own = {name: one[indices] for name, one in training.prepared.items()}
        output = training.model(Batch(indices, own, training.views, generator))
        pretext.require_sound(output, len(indices))
        training.optimizer.zero_grad()
        fabric.backward(output.loss)
        training.optimizer.step()
        embeddings = {name: one.float() for name, one in output.embeddings.items()}
        pretext.after_step(indices, embeddings)
        for name, value in {"loss": output.loss, **output.logs}.items():
            sums[name] = sums[name] + value.detach() * len(indices)
        for name, embedding in embeddings.items():
            seen[name].append(embedding)
    logs = {name: float(total) / training.cases for name, total in sums.items()}
    return {**logs, **collapse_signs({name: torch.cat(parts) for name, parts in seen.items()})}


def _save(place: Place, training: _Training, epoch: int) -> None:
    checkpoint.save(
        place.checkpoint,
        {
            "epoch": epoch,
            "pretext": dict(training.pretext.state_dict()),
            "optimizer": training.optimizer.state_dict(),
            "scaler": training.scaler.state_dict(),
            "generator": training.generator.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        },
    )


def _resume(place: Place | None, training: _Training) -> int:
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
