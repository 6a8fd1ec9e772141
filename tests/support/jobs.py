"""What tests run in other processes. Light, so that a worker starts at once."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.progress import Advance, Progress

if TYPE_CHECKING:
    from rdfc_core.case import Case, Tumour
    from rdfc_core.interfaces import Prepared, Pretext
    from rdfc_core.resolve import ResolvedStudy
    from rdfc_core.results import Results


def put_rows(path: Path, start: int, stop: int, stored: Connection) -> None:
    """Put a row for each number into a store, and say so after each."""
    import numpy as np

    from rdfc_core.interfaces import Prepared
    from rdfc_core.store import Store

    store = Store(path)
    for place in range(start, stop):
        store.put(f"key-{place}", {"view": "x"}, Prepared(np.full(20_000, place), ("a",) * 100))
        stored.send(place)


def put_rows_within(path: Path, file_bytes: int, said: Connection) -> None:
    """Put rows under a limit on the size of files; say how many went in, and the error."""
    import numpy as np

    from rdfc_core import DataError
    from rdfc_core.interfaces import Prepared
    from rdfc_core.store import Store

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
    from rdfc_core.plugins import installed
    from rdfc_core.run_folder import RunFolder

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
    from rdfc_core.features import extract
    from rdfc_core.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.store import Store

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


class Counted(Progress):
    """Remembers how far each task came."""

    def __init__(self) -> None:
        self.totals: dict[str, tuple[int, int]] = {}

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        self.totals[title] = (0, total)

        def advance(steps: int = 1, note: str = "") -> None:
            self.totals[title] = (self.totals[title][0] + steps, total)

        yield advance


def save_for_ever(path: Path, saved: Connection) -> None:
    """Save one checkpoint after the other; say so after the second."""
    import torch

    from rdfc_core import checkpoint

    for epoch in range(100_000):
        checkpoint.save(path, {"epoch": epoch, "weights": torch.full((100_000,), float(epoch))})
        if epoch == 1:
            saved.send(epoch)


SMALL_STUDY: dict[str, Any] = {
    "features": "outline",
    "encoder": "small-cnn",
    "views": {
        "radiomics": {"width": 16, "layers": 2, "dropout": 0.3},
        "image": {"size": [16, 16]},
        "greys": "greys",
    },
    "objective": "infonce:negatives=32",
    "pretext": {"width": 16},
    "pretrain": {
        "epochs": 6,
        "batch_size": 16,
        "optimizer": "sgd",
        "learning_rate": 0.003,
        "schedule": "constant",  # so that a run of fewer epochs begins like a longer one
        "warmup_epochs": 0,
    },
}
"""A study of three views that trains in a second; the data set is left open."""

QUICK = ("evaluate.bootstrap=200", "pretrain.epochs=3")
"""Overrides with which the small study runs from end to end in a second or two."""


def small_study(folder: Path, *overrides: str) -> ResolvedStudy:
    """The small study on a folder of pictures."""
    from rdfc_core.config import load_study
    from rdfc_core.plugins import installed
    from rdfc_core.resolve import resolve

    return resolve(
        load_study({**SMALL_STUDY, "dataset": f"manifest:root={folder}"}, overrides), installed()
    )


def train(folder: Path, run: Path, overrides: Sequence[str] = (), told: Any = None) -> Pretext:
    """Pretrain the small study on all cases of a folder; ``told`` gets each epoch's metrics."""
    from rdfc_core import model, pretrain
    from rdfc_core.metrics_log import Place
    from rdfc_core.plugins import installed
    from rdfc_core.readers.auto import AutoReader

    study = small_study(folder, *overrides)
    dataset = study.dataset.build(installed())
    cases = AutoReader.installed(installed()).given_to(dataset.cases())
    tumours = [case.load() for case in cases]
    views = {name: part.build(installed()) for name, part in study.views.items()}
    prepared = {name: [view.prepare(one) for one in tumours] for name, view in views.items()}
    for name, view in views.items():
        view.fit(prepared[name])
    fresh = model.fresh(study, installed(), views, len(cases), study.seed)
    pretrain.fit(
        fresh.pretext,
        views,
        {name: view.collate(prepared[name]) for name, view in views.items()},
        study.pretrain,
        Place(run, "holdout"),
        study.seed,
        epoch_ended=told.send if told else None,
    )
    return fresh.pretext


def run_study(
    folder: Path, run: Path, store: Path, overrides: Sequence[str] = (), told: Any = None
) -> Results:
    """The small study on a folder of pictures, from beginning to end, in this process.

    ``told`` gets a word for everything that is reported: stages, epochs.
    """
    from rdfc_core import study as studies
    from rdfc_core.local_executor import LocalExecutor, LocalExecutorConfig
    from rdfc_core.plugins import installed
    from rdfc_core.store import Store
    from rdfc_core.workbench import Workbench

    bench = Workbench(
        installed(),
        Store(store),
        LocalExecutor(LocalExecutorConfig(workers=0)),
        Told(told) if told else Progress(),
    )
    return studies.run(small_study(folder, *overrides), run, bench)


class Told(Progress):
    """Sends the title of a task at its beginning and at every step."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        self.connection.send(title)

        def advance(steps: int = 1, note: str = "") -> None:
            self.connection.send(title)

        yield advance
