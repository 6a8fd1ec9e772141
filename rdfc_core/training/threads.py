"""How many threads of the processor compute a network, where several networks are to be trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rdfc_core.extraction.local_executor import usable_cores


def usable_threads() -> int:
    """The threads that this process may compute with: a core each, or as OMP_NUM_THREADS says."""
    return max(1, min(torch.get_num_threads(), usable_cores()))


def threads_each(networks: int) -> int:
    """Threads for each of so many networks.

    One network on several threads waits for the slowest at each layer, and burns a core while it
    waits; as many networks as there are cores, a thread each, wait for nobody. Numbers of threads
    round sums differently, so that this depends on the study and the machine, and never on load or
    on how much of a run is done.
    """
    return max(1, usable_threads() // max(1, networks))


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Inside, operations of torch take so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
