"""``--devices`` and ``--nodes``: the processes that a command pretrains with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from rdfc_core.errors import StudyError

if TYPE_CHECKING:
    from rdfc_core.distributed.launcher import ProcessGroupLauncher


@contextmanager
def team(devices: int | None, nodes: int | None) -> Iterator[ProcessGroupLauncher | None]:
    """The processes of a command, which go home at its end; None: this one alone.

    Of those that torchrun started only the first gets any further: the others take part in its
    trainings, and end with it.

    Args:
        devices: Processes on each machine.
        nodes: Machines.

    Raises:
        StudyError: If there are not as many, or torchrun started others.
    """
    under_torchrun = "TORCHELASTIC_RUN_ID" in os.environ
    _check(devices, nodes, under_torchrun)
    if not under_torchrun and (devices or 1) == 1:
        yield None
        return
    # Before torch is loaded: of connections that end and layers that a task does without, its own
    # warnings would be the loudest.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

    from rdfc_core.distributed import torchrun
    from rdfc_core.distributed.launcher import ProcessGroupLauncher

    if under_torchrun and not torchrun.own_place(os.environ).leads:
        raise typer.Exit(torchrun.follow())
    with (
        ProcessGroupLauncher.of_torchrun()
        if under_torchrun
        else ProcessGroupLauncher.on_this_machine(devices or 1) as started
    ):
        yield started


def _check(devices: int | None, nodes: int | None, under_torchrun: bool) -> None:
    if not under_torchrun:
        if (nodes or 1) > 1:
            raise StudyError(
                f"--nodes {nodes}: start the command on each machine by torchrun: torchrun "
                f"--nnodes {nodes} --nproc-per-node {devices or 1} --master-addr FIRST --node-rank "
                "I -m rdfc_core run STUDY.yaml …"
            )
        return
    there = {
        "--devices": int(os.environ["LOCAL_WORLD_SIZE"]),
        "--nodes": int(os.environ["WORLD_SIZE"]) // int(os.environ["LOCAL_WORLD_SIZE"]),
    }
    for option, wanted in (("--devices", devices), ("--nodes", nodes)):
        if wanted not in (None, there[option]):
            raise StudyError(
                f"{option} {wanted}: torchrun started {there[option]}. Leave the option out, or "
                "start as many."
            )
