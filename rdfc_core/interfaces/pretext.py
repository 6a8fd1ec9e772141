"""Pretext: a self-supervised task that trains towers without labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from rdfc_core.errors import ContractError
from rdfc_core.interfaces.collated import tensors
from rdfc_core.interfaces.loss_checks import complaint_about_loss
from rdfc_core.interfaces.memory_store import MemoryStore
from rdfc_core.interfaces.tower import Tower
from rdfc_core.interfaces.view import View


class Batch(NamedTuple):
    """One step's cases. A tuple, which strategies for many devices can look into.

    Args:
        indices: (B,) which pretext cases these are, 0 … N − 1.
        prepared: View name → (B, …) as collated, not augmented; of some views a mapping of tensors.
        views: View name → the view, for its augmentation.
        generator: On the CPU; the only source of randomness.
        step: Optimiser steps that the training has behind it, over all epochs; 0 where no step is
            taken (`Pretext.prime`, `Pretext.held_back_metrics`).
        steps: Of the whole training, as it is planned now: one that ends when the task is learnt
            may have fewer. 0 where no step is taken.
    """

    indices: Tensor
    prepared: Mapping[str, Any]
    views: Mapping[str, View]
    generator: torch.Generator
    step: int = 0
    steps: int = 0

    def draw(self, view: str, variations: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """The view's batch, augmented afresh at every call; in single precision, as it is.

        A task that runs under autocast as a whole would draw where samples lie in eight bits.

        Args:
            view: Its name.
            variations: Options of the view's augmentation that hold for this draw alone.

        Raises:
            StudyError: If the view has no such options.
        """
        drawn = self.views[view].varied(variations) if variations else self.views[view]
        prepared = self.prepared[view]
        device = next(tensors(prepared)).device.type
        has_autocast = torch.amp.is_autocast_available(device)
        with torch.autocast(device, enabled=False) if has_autocast else nullcontext():
            return drawn.augment(prepared, self.generator)


class PretextOutput(NamedTuple):
    """What one step gives.

    Args:
        loss: A scalar with gradient.
        logs: Scalars without gradient, averaged over the epoch.
        embeddings: Name → (B, D) without gradient; what `Pretext.after_step` is given back, and
            what the signs of collapse are computed from.
    """

    loss: Tensor
    logs: Mapping[str, Tensor] = MappingProxyType({})
    embeddings: Mapping[str, Tensor] = MappingProxyType({})


class Pretext(nn.Module, ABC):
    """A self-supervised task. Built as ``Class(config, **parts)``, then `build`.

    Parameters are trained; parameters and buffers (memories too) are saved with the checkpoint.

    Attributes:
        mixed_precision: Under mixed precision towers compute in half precision and all else in
            single. True lets the whole task run under autocast, as a task wants whose other
            networks are large; its loss it then has to keep in single precision itself.
    """

    mixed_precision: ClassVar[bool] = False

    @abstractmethod
    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """Take the towers of the study's views and make everything else the task needs.

        Args:
            towers: View name → its tower, in the study's order.
            cases: N, the number of pretext cases.
            generator: On the CPU, for initial values beyond torch's own initialisation.

        Raises:
            StudyError: If the task needs a view that the study does not have.

        Called:
            Once a training, before its parameters are given to the optimiser; again where a model
            is loaded.
        """

    @abstractmethod
    def forward(self, batch: Batch) -> PretextOutput:
        """One step: everything that needs a gradient happens inside this one call.

        Called:
            At every step, in every process of a training, with that process's rows in its towers.
        """

    def require_sound(self, output: Any, cases: int) -> None:
        """Look at what `forward` gave for a batch of B = ``cases``; core does so at every step.

        Raises:
            ContractError: If it is nothing to train by, which is a fault of the task.
        """
        complaint = self.complaint(output, cases)
        if complaint:
            raise ContractError(complaint, self)

    def complaint(self, output: Any, cases: int) -> str | None:
        """What is wrong with an output of `forward`, or None."""
        who = f"The pretext {type(self).__name__}"
        if not isinstance(output, PretextOutput):
            return f"{who} gave {type(output).__name__}; give a PretextOutput."
        for name, rows in output.embeddings.items():
            if not isinstance(rows, Tensor) or rows.ndim != 2 or len(rows) != cases:
                return f"{who}: embeddings {name!r} have to be (B, D), with a row for each case."
            if rows.requires_grad:
                return f"{who}: embeddings {name!r} carry a gradient; detach them."
        return complaint_about_loss(output.loss, output.logs, who)

    def after_step(self, indices: Tensor, embeddings: Mapping[str, Tensor]) -> None:
        """Called after each optimiser step, with the embeddings of the whole (gathered) batch."""
        return

    def end_epoch(self) -> None:
        """Called after the last step of an epoch; by default tells the memory stores in it."""
        for store in self.modules():
            if isinstance(store, MemoryStore):
                store.end_epoch()

    def prime(self, batch: Batch) -> None:
        """Called once for every batch of all cases before the first step, without gradient.

        For memories that begin with what the fresh towers make of the cases; by default nothing.
        """
        return

    def held_back_metrics(self, batch: Batch) -> Mapping[str, Tensor]:
        """How well the task is done on cases that it is not trained on: all of them, in one batch.

        Called in evaluation mode, without gradient; ``batch.indices`` count these cases alone and
        name no row of a memory. Changes no state.

        Returns:
            Scalars. ``loss`` decides when the task is learnt: the lower the better. Empty, as by
            default, where the task has no such measure: the training loss decides then.
        """
        return {}

    @abstractmethod
    def encoders(self) -> Mapping[str, Tower]:
        """View name → the trained tower, for evaluation; views that are not trained are absent.

        Called:
            After `build`, whenever towers are looked for: to train, to evaluate, to save.
        """

    def further_towers(self) -> Sequence[Tower]:
        """Towers besides those of `encoders` that a step sends cases through, such as a teacher's.

        They compute in the same precision and layout, each process on its rows, and are saved with
        the checkpoint; with the model they are not. By default there are none.
        """
        return ()

    def embed(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tower features (B, F) → final embeddings (B, D), where the task has such a space.

        Called:
            By evaluation and `rdfc embed`, batch by batch, without gradient.
        """
        return {}
