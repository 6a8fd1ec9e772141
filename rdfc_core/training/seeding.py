"""Randomness that a seed decides, whatever torch's global generator holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Weights and dropout, which torch draws from its global generator, follow the seed here."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
