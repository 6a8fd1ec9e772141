"""Processes that torchrun started: this one's place among them, and where they meet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta

from torch import distributed as dist

from rdfc_core.distributed import worker
from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.distributed.worker import PATIENCE_S


def own_place(environment: Mapping[str, str]) -> ProcessGroup:
    """This process's place, as torchrun's environment variables tell it."""
    rank, size, devices = (
        int(environment[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
    )
    return ProcessGroup(rank, size, devices)


def meeting_point(own: ProcessGroup, patience_s: float) -> dist.TCPStore:
    """Where the processes that torchrun started meet: its agent's own store, or the first's."""
    agent = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    return dist.TCPStore(
        os.environ["MASTER_ADDR"],
        int(os.environ["MASTER_PORT"]),
        is_master=own.leads and not agent,
        wait_for_workers=False,
        timeout=timedelta(seconds=patience_s),
    )


def follow() -> int:
    """What a process does that torchrun started and that does not lead; the exit code."""
    own = own_place(os.environ)
    return worker.follow(meeting_point(own, PATIENCE_S), own, PATIENCE_S)
