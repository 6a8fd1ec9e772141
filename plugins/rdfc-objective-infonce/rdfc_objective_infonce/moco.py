"""Momentum contrast: queries find the key of their own case in a queue that a teacher fills."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import (
    Batch,
    MemoryQueue,
    PretextOutput,
    Projector,
    Tower,
    at_least_single,
)
from rdfc_objective_infonce.config import MoCoConfig
from rdfc_objective_infonce.losses import info_nce
from rdfc_objective_infonce.paired_views import PairedViews
from rdfc_objective_infonce.teacher import Teacher, settling


class MoCo(PairedViews):
    """MoCo of one view, or between any two or more: a teacher and a queue for each.

    In a term of one view a query, from the student, finds the key of another draw of its case,
    from the teacher. In a term of two views each view's queries find the other view's keys. All
    other keys of the batch and of the queue are negatives, but those of the query's own case,
    however old.

    Source: He et al. 2020, Alg. 1.
    """

    task = "moco"
    config: MoCoConfig

    def __init__(
        self, config: MoCoConfig, *, queue: MemoryQueue, projector: Projector | None = None
    ) -> None:
        super().__init__(config, projector)
        # In a tuple, so that torch does not count it among the modules: `build` copies it.
        self._blanks = (queue,)

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """Take the towers of the views that stand in a term; make projections, teachers, queues.

        Args:
            towers: View name → its tower, in the study's order.
            cases: N, the number of pretext cases.
            generator: On the CPU; not used: queues begin empty.

        Raises:
            StudyError: As `PairedViews.build`.
        """
        super().build(towers, cases, generator)
        self._primed = False
        self.teachers = nn.ModuleDict(
            {name: Teacher(towers[name], self.projections[name]) for name in self.views}
        )
        self.queues = nn.ModuleDict({name: deepcopy(self._blanks[0]) for name in self.views})
        for name in self.views:
            self._queue(name).allocate(cases, self.config.width)

    def forward(self, batch: Batch) -> PretextOutput:
        """Draw each view twice, for its student and for its teacher, and sum the terms."""
        queries = {name: self._encode(name, batch) for name in self.views}
        keys = {name: self._key(name, batch) for name in self.views}
        losses, logs = [], {}
        for (name_a, name_b), weight in zip(self.terms, self.weights, strict=True):
            ways = [(name_a, name_b)] if name_a == name_b else [(name_a, name_b), (name_b, name_a)]
            found = [
                momentum_contrast(
                    queries[a], keys[b], self._queue(b), batch.indices, self.config.temperature
                )
                for a, b in ways
            ]
            loss = torch.stack([one for one, _ in found]).sum()
            losses.append(weight * loss)
            term = f"{name_a}-{name_b}"
            logs[f"{term}.loss"] = loss.detach()
            for key in found[0][1]:
                logs[f"{term}.{key}"] = torch.stack([seen[key] for _, seen in found]).mean()
        return PretextOutput(torch.stack(losses).sum(), logs, keys)

    @torch.no_grad()
    def after_step(self, indices: Tensor, embeddings: Mapping[str, Tensor]) -> None:
        """Teachers follow their students, and the batch's keys go into the queues."""
        for name in self.views:
            self._follow(name, self.config.momentum)
            self._queue(name).push(indices, embeddings[name])

    @torch.no_grad()
    def prime(self, batch: Batch) -> None:
        """Fill the queues; teachers begin as their students, with the statistics of all cases."""
        for name in self.views:
            student = nn.ModuleList([self.towers[name], self.projections[name]])
            with settling(student, afresh=not self._primed):
                keys = self._project(name, self.towers[name](batch.prepared[name]))
            self._follow(name, 0.0)
            self._queue(name).push(batch.indices, keys)
        self._primed = True

    def further_towers(self) -> Sequence[Tower]:
        """The teachers'."""
        return [self._teacher(name).tower for name in self.views]

    def _named_terms(self, views: list[str]) -> tuple[tuple[str, str], ...]:
        if self.config.terms is None and len(views) == 1:
            return ((views[0], views[0]),)
        return super()._named_terms(views)

    @torch.no_grad()
    def _key(self, name: str, batch: Batch) -> Tensor:
        teacher = self._teacher(name)
        features = teacher.projection(teacher.tower(batch.draw(name)))
        return F.normalize(at_least_single(features), dim=1)

    def _follow(self, name: str, momentum: float) -> None:
        self._teacher(name).follow(self.towers[name], self.projections[name], momentum)

    def _teacher(self, name: str) -> Teacher:
        return cast(Teacher, self.teachers[name])

    def _queue(self, name: str) -> MemoryQueue:
        return cast(MemoryQueue, self.queues[name])


def momentum_contrast(
    queries: Tensor, keys: Tensor, queue: MemoryQueue, indices: Tensor, temperature: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mean InfoNCE of each query against the key of its case and all keys of other cases, in nats.

    Args:
        queries: Unit-length embeddings with gradient, (B, D).
        keys: Those of the same cases by a teacher, (B, D).
        queue: Older keys.
        indices: (B,) which cases they are.
        temperature: Softmax temperature, > 0.

    Returns:
        The loss, and ``positive_similarity``, ``negative_similarity`` and ``top1`` (the share of
        queries whose own key is nearer than that of any other case).

    Raises:
        ShapeError: If there is only one row to compare.
    """
    if len(indices) < 2:
        raise ShapeError("The batch holds one row, and another case is needed: raise batch_size.")
    cases = indices.to(queries.device)
    within = queries @ keys.T
    positive = within.diagonal()
    own = cases[:, None] == cases[None, :]
    others = torch.cat(
        [within.masked_fill(own, -math.inf), queue.similarities(queries, indices)], dim=1
    )
    loss = info_nce(positive, torch.logsumexp(others / temperature, dim=1), temperature)
    seen, kept = others.detach(), others.detach().isfinite()
    logs = {
        "positive_similarity": positive.detach().mean(),
        "negative_similarity": seen.masked_fill(~kept, 0).sum() / kept.sum(),
        "top1": (positive.detach() > seen.amax(1)).float().mean(),
    }
    return loss, logs
