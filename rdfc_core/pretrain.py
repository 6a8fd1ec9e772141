"""Pretraining: epochs, optimiser, device, checkpoints; what is learnt is the pretext's affair."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rdfc_core import checkpoint
from rdfc_core.alarms import CollapseWatch, refuse_divergence
from rdfc_core.diagnostics import collapse_signs
from rdfc_core.errors import DataError
from rdfc_core.feed import Feed, feed_of
from rdfc_core.interfaces import Batch, Pretext, View
from rdfc_core.layout import laid_out, like_weights
from rdfc_core.metrics_log import Place, forget_epochs_after, record
from rdfc_core.progress import Progress
from rdfc_core.residence import chosen
from rdfc_core.saving import Saver
from rdfc_core.settings import PretrainSettings
from rdfc_core.training import batches, device_for, optimizer_for, seeded

if TYPE_CHECKING:
    from lightning_fabric import Fabric

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

    Raises:
        DataError: If there are fewer than two cases, the training diverges, or a checkpoint cannot
            be written.
    """
    from tensorboardX import SummaryWriter  # here, since predicting does without

    _require_two(prepared)
    collapse = CollapseWatch()
    with seeded(seed):
        training = _begin(pretext, views, prepared, settings, seed)
        done = _resume(place, training)
        forget_epochs_after(place, done)
        board_folder = str(place.folder / "tensorboard" / place.split)
        with (
            (progress or Progress()).task(title, settings.epochs) as advance,
            SummaryWriter(board_folder, purge_step=done) as board,
            laid_out(pretext.encoders().values(), settings, training.fabric.device),
            Saver(place.checkpoint) as saver,
        ):
            like_weights(training.optimizer)
            advance(done)
            for epoch in range(done, settings.epochs):
                metrics = _timed_epoch(training, epoch)
                refuse_divergence(metrics, pretext)
                collapse.look(metrics)
                record(place, board, metrics)
                due = (epoch + 1) % settings.checkpoint_every == 0 or epoch + 1 == settings.epochs
                saver.keep(_state(training, epoch + 1), due)
                if epoch_ended:
                    epoch_ended(metrics)
                advance(1, note=f"loss {metrics['loss']:.3f}")
    pretext.eval()


@dataclass(frozen=True)
class _Training:
    """What an epoch works with; all but the settings change from step to step, or are drawn from.

    Args:
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

    fabric: Fabric
    model: nn.Module
    pretext: Pretext
    optimizer: Any
    scaler: Any
    views: Mapping[str, View]
    cases: Feed
    settings: PretrainSettings
    generator: torch.Generator


def _require_two(prepared: Mapping[str, Tensor]) -> None:
    cases = len(next(iter(prepared.values())))
    if cases < 2:
        raise DataError(
            f"Pretraining needs at least two cases and has {cases}. Add cases, or set "
            "split.pretext: all."
        )


def _begin(
    pretext: Pretext,
    views: Mapping[str, View],
    prepared: Mapping[str, Tensor],
    settings: PretrainSettings,
    seed: int,
) -> _Training:
    """Pretext and cases on the device, ready for the first step."""
    fabric = device_for(settings.precision)
    trained = [p for p in pretext.parameters() if p.requires_grad]
    model, optimizer = fabric.setup(pretext, optimizer_for([{"params": trained}], settings))
    model.train()
    needed = sum(one.nbytes for one in prepared.values())
    return _Training(
        fabric=fabric,
        model=model,
        pretext=pretext,
        optimizer=optimizer,
        scaler=fabric.strategy.precision,
        views=views,
        cases=feed_of(prepared, fabric.device, chosen(needed, settings.cases_in)),
        settings=settings,
        generator=torch.Generator().manual_seed(seed),
    )


def _timed_epoch(training: _Training, epoch: int) -> dict[str, float]:
    """The metrics of an epoch, counted from 0, at its learning rate; with the time it took."""
    started = time.perf_counter()
    rate = _learning_rate(training.settings, epoch)
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    metrics = _epoch(training)
    seconds = time.perf_counter() - started
    return {
        "epoch": epoch + 1,
        **metrics,
        "learning_rate": rate,
        "seconds": round(seconds, 3),
        "cases_per_second": round(len(training.cases) / seconds, 1),
    }


def _epoch(training: _Training) -> dict[str, float]:
    """One pass over the cases: mean loss and logs, and the signs of collapse."""
    fabric, pretext, generator = training.fabric, training.pretext, training.generator
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=fabric.device))
    seen: dict[str, list[Tensor]] = defaultdict(list)
    order = batches(len(training.cases), training.settings.batch_size, generator)
    for indices, own in training.cases.batches(order):
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
    logs = {name: float(total) / len(training.cases) for name, total in sums.items()}
    return {**logs, **collapse_signs({name: torch.cat(parts) for name, parts in seen.items()})}


def _learning_rate(settings: PretrainSettings, epoch: int) -> float:
    """The learning rate of an epoch, counted from 0."""
    if epoch < settings.warmup_epochs:
        return settings.learning_rate * (epoch + 1) / settings.warmup_epochs
    if settings.schedule == "constant":
        return settings.learning_rate
    share = (epoch - settings.warmup_epochs) / max(1, settings.epochs - settings.warmup_epochs)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def _state(training: _Training, epoch: int) -> dict[str, Any]:
    """All that the epochs after this one depend on."""
    return {
        "epoch": epoch,
        "pretext": dict(training.pretext.state_dict()),
        "optimizer": training.optimizer.state_dict(),
        "scaler": training.scaler.state_dict(),
        "generator": training.generator.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _resume(place: Place, training: _Training) -> int:
    """Take over the checkpoint; the number of epochs that it has behind it."""
    state = checkpoint.load(place.checkpoint)
    if state is None:
        return 0
    training.pretext.load_state_dict(state["pretext"])
    training.optimizer.load_state_dict(state["optimizer"])
    training.scaler.load_state_dict(state["scaler"])
    training.generator.set_state(state["generator"])
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():  # else it goes on elsewhere than it began
        torch.cuda.set_rng_state_all(state["cuda"])
    log.info("Continuing after epoch %d of %s.", state["epoch"], place.split)
    return int(state["epoch"])
