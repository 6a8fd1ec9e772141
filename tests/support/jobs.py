"""What tests run in other processes. Light, so that a worker starts at once."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdfc_core.case import Case, Tumour
    from rdfc_core.config.resolve import ResolvedStudy
    from rdfc_core.interfaces import Prepared


def put_rows(path: Path, start: int, stop: int, stored: Connection) -> None:
    """Put a row for each number into a store, and say so after each."""
    import numpy as np

    from rdfc_core.extraction.store import Store
    from rdfc_core.interfaces import Prepared

    store = Store(path)
    for place in range(start, stop):
        store.put(f"key-{place}", {"view": "x"}, Prepared(np.full(20_000, place), ("a",) * 100))
        stored.send(place)


def put_rows_within(path: Path, file_bytes: int, said: Connection) -> None:
    """Put rows under a limit on the size of files; say how many went in, and the error."""
    import numpy as np

    from rdfc_core import DataError
    from rdfc_core.extraction.store import Store
    from rdfc_core.interfaces import Prepared

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a failing write, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    store = Store(path)
    for place in range(1000):
        try:
            store.put(f"key-{place}", {}, Prepared(np.full(2000, place)))
        except DataError as error:
            said.send((place, str(error)))
            return


def double(number: int) -> int:
    return 2 * number


def work_in(folder: Path, study: ResolvedStudy, started: Connection) -> None:
    """Claim a run folder, say so, and stay in it until killed."""
    from rdfc_core.pipeline.run_folder import RunFolder
    from rdfc_core.plugin.registry import installed

    with RunFolder(folder).claimed(study, installed(), overwrite=False):
        started.send(True)
        time.sleep(600)


def sleep_on_odd(number: int) -> int:
    time.sleep(60 * (number % 2))
    return number


def allocate(gibibytes: float) -> int:
    return len(bytearray(int(gibibytes * 2**30)))


def fail_on_odd(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


def die_on_odd(number: int) -> int:
    """Kill the own process on odd numbers, as the kernel does for want of memory."""
    if number % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return number


def die_once(job: tuple[Path, int]) -> int:
    """Kill the own process the first time that this job is tried."""
    folder, number = job
    marker = folder / str(number)
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def process_and_threads(_: Any) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def has_ended(pid: int) -> bool:
    """Whether a child process ends within a minute."""
    for _ in range(6000):
        try:
            os.kill(pid, 0)
            os.waitpid(pid, os.WNOHANG)  # a process that ended stays until someone asks
        except (ProcessLookupError, ChildProcessError):
            return True
        time.sleep(0.01)
    return False


DEADLY = 251
"""The grey value that `Deadly` does not survive."""


class Breaks:
    """Prepares nothing, by a fault of its own."""

    def recipe(self) -> dict[str, Any]:
        return {"view": "breaks"}

    def prepare(self, tumour: Tumour) -> Prepared:
        return 1 / 0  # type: ignore[return-value]


class Deadly:
    """Kills its process at a tumour that is all of one grey value."""

    def recipe(self) -> dict[str, Any]:
        return {"view": "deadly"}

    def prepare(self, tumour: Tumour) -> Prepared:
        from rdfc_core.interfaces import Prepared

        if (tumour.image.array == DEADLY).all():
            os.kill(os.getpid(), signal.SIGKILL)
        return Prepared(tumour.image.array[:1, 0].astype(float))


class Slow:
    """Takes its time, and notes what it was given (the first grey value) in a file."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes

    def recipe(self) -> dict[str, Any]:
        return {"view": "slow"}

    def prepare(self, tumour: Tumour) -> Prepared:
        from rdfc_core.interfaces import Prepared

        with self.notes.open("a", encoding="utf-8") as file:
            file.write(f"{tumour.image.array[0, 0]}\n")
        time.sleep(0.03)
        return Prepared(tumour.image.array[:1, 0].astype(float))


def extract_slowly(cases: Sequence[Case], store: Path, notes: Path) -> None:
    from rdfc_core.extraction.extract import extract
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.extraction.store import Store

    executor = LocalExecutor(LocalExecutorConfig(workers=0))
    found = extract(cases, {"slow": Slow(notes)}, Store(store), executor)
    assert len(found.cases) == len(cases)


def wait_for_lines(path: Path, lines: int) -> None:
    """Until another process has written so many lines; at most five minutes."""
    for _ in range(30_000):
        if path.exists() and len(path.read_text(encoding="utf-8").splitlines()) >= lines:
            return
        time.sleep(0.01)
    raise TimeoutError(f"{path} did not come to {lines} lines")


def save_for_ever(path: Path, saved: Connection) -> None:
    """Save one checkpoint after the other; say so after the second."""
    import torch

    from rdfc_core.training import checkpoint

    for epoch in range(100_000):
        checkpoint.save(path, {"epoch": epoch, "weights": torch.full((100_000,), float(epoch))})
        if epoch == 1:
            saved.send(epoch)


def note_and_sleep(job: tuple[Path, float]) -> int:
    """Say which process this is, in a file, and sleep."""
    path, seconds = job
    (path / f"{os.getpid()}.pid").touch()
    time.sleep(seconds)
    return os.getpid()


def run_sleepers(folder: Path, seconds: float, timeout_seconds: float, said: Connection) -> None:
    """Run two jobs that sleep on two workers; send what became of each."""
    from rdfc_core.extraction.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.utils.signals import Terminated, heeding_signals

    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and stays so
    executor = LocalExecutor(LocalExecutorConfig(workers=2, timeout_seconds=timeout_seconds))
    try:
        with heeding_signals():
            for one in executor.run(note_and_sleep, [(folder, seconds)] * 2):
                said.send((one.job, str(one.error or "")))
    except Terminated as ended:
        said.send(ended.number)
