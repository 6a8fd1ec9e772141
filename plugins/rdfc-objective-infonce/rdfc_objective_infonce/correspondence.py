"""The pretext task: views of one case agree, views of different cases do not."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor, nn

from rdfc_core.errors import StudyError
from rdfc_core.interfaces import (
    Batch,
    Memory,
    MemoryStore,
    Objective,
    PretextOutput,
    Projector,
    Tower,
)
from rdfc_objective_infonce.config import CorrespondenceConfig
from rdfc_objective_infonce.paired_views import PairedViews
from rdfc_objective_infonce.shuffled_pairs import (
    apart,
    by_chance,
    pair_in_memory,
    pair_within_batch,
    partners,
)


class Correspondence(PairedViews):
    """Radiomics-deep feature correspondence, for any two or more views.

    Each view has its tower, a projection to D numbers of unit length, and, where the
    objective uses one, a memory. The loss is the weighted sum over the terms.

    Source: Zhao & Yang 2021, Sect. 2.
    """

    task = "correspondence"
    config: CorrespondenceConfig
    shuffle_seed: Tensor

    def __init__(
        self,
        config: CorrespondenceConfig,
        *,
        objective: Objective,
        memory: MemoryStore,
        projector: Projector | None = None,
    ) -> None:
        super().__init__(config, projector)
        # In a tuple, so that torch does not count the blanks among the modules: `build` copies
        # them, the memory for each view, the objective (which may keep state, too) for each term.
        self._blanks = (objective, memory)
        self.uses_memory = objective.uses_memory
        if config.pairing == "fixed-shuffle" and not objective.positive_from_memory:
            raise StudyError(
                "pretext.pairing: fixed-shuffle finds a case's partner in the memory, since the "
                "batch seldom holds it. Use an objective that reads its positive there (infonce "
                "with variant stale-positive or full-bank), or pairing: reshuffled."
            )

    def build(self, towers: Mapping[str, Tower], cases: int, generator: torch.Generator) -> None:
        """Take the towers of the views that stand in a term; make projections and memories.

        Args:
            towers: View name → its tower, in the study's order.
            cases: N, the number of pretext cases.
            generator: On the CPU, for the memories' first content and the fixed shuffle.

        Raises:
            StudyError: If a term names a view that the study does not have, there is no pair of
                views, a view's name cannot name a module, or there are too few cases.
        """
        super().build(towers, cases, generator)
        self._check_pairing()
        objective, memory = self._blanks
        self.objectives = nn.ModuleList(deepcopy(objective) for _ in self.terms)
        self.memories = nn.ModuleDict({name: deepcopy(memory) for name in self.views})
        if self.uses_memory:
            for name in self.views:
                self._memory(name).allocate(cases, self.config.width, generator)
        if self.config.pairing == "fixed-shuffle":
            # The seed and not the order itself, which would save N numbers with the model.
            seed = torch.randint(2**62, (), generator=generator)
            self.register_buffer("shuffle_seed", seed)

    def forward(self, batch: Batch) -> PretextOutput:
        """Draw and encode each view once, and sum the terms.

        A term of one view draws it a second time.
        """
        first = {name: self._encode(name, batch) for name in self.views}
        seating = self._seating(batch)
        losses, logs = [], {}
        for (name_a, name_b), weight, objective in zip(
            self.terms, self.weights, self.objectives, strict=True
        ):
            a = first[name_a]
            b = first[name_b] if name_a != name_b else self._encode(name_b, batch)
            memory = Memory(
                batch.indices, self._memory(name_a), self._memory(name_b), batch.generator
            )
            if seating is not None and name_a != name_b:
                b, memory = self._shuffle(name_a, name_b, b, memory, seating)
            loss, seen = cast(Objective, objective).score(a, b, memory)
            losses.append(weight * loss)
            term = f"{name_a}-{name_b}"
            logs[f"{term}.loss"] = loss.detach()
            logs.update({f"{term}.{key}": value for key, value in seen.items()})
        embeddings = {name: embedding.detach() for name, embedding in first.items()}
        return PretextOutput(torch.stack(losses).sum(), logs, embeddings)

    def after_step(self, indices: Tensor, embeddings: Mapping[str, Tensor]) -> None:
        """Move each view's memory towards this step's embeddings, each under its own case.

        Of a view drawn twice the first draw goes in: what a memory holds then does not depend on
        which terms a study has.
        """
        if not self.uses_memory:
            return
        for name in self.views:
            memory = self._memory(name)
            memory.update(indices, embeddings[name])

    @torch.no_grad()
    def prime(self, batch: Batch) -> None:
        """Begin the memories with the embeddings of the cases as they are, if that is asked for."""
        if not self.uses_memory or self.config.memory_start == "random":
            return
        for name in self.views:
            embeddings = self._project(name, self.towers[name](batch.prepared[name]))
            self._memory(name).begin(batch.indices, embeddings)

    def _memory(self, name: str) -> MemoryStore:
        return cast(MemoryStore, self.memories[name])

    def _seating(self, batch: Batch) -> Tensor | None:
        """Which cases the controls show together, (V, n), or None for true pairs."""
        if self.config.pairing == "true":
            return None
        if self.config.pairing == "fixed-shuffle":
            everyone = torch.arange(self.cases, device=batch.indices.device)
            generator = torch.Generator().manual_seed(int(self.shuffle_seed))
            return apart(everyone, len(self.views), generator)
        present: Tensor = torch.unique(batch.indices)
        candidates = self.cases if self.uses_memory else len(present)
        return by_chance(present, len(self.views), candidates, batch.generator)

    def _shuffle(
        self, name_a: str, name_b: str, b: Tensor, memory: Memory, seating: Tensor
    ) -> tuple[Tensor, Memory]:
        view_a, view_b = self.views.index(name_a), self.views.index(name_b)
        to_b = partners(seating, view_a, view_b, self.cases)
        if self.config.pairing == "fixed-shuffle":
            return b, pair_in_memory(memory, to_b, partners(seating, view_b, view_a, self.cases))
        return pair_within_batch(b, memory, to_b)

    def _check_pairing(self) -> None:
        """A control without effect ends here and not in the first step."""
        if self.config.pairing != "true" and all(a == b for a, b in self.terms):
            raise StudyError(
                f"pretext.pairing: {self.config.pairing} shuffles terms of two different views, "
                "and there is none. Add such a term, or use pairing: true."
            )
