"""Correspondence and SimCLR in one: pictures agree with features, and with themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import (
    Batch,
    Memory,
    MemoryStore,
    Objective,
    PretextOutput,
    Projector,
    Tower,
    at_least_single,
)
from rdfc_core.interfaces.collated import Collated, joined
from rdfc_objective_infonce.config import CorrespondenceSimCLRConfig
from rdfc_objective_infonce.correspondence import Correspondence
from rdfc_objective_infonce.shared_negatives import onto


class CorrespondenceSimCLR(Correspondence):
    """Correspondence of all views, and a SimCLR term for each view of pictures.

    A picture is drawn twice, more strongly varied than in correspondence alone, and both draws go
    through the tower in one call. Each finds its counterpart among all other draws (SimCLR), and
    both find the case's other views (the mean of both losses). Some features of a case are those of
    other cases of the batch, drawn one by one. One projection a view serves both terms.

    Sources: Zhao & Yang 2021; Chen et al. 2020, Alg. 1; Bahri et al. 2022 for the features.
    """

    def __init__(
        self,
        config: CorrespondenceSimCLRConfig,
        *,
        objective: Objective,
        memory: MemoryStore,
        projector: Projector | None = None,
    ) -> None:
        super().__init__(config, objective=objective, memory=memory, projector=projector)
        self.simclr = config

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """As `Correspondence.build`; views of pictures are joined with themselves, too.

        Raises:
            StudyError: If there is no view of pictures, or as `Correspondence.build`.
        """
        self._pictured = [name for name, tower in towers.items() if tower.picture_shape]
        if len(towers) < 2 or not self._pictured:
            raise StudyError(
                "pretext: correspondence with SimCLR joins a view of pictures with another view, "
                f"and the study has {', '.join(towers) or 'none'}. Add what is missing, or use "
                "correspondence or simclr."
            )
        super().build(towers, cases, generator)
        kinds = {a == b for a, b in self.terms}
        if kinds != {True, False}:
            raise StudyError(
                "pretext.terms: correspondence with SimCLR has terms of two different views and "
                "terms of one view, and here are only "
                f"{'the second' if True in kinds else 'the first'}. Add a term, or use "
                f"{'simclr' if True in kinds else 'correspondence'}."
            )

    def forward(self, batch: Batch) -> PretextOutput:
        """Draw and encode each view, pictures twice; sum the terms."""
        twice = {a for a, b in self.terms if a == b}
        seen_by = {
            name: [self._varied(name, batch) for _ in range(2 if name in twice else 1)]
            for name in self.views
        }
        drawn = {name: self._embedded(name, draws) for name, draws in seen_by.items()}
        seating = self._seating(batch)
        losses, logs = [], {}
        for (name_a, name_b), weight, objective in zip(
            self.terms, self.weights, self.objectives, strict=True
        ):
            term = f"{name_a}-{name_b}"
            if name_a == name_b:
                first, second = drawn[name_a]
                loss = nt_xent(first, second, batch.indices, self.simclr.simclr_temperature)
                seen: Mapping[str, Tensor] = {}
            else:
                memory = Memory(
                    batch.indices, self._memory(name_a), self._memory(name_b), batch.generator
                )
                parts = []
                for a, b in pairs(drawn[name_a], drawn[name_b]):
                    paired = (b, memory)
                    if seating is not None:
                        paired = self._shuffle(name_a, name_b, b, memory, seating)
                    parts.append(cast(Objective, objective).score(a, *paired))
                loss = torch.stack([part for part, _ in parts]).mean()
                seen = {k: torch.stack([s[k] for _, s in parts]).mean() for k in parts[0][1]}
            losses.append(weight * loss)
            logs[f"{term}.loss"] = loss.detach()
            logs.update({f"{term}.{key}": value for key, value in seen.items()})
        for task, (loss, seen) in self._further(seen_by, drawn, batch).items():
            losses.append(loss)
            logs.update({f"{task}.{key}": value for key, value in seen.items()})
        embeddings = {name: one[0].detach() for name, one in drawn.items()}
        return PretextOutput(torch.stack(losses).sum(), logs, embeddings)

    def _further(
        self,
        seen_by: Mapping[str, Sequence[Tensor]],
        drawn: Mapping[str, Sequence[Tensor]],
        batch: Batch,
    ) -> dict[str, tuple[Tensor, Mapping[str, Tensor]]]:
        """Further losses on the same draws, with what they log; none here.

        Args:
            seen_by: View name → its draws, as its tower saw them.
            drawn: View name → their embeddings, (B, D) each.
            batch: The batch.
        """
        return {}

    def _named_terms(self, views: list[str]) -> tuple[tuple[str, str], ...]:
        named = super()._named_terms(views)
        if self.config.terms is not None:
            return named
        return (*named, *((name, name) for name in views if name in self._pictured))

    def _encode(self, name: str, batch: Batch) -> Tensor:
        return self._embedded(name, [self._varied(name, batch)])[0]

    def _embedded(self, name: str, draws: Sequence[Collated]) -> tuple[Tensor, ...]:
        """Embeddings of one or two draws of a view, (B, D) each, in one call of its tower."""
        embeddings = self._project(name, self.towers[name](joined(draws, torch.cat)))
        return tuple(torch.tensor_split(embeddings, len(draws)))

    def _varied(self, name: str, batch: Batch) -> Any:
        pictured = name in self._pictured
        drawn: Collated = batch.draw(name, self.simclr.variations.named() if pictured else {})
        if pictured or not isinstance(drawn, Tensor):  # a mapping has no columns to exchange
            return drawn
        return corrupted(drawn, self.simclr.corruption, batch.generator)


def pairs(a: tuple[Tensor, ...], b: tuple[Tensor, ...]) -> list[tuple[Tensor, Tensor]]:
    """Draws of two views beside each other; the single draw of a view beside each of the other."""
    if len(a) == len(b):
        return list(zip(a, b, strict=True))
    return [(x, y) for x in a for y in b]


def corrupted(rows: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Features, some of them taken from another case of the batch, each case drawn on its own.

    The batch is a random draw of the training cases, so that values follow each feature's own
    distribution among them.

    Args:
        rows: (B, F); views of more axes are left as they are.
        share: Share of the features that are replaced.
        generator: On the CPU; the only source of randomness.

    Source: Bahri et al. 2022, SCARF, Sect. 3.
    """
    if not share or rows.ndim != 2:
        return rows
    replaced = torch.rand(rows.shape, generator=generator) < share
    donors = torch.randint(len(rows), rows.shape, generator=generator)
    return torch.where(onto(rows.device, replaced), rows.gather(0, onto(rows.device, donors)), rows)


def nt_xent(first: Tensor, second: Tensor, indices: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy of each of 2 B draws with its counterpart among all other draws, in nats.

    Args:
        first: Unit-length embeddings of the first draw of each case, (B, D).
        second: Of the second, (B, D).
        indices: (B,) which cases they are: a case that stands in the batch twice is never its own
            negative.
        temperature: Softmax temperature, > 0.

    Source: Chen et al. 2020, Eq. 1.
    """
    draws = at_least_single(torch.cat([first, second]))
    cases = indices.to(draws.device).repeat(2)
    own = torch.arange(len(draws), device=draws.device)
    counterpart = own.roll(len(first))
    hidden = cases[:, None] == cases[None, :]
    hidden[own, counterpart] = False
    with torch.autocast(draws.device.type, enabled=False):
        logits = (draws @ draws.T / temperature).masked_fill(hidden, -math.inf)
    return F.cross_entropy(logits, counterpart)
