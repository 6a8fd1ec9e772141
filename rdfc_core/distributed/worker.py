"""What the processes do that do not lead: they take part in every training that is handed out."""

from __future__ import annotations

import itertools
import json
import logging
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed as dist

from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.distributed.watchdog import GRACE_S, POLL_S, watching
from rdfc_core.errors import RdfcError
from rdfc_core.extraction.local_executor import usable_cores
from rdfc_core.plugin.attribution import explain

HERE = "127.0.0.1"
PATIENCE_S = 300.0
"""So long a process waits for the others in mid-training."""
KEPT = "What is finished is kept: the same command goes on from there."


def attend(port: int, own: ProcessGroup, patience_s: float) -> None:
    """The main function of a process that was started for the leading one, on the same machine."""
    store = dist.TCPStore(HERE, port, is_master=False)
    sys.exit(follow(store, own, patience_s))


def follow(store: dist.TCPStore, own: ProcessGroup, patience_s: float) -> int:
    """Take part in every training that the leading process hands out, until it is done.

    Args:
        store: Where it says so.
        own: This process.
        patience_s: So long the others are waited for in mid-training.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the leading process gets it, too, and decides
    logging.getLogger("rdfc").setLevel(logging.ERROR)  # it says all of this as well
    warnings.simplefilter("ignore")
    torch.set_num_threads(threads_of(own.devices))
    try:
        with watching(lambda: _orphaned(store, own)):
            for number in itertools.count():
                store.set(f"ready-{number}-{own.rank}", "")
                while not store.check([f"job-{number}"]):
                    if store.check(["over"]):
                        return 0
                    time.sleep(POLL_S)
                with joined(store, number, own, patience_s) as group:
                    function, arguments = pickle.loads(group.share(b""))
                    function(group, *arguments)
    except Exception as error:
        return _ended_by(error, store, own)
    raise AssertionError("counting ends never")


def _ended_by(error: Exception, store: dist.TCPStore, own: ProcessGroup) -> int:
    """Tell the leading process, or, if that is gone, whoever looks; the exit code."""
    lost = isinstance(error, RuntimeError) and lost_contact(error)
    until = time.monotonic() + (GRACE_S if lost else 0)
    while not (reason := _orphaned(store, own)):
        if not lost:
            fixable = isinstance(error, RdfcError)
            said = f"Process {own.rank + 1} of {own.size}: {error if fixable else explain(error)}"
            store.set("fault", json.dumps({"sentence": said, "fixable": fixable}))
            return 1
        if time.monotonic() > until or store.check(["over"]):
            return 1  # another one is the cause, and the leading process tells
        time.sleep(POLL_S)
    sys.stderr.write(f"{reason}\n")
    return 1


def _orphaned(store: dist.TCPStore, own: ProcessGroup) -> str | None:
    """What there is to say if the leading process is gone."""
    try:
        store.check(["over"])
    except RuntimeError:
        return f"Process {own.rank + 1} of {own.size} ends, since the first is gone. {KEPT}"
    return None


def lost_contact(error: RuntimeError) -> bool:
    """Whether an error says that the others cannot be reached, which is never the cause itself."""
    return isinstance(error, dist.DistError) or "/gloo/" in str(error)


@contextmanager
def joined(
    store: dist.TCPStore, number: int, own: ProcessGroup, patience_s: float
) -> Iterator[ProcessGroup]:
    """Inside, torch's default process group is that of a job."""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads_of(own.devices))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
        store=dist.PrefixStore(f"group-{number}", store),
        rank=own.rank,
        world_size=own.size,
        timeout=timedelta(seconds=patience_s),
    )
    try:
        yield own
    finally:
        dist.destroy_process_group()
        torch.set_num_threads(threads)


def threads_of(devices: int) -> int:
    """This process's share of the cores; no more than it uses now."""
    return min(torch.get_num_threads(), max(1, usable_cores() // devices))
