"""How many threads of the processor compute a network, where several networks are to be trained."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rdfc_core.extraction.local_executor import usable_cores

log = logging.getLogger("rdfc")

FEW = 8
"""Fewer networks are trained one after the other, each on all cores: to start processes would take
longer than they save (measured on two cores, docs/performance.md)."""


def usable_threads() -> int:
    """The threads that this process may compute with: a core each, or as OMP_NUM_THREADS says."""
    return max(1, min(torch.get_num_threads(), usable_cores()))


def one_after_the_other(networks: int) -> bool:
    """Whether so many networks are too few to be trained side by side, in processes."""
    return networks < FEW


def threads_each(networks: int) -> int:
    """Threads for each of so many networks: all for each of a few, otherwise they share them.

    One network on several threads waits for the slowest at each layer, and burns a core while it
    waits; as many networks as there are cores, a thread each, wait for nobody. Numbers of threads
    round sums differently, so that this depends on the study and the machine, and never on load or
    on how much of a run is done.
    """
    if one_after_the_other(networks):
        return usable_threads()
    return max(1, usable_threads() // networks)


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Inside, operations of torch take so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def warn_if_busy() -> None:
    """Warn where a network is computed by several threads on cores that others keep busy.

    The threads of an operation wait for the last of them, by computing: on two cores with a load of
    nine that takes up to ten times the processor time of one thread (docs/performance.md).
    """
    if torch.cuda.is_available() or not hasattr(os, "getloadavg"):  # not on Windows
        return
    load, threads = os.getloadavg()[0], usable_threads()
    if threads > 1 and load > usable_cores():
        log.warning(
            "Other programs keep this machine busy (a load of %.0f on %d cores). Where several "
            "threads train one network, they then wait for each other most of the time: set "
            "OMP_NUM_THREADS=1 and run the same command again.",
            load,
            usable_cores(),
        )
