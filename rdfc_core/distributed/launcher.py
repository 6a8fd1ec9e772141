"""The processes that train together: one leads and does all else, the others wait for trainings.

The leading process is the command itself. The others know nothing of its data set, its store or its
run folder: for every training they are handed what it needs, take part, and wait for the next.
They are started here (`--devices`), or are there already (torchrun). Whichever of them dies, the
others end.
"""

from __future__ import annotations

import itertools
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any, Self

import torch
from torch import distributed as dist

from rdfc_core.distributed import torchrun
from rdfc_core.distributed.process_group import ProcessGroup
from rdfc_core.distributed.watchdog import GRACE_S, POLL_S, watching
from rdfc_core.distributed.worker import HERE, KEPT, PATIENCE_S, attend, joined, lost_contact
from rdfc_core.errors import PluginError, StudyError
from rdfc_core.extraction.local_executor import usable_cores
from rdfc_core.plugin.attribution import UnexpectedError


class ProcessGroupLauncher:
    """Starts the processes of a command, or joins those that are there, and hands them work."""

    def __init__(
        self, size: int, devices: int, store: dist.TCPStore, patience_s: float, here: bool
    ) -> None:
        self.size, self.devices, self.patience_s = size, devices, patience_s
        self.workers: list[BaseProcess] = []
        self._store = store
        self._here = here  # whether they are started here
        self._jobs = itertools.count()

    @classmethod
    def of_torchrun(cls, patience_s: float = PATIENCE_S) -> ProcessGroupLauncher:
        """The processes that torchrun started."""
        own = torchrun.own_place(os.environ)
        store = torchrun.meeting_point(own, patience_s)
        return cls(own.size, own.devices, store, patience_s, here=False)

    @classmethod
    def on_this_machine(cls, devices: int, patience_s: float = PATIENCE_S) -> ProcessGroupLauncher:
        """One process a device; the others are started when there is something to train.

        Raises:
            StudyError: If there are fewer devices.
        """
        require_devices(devices)
        store = dist.TCPStore(HERE, 0, is_master=True, wait_for_workers=False)
        return cls(devices, devices, store, patience_s, here=True)

    @contextmanager
    def at_work(self, function: Callable[..., None], *arguments: Any) -> Iterator[ProcessGroup]:
        """Joined with the others, in each of which ``function(group, *arguments)`` runs meanwhile.

        Args:
            function: Of a module, so that the others can import it.
            arguments: What it is told; copied to the others.

        Raises:
            PluginError: If this cannot be copied.
            UnexpectedError: If another process died, or does not answer.
        """
        job = _pickled(function, arguments)
        number = next(self._jobs)
        if self._here and not self.workers:
            self._start()
        try:
            self._store.set(f"job-{number}", "")
            self._await(number)
            with (
                watching(self._dead),
                joined(
                    self._store, number, ProcessGroup(0, self.size, self.devices), self.patience_s
                ) as group,
            ):
                group.share(job)
                del job  # a second copy of all cases
                yield group
        except BaseException as error:
            self._store.set("over", "")
            if isinstance(error, RuntimeError) and lost_contact(error):
                raise self._cause(error) from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Send the others home, and end those that were started here."""
        self._store.set("over", "")
        for worker in self.workers:
            worker.kill()  # nothing is in its hands
            worker.join()

    def _start(self) -> None:
        # One machine needs no other network than its own; and no warnings of connections that end.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
        for rank in range(1, self.size):
            arguments = (
                self._store.port,
                ProcessGroup(rank, self.size, self.devices),
                self.patience_s,
            )
            worker = get_context("spawn").Process(target=attend, args=arguments, daemon=True)
            worker.start()
            self.workers.append(worker)

    def _await(self, number: int) -> None:
        """Wait until all are ready for a job."""
        ready = [f"ready-{number}-{rank}" for rank in range(1, self.size)]
        until = time.monotonic() + max(self.patience_s, PATIENCE_S)  # they may have yet to load
        while not self._store.check(ready):
            if reason := self._dead():
                raise self._reported() or UnexpectedError(reason)
            if time.monotonic() > until:
                raise UnexpectedError(self._silent())
            time.sleep(POLL_S)

    def _cause(self, error: RuntimeError) -> Exception:
        """Why the connection to the others broke."""
        if "imed out" in str(error):
            return UnexpectedError(self._silent())
        # torchrun ends all as soon as one is gone.
        until = time.monotonic() + (GRACE_S if self.workers else 1.0)
        while time.monotonic() < until:
            if reported := self._reported():
                return reported
            if reason := self._dead():
                return UnexpectedError(reason)
            time.sleep(POLL_S)
        return UnexpectedError(f"The connection to another process broke ({error}). {KEPT}")

    def _reported(self) -> Exception | None:
        """What another process said before it ended."""
        if not self._store.check(["fault"]):
            return None
        fault = json.loads(self._store.get("fault"))
        return (StudyError if fault["fixable"] else UnexpectedError)(fault["sentence"])

    def _dead(self) -> str | None:
        """How one of the others died, of those that were started here."""
        for rank, worker in enumerate(self.workers, start=1):
            code = worker.exitcode
            if code is not None:
                how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                memory = " (as a system does whose memory is full)" if how == "SIGKILL" else ""
                return (
                    f"Process {rank + 1} of {self.size} was ended by {how}{memory} in the middle "
                    f"of the training, and so all are ended. {KEPT}"
                )
        return None

    def _silent(self) -> str:
        return (
            f"Another process has not answered for {self.patience_s:g} s, and so all are ended. "
            f"{KEPT}"
        )


def _pickled(function: Callable[..., None], arguments: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps((function, arguments))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise PluginError(
            f"A part of the study cannot be sent to other processes ({error}). Use --devices 1, "
            "or ask its author to keep what it is made of picklable."
        ) from error


def require_devices(devices: int) -> None:
    """Refuse more processes than there are GPUs, where there are any, or cores.

    Raises:
        StudyError: If there are too few.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else None
    there = usable_cores() if gpus is None else gpus
    if devices > there:
        what = "CPU core" if gpus is None else "GPU"
        raise StudyError(
            f"--devices {devices}: this machine has {there} {what}{'s' * (there != 1)}. Ask for "
            "as many at most."
        )
