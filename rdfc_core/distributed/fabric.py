"""Lightning Fabric in a process of a group that is joined already."""

from __future__ import annotations

import warnings

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.strategies import DDPStrategy

from rdfc_core.config.training_settings import Precision
from rdfc_core.distributed.process_group import ProcessGroup


def device_in(group: ProcessGroup, precision: Precision) -> Fabric:
    """This process's device: an accelerator, or the processor; gradients are averaged over all."""
    strategy = DDPStrategy(
        find_unused_parameters=True,  # a network may have layers that a task does without
        broadcast_buffers=False,  # memories are buffers, and alike or spread over the processes
        init_sync=False,  # all begin with the same weights
    )
    # Its successor, in torch 2.15 and later, copies them at the beginning.
    warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")
    fabric = Fabric(
        accelerator=accelerator(),
        devices=group.devices,
        num_nodes=group.size // group.devices,
        strategy=strategy,
        precision=precision,
        plugins=[_Seat(group)],
    )
    fabric.launch()
    return fabric


def accelerator() -> str:
    """What several processes train on."""
    return "cuda" if torch.cuda.is_available() else "cpu"


class _Seat(LightningEnvironment):
    """Tells Fabric where this process stands, in place of environment variables."""

    def __init__(self, group: ProcessGroup) -> None:
        super().__init__()
        self._group = group

    @property
    def creates_processes_externally(self) -> bool:
        """The processes are there."""
        return True

    def local_rank(self) -> int:
        """The place on this machine."""
        return self._group.local_rank

    def node_rank(self) -> int:
        """Which machine."""
        return self._group.rank // self._group.devices
