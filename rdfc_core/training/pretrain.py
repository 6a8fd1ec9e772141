"""Pretraining: epochs, metrics, checkpoints; what is learnt is the pretext's affair."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rdfc_core.distributed.process_group import ALONE, ProcessGroup
from rdfc_core.interfaces import Batch
from rdfc_core.interfaces.collated import count
from rdfc_core.plugin.attribution import held_to_contract
from rdfc_core.plugin.listeners import stopped
from rdfc_core.plugin.run_loggers import RunLoggers
from rdfc_core.training.batches import batch_count, batches, require_trainable
from rdfc_core.training.checkpoint_writer import CheckpointWriter, keep_stable
from rdfc_core.training.collapse import collapse_signs, spreads
from rdfc_core.training.convergence import Convergence
from rdfc_core.training.metrics_log import PretrainPaths, keep_epochs_until, record
from rdfc_core.training.monitor import CollapseMonitor, refuse_divergence
from rdfc_core.training.movement import MovementWatch
from rdfc_core.training.optim import set_learning_rates
from rdfc_core.training.schedule import pretrain_factor
from rdfc_core.training.state import Task, Training, begun, towers_of
from rdfc_core.utils.progress import Progress

if TYPE_CHECKING:
    from rdfc_core.distributed.launcher import ProcessGroupLauncher

EpochEnded = Callable[[Mapping[str, float]], str | None]
"""Is told the metrics of an epoch; who asks to stop after it, and why, or None."""


def fit(
    task: Task,
    paths: PretrainPaths,
    progress: Progress | None = None,
    epoch_ended: EpochEnded | None = None,
    title: str = "Pretraining",
    launcher: ProcessGroupLauncher | None = None,
    loggers: RunLoggers | None = None,
) -> Convergence:
    """Train the pretext in place; continues from the checkpoint if there is one.

    Args:
        task: What is trained, and on what.
        paths: Where checkpoints and metrics go.
        progress: Told after every epoch.
        epoch_ended: Called with the metrics of every epoch; may ask to stop.
        title: What the progress is called.
        launcher: Of the processes that train together; None: this one alone.
        loggers: Told the metrics of every epoch before its checkpoint is written; None: nobody.

    Returns:
        How long it was trained, what was measured, and whether the task is learnt.

    Raises:
        DataError: If there are fewer than two cases, the training diverges, or a checkpoint cannot
            be written.
        StudyError: If the batches are too small for the processes, or an option is not for several.
        StoppedError: If it was asked to stop; the state after the last epoch is saved.
    """
    settings, collapse = task.settings, CollapseMonitor(task.pretext)
    asked: str | None = None
    require_trainable(
        count(next(iter(task.prepared.values()))), settings, launcher.size if launcher else 1
    )
    with (
        launcher.at_work(_take_part, task) if launcher else nullcontext(ALONE) as group,
        begun(group, task, paths) as (training, done),
    ):
        for earlier in keep_epochs_until(paths, done):
            collapse.look(earlier)  # a run that goes on says what it would have said in one go
        loggers = loggers or RunLoggers()
        loggers.begin_training(paths.split, done)
        convergence = training.convergence
        steps = batch_count(len(training.cases), settings.batch_size)
        movement = MovementWatch(task.pretext) if not done else None
        with (
            (progress or Progress()).task(title, convergence.epochs) as advance,
            CheckpointWriter(paths.checkpoint) as writer,
        ):
            advance(done)
            while done < convergence.epochs and not asked:
                metrics = _timed_epoch(training, done)
                done += 1
                refuse_divergence(metrics, task.pretext)
                collapse.look(metrics)
                if movement and movement.seen(done):
                    movement = None
                record(paths, metrics)
                loggers.log(paths.split, metrics, done * steps)
                if convergence.turn(done):
                    keep_stable(paths, training.state(done))
                writer.keep(training.state(done), convergence.keeps(done))
                asked = training.group.share(epoch_ended(metrics) if epoch_ended else None)
                advance(1, note=_note(metrics), total=convergence.epochs)
            if asked:
                writer.finish()
    if asked:
        raise stopped(f"after epoch {done} of {title.lower()} ({paths.split})", asked)
    task.pretext.eval()
    task.pretext.zero_grad(set_to_none=True)  # nobody asks for them again, and they stay otherwise
    return convergence


def _take_part(group: ProcessGroup, task: Task) -> None:
    """What every other process does of `fit`: the same steps, and no files."""
    with begun(group, task, None) as (training, done):
        while done < training.convergence.epochs:
            _timed_epoch(training, done)
            done += 1
            if training.convergence.turn(done):
                training.state(done)  # for the state that is kept before the learning rate falls
            training.state(done)
            if training.group.share(None):  # the leading process was asked to stop
                return


def _timed_epoch(training: Training, epoch: int) -> dict[str, float]:
    """The metrics of an epoch, counted from 0; with the time it took, and what was held back."""
    started = time.perf_counter()
    with training.group.dividing(towers_of(training.pretext), training.settings.sync_batchnorm):
        metrics = _epoch(training, epoch)
    seconds = time.perf_counter() - started
    if training.convergence.due(epoch + 1):
        measured = training.measured()
        telling = measured.get("loss", metrics["loss"])
        training.convergence.look(epoch + 1, training.group.share(telling))
        metrics |= {f"held_back.{name}": value for name, value in measured.items()}
    return {
        "epoch": epoch + 1,
        **metrics,
        "learning_rate": training.optimizer.param_groups[0]["lr"],
        "seconds": round(seconds, 3),
        "cases_per_second": round(len(training.cases) / seconds, 1),
    }


def _epoch(training: Training, epoch: int) -> dict[str, float]:
    """One pass over the cases: mean loss and logs, and the signs of collapse."""
    fabric, pretext, generator = training.fabric, training.pretext, training.generator
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=fabric.device))
    seen: dict[str, list[Tensor]] = defaultdict(list)
    order = batches(len(training.cases), training.settings.batch_size, generator)
    convergence, first = training.convergence, epoch * len(order)
    steps = convergence.epochs * len(order)
    for step, (indices, own) in enumerate(training.cases.batches(order), start=first):
        factor = pretrain_factor(
            training.settings,
            step,
            len(order),
            convergence.epochs,
            convergence.decay,
            training.schedule,
        )
        set_learning_rates(training.optimizer, training.peaks, factor)
        with held_to_contract(pretext):
            batch = Batch(indices, own, training.views, generator, step, steps)
            output = training.model(batch)
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
    pretext.end_epoch()
    logs = {name: float(total) / len(training.cases) for name, total in sums.items()}
    signs = collapse_signs({name: torch.cat(parts) for name, parts in seen.items()})
    return {**logs, **signs, **spreads(seen)}


def _note(metrics: Mapping[str, float]) -> str:
    """The loss; where cases are held back, theirs, and how many of them find their partner."""
    note = f"loss {metrics['loss']:.3f}"
    measured = {k: v for k, v in metrics.items() if k.startswith("held_back.")}
    if measured:
        note += f", held back {measured['held_back.loss']:.3f}"
    found = [value for key, value in measured.items() if key.endswith(".retrieval_top1")]
    if found:
        note += f", {sum(found) / len(found):.0%} of these find their partner"
    return note
