"""The memory bank spread over the processes that train: each keeps N / W of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from rdfc_core.errors import ShapeError
from rdfc_core.interfaces import MemoryStore
from rdfc_objective_infonce.bank import MemoryBank, draw_others, require_shape
from rdfc_objective_infonce.collectives import (
    broadcast,
    gather_first,
    place,
    summed,
    with_summed_gradient,
)
from rdfc_objective_infonce.config import MemoryBankConfig

BLOCK_ROWS = 8192
"""Rows that are drawn, or handed over, at once."""


class ShardedBank(MemoryStore):
    """A `MemoryBank` of which process r of W keeps the rows from r N / W to (r + 1) N / W.

    What it holds, draws and gives is what a `MemoryBank` would, in any number of processes. All
    of them make every call, with the same arguments, as they do in core's training. A checkpoint
    holds all rows, so that another number of processes can go on from it.
    """

    def __init__(self, config: MemoryBankConfig) -> None:
        super().__init__()
        self.own = MemoryBank(config)
        self.keeps = self.own.keeps
        self._config = config
        self._rows = self._width = 0
        self._origin = torch.empty(0, dtype=torch.uint8)  # generator state before the first row
        self._kept: range | None = None  # the rows in `own`; None before they are drawn
        self.register_state_dict_pre_hook(_draw_rows)  # type: ignore[no-untyped-call]
        self.register_state_dict_post_hook(_hand_over)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_take_over)  # type: ignore[no-untyped-call]

    def allocate(self, rows: int, width: int, generator: torch.Generator) -> None:
        """As `MemoryBank.allocate`; each process draws its rows when they are first asked for."""
        self._rows, self._width, self._kept = rows, width, None
        self._origin = generator.get_state()
        self._skip(rows, generator)

    @property
    def rows(self) -> int:
        """N, the number of cases; 0 before `allocate`."""
        return self._rows

    def read(self, indices: Tensor) -> Tensor:
        """The rows of the cases ``indices`` (B,) → (B, D), a copy without gradient."""
        kept = self.kept()
        here, places = _places(indices, kept)
        rows = self.own.read(places)
        return summed(rows.masked_fill(~here.to(rows.device).unsqueeze(1), 0))

    def negatives(self, k: int, exclude: Tensor, generator: torch.Generator) -> Tensor:
        """As `MemoryBank.negatives`, (B, K, D); so many rows pass between the processes."""
        drawn = self._draw(k, exclude, generator)
        return self.read(drawn.view(-1)).view(*drawn.shape, -1)

    def similarities(
        self, anchors: Tensor, k: int, exclude: Tensor, generator: torch.Generator
    ) -> Tensor:
        """As `MemoryStore.similarities`, (B, K): products pass between the processes, no rows."""
        drawn = self._draw(k, exclude, generator)
        here, places = _places(drawn, self.kept())
        here, rows = here.to(anchors.device), self.own.read(places[here])
        products = (with_summed_gradient(anchors)[here.nonzero()[:, 0]] * rows).sum(1)
        return summed(products.new_zeros(here.shape).masked_scatter(here, products))

    def all_chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All rows in pieces, each handed round by the process that keeps it."""
        kept = self.kept()
        for owner, part in enumerate(_parts(self._rows, place()[1])):
            for start in range(part.start, part.stop, BLOCK_ROWS):
                cases = torch.arange(start, min(start + BLOCK_ROWS, part.stop))
                rows = self.own.read(_places(cases, kept)[1])
                yield cases.to(rows.device), broadcast(rows, owner)

    def begin(self, indices: Tensor, embeddings: Tensor) -> None:
        """As `MemoryBank.begin`; each process takes in what belongs to its rows."""
        self._take_in(self.own.begin, indices, embeddings)

    def update(self, indices: Tensor, embeddings: Tensor) -> None:
        """As `MemoryBank.update`; each process takes in what belongs to its rows."""
        self._take_in(self.own.update, indices, embeddings)

    def end_epoch(self) -> None:
        """As `MemoryBank.end_epoch`."""
        self.own.end_epoch()

    def _take_in(
        self, into: Callable[[Tensor, Tensor], None], indices: Tensor, embeddings: Tensor
    ) -> None:
        require_shape(embeddings, (len(indices), self._width))
        here, places = _places(indices, self.kept())
        if bool(here.any()):
            into(places[here], embeddings[here.to(embeddings.device)])

    def kept(self) -> range:
        """The rows that this process keeps, drawn by now.

        Raises:
            ShapeError: If they were kept together with processes that are gone.
        """
        rank, size = place()
        mine = _parts(self._rows, size)[rank]
        if self._kept is None:
            generator = torch.Generator()
            generator.set_state(self._origin)
            self._skip(mine.start, generator)
            self.own.allocate(len(mine), self._width, generator)
        elif self._kept != mine:
            if len(self._kept) < self._rows:
                raise ShapeError(
                    f"The memory's rows were spread over other processes; this one kept "
                    f"{len(self._kept)} of {self._rows}. Go on from the checkpoint."
                )
            self._fill({name: rows[mine.start : mine.stop] for name, rows in self._state().items()})
        self._kept = mine
        return mine

    def _state(self) -> dict[str, Tensor]:
        return dict(self.own.state_dict())

    def _fill(self, state: dict[str, Tensor]) -> None:
        """Other rows into `own`, as many as these."""
        count = len(next(iter(state.values())))
        self.own.allocate(count, self._width, torch.Generator())
        self.own.load_state_dict(state)

    def _skip(self, rows: int, generator: torch.Generator) -> None:
        """Draw rows that others keep, and forget them."""
        for start in range(0, rows, BLOCK_ROWS):
            block = min(BLOCK_ROWS, rows - start)
            MemoryBank(self._config).allocate(block, self._width, generator)

    def _draw(self, k: int, exclude: Tensor, generator: torch.Generator) -> Tensor:
        """(B, K) cases, on the CPU, as a `MemoryBank` draws them."""
        return draw_others(self._rows, k, exclude, generator, torch.device("cpu"))


def _parts(rows: int, size: int) -> list[range]:
    edges = [rank * rows // size for rank in range(size + 1)]
    return [range(edges[rank], edges[rank + 1]) for rank in range(size)]


def _places(cases: Tensor, kept: range) -> tuple[Tensor, Tensor]:
    """Which of the cases are kept here, and where among the rows; of others any place."""
    here = (cases >= kept.start) & (cases < kept.stop)
    return here, (cases - kept.start).clamp(0, max(0, len(kept) - 1))


def _draw_rows(store: ShardedBank, *_: Any) -> None:
    """Before the state is asked for."""
    if store.rows and store._kept is None:
        store.kept()


def _hand_over(store: ShardedBank, state: dict[str, Any], prefix: str, _: Any) -> None:
    """All rows into the first process's state; after training, its own are all there are."""
    rank, size = place()
    if size > 1 and store._kept == _parts(store.rows, size)[rank]:
        for key in [key for key in state if key.startswith(f"{prefix}own.")]:
            state[key] = gather_first(state[key], [len(p) for p in _parts(store.rows, size)])


def _take_over(store: ShardedBank, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Of all rows, those that this process keeps, whatever it kept before."""
    keys = [key for key in state if key.startswith(f"{prefix}own.")]
    rank, size = place()
    mine = _parts(store.rows, size)[rank]
    for key in keys:
        state[key] = state[key][mine.start : mine.stop]
    store.own.allocate(len(mine), store._width, torch.Generator())
    store._kept = mine
