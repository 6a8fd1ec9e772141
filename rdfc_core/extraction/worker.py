"""What happens inside a worker process, and the time that counts against its limit."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

LONGEST_PAUSE_SECONDS = 2.0
"""Between two ticks of a clock; more is a suspension, and counts as so much."""


def start_worker(memory_gib: float | None) -> None:
    """Runs first in every worker process.

    Args:
        memory_gib: Limit of its address space; None: none.
    """
    if memory_gib is not None:
        import resource  # not on Windows

        limit = int(memory_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    # One thread a process: more would only fight for the cores the other workers use.
    for variable in (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    ):
        os.environ[variable] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the main one is gone, however it ended.

    The queue that a worker waits at does not tell: each worker holds its other end, too.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def in_time(seconds: float | None, function: Callable[[Any], Any], job: Any) -> Any:
    """Runs in a worker: the job, or the end of this process when its time is up.

    An alarm that nobody handles ends the process even in the midst of a library's C code.
    """
    if seconds is None or not hasattr(signal, "setitimer"):
        return function(job)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function(job)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class ActiveClock:
    """Seconds that this process was running, without those in which it was suspended.

    A thread ticks; a tick that comes far too late tells that the process was stopped (Ctrl-Z,
    SIGSTOP, a debugger, a scheduler that takes turns). The clock of the system does not tell.

    Args:
        limit: The shortest time that it is to tell apart from a suspension, in seconds.
    """

    def __init__(self, limit: float | None) -> None:
        self._pause = min(LONGEST_PAUSE_SECONDS, (limit or LONGEST_PAUSE_SECONDS) / 2)
        self._seconds = 0.0
        self._last = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._ended.set()

    def seconds(self) -> float:
        """How long the process was running since the clock was made."""
        with self._lock:
            now = time.monotonic()
            self._seconds += min(now - self._last, self._pause)
            self._last = now
            return self._seconds

    def _run(self) -> None:
        while not self._ended.wait(self._pause / 8):
            self.seconds()
