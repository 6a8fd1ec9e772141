"""What no input may do, however malformed: fail in another way than a refusal, hang, fill the
memory, write anywhere but into run folder and store, or have anything run.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdfc_core.errors import RdfcError
from tests.fuzz import audit

SECONDS = 10
"""For one input."""

GROWTH_BYTES = 2**29
"""By how much resident memory may grow for one input; stated in docs/performance.md."""

ADDRESSES_BYTES = 2**34
"""By how much addresses may: above it the system refuses, so that a fault cannot fill the machine.
A reader may ask for the 8 GiB that a header within its limit claims, and touch what the file has.
"""

MOST_WORDS = 2000
"""Characters of a sentence."""


@dataclass
class Tally:
    """What came of the inputs of one kind."""

    inputs: int = 0
    refused: int = 0
    accepted: int = 0
    slowest_s: float = 0.0
    peak_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"{self.inputs:7d} {self.refused:9d} {self.accepted:9d} {self.slowest_s:9.2f} s "
            f"{self.peak_bytes / 2**20:8.0f} MiB"
        )


HEADING = f"{'kind':<14}  inputs   refused  accepted     slowest       memory"


class Hang(BaseException):
    """An input took too long; no handler of ordinary errors may swallow it."""


class Guard:
    """Judges what becomes of one input after the other.

    Args:
        sandbox: Gets the folders ``inputs``, ``here`` (the working folder), ``home``, ``run`` and
            ``store``; only the last two may change.
        seconds: For one input.
        growth_bytes: Of resident memory, for one input.
    """

    def __init__(
        self, sandbox: Path, seconds: float = SECONDS, growth_bytes: int = GROWTH_BYTES
    ) -> None:
        self.seconds, self.growth_bytes = seconds, growth_bytes
        self.inputs, self.here, self.home, self.run, self.store = (
            sandbox / name for name in ("inputs", "here", "home", "run", "store")
        )
        for folder in (self.inputs, self.here, self.home, self.run, self.store):
            folder.mkdir()
        self.tallies: dict[str, Tally] = defaultdict(Tally)

    def judge(self, kind: str, action: Callable[[], Any], *trusted: Path) -> Any:
        """What the action returns, or None if it refuses the input as rdfc refuses things.

        Args:
            kind: Of input, for the table.
            action: Reads it.
            trusted: Folders whose code may run: a plugin's.

        Raises:
            AssertionError: If it does anything that no input may do.
        """
        before = self.contents()
        refusal: RdfcError | None = None
        found = None
        started = time.monotonic()
        looking = audit.armed(self.run, self.store, trusted=trusted)
        with _within_memory() as grown, looking as seen, _within_time(self.seconds):
            try:
                found = action()
            except RdfcError as error:
                refusal = error
        self.count(kind, refusal is not None, time.monotonic() - started, grown())
        if refusal is not None:
            check_sentence(str(refusal))
        assert not seen, f"this was done: {seen[:5]}"
        assert self.contents() == before, "files have changed outside run folder and store"
        return found

    def count(self, kind: str, refused: bool, seconds: float, grown_bytes: int) -> None:
        """Add one input to its kind, and hold it to the limits of time and memory."""
        tally = self.tallies[kind]
        tally.inputs += 1
        tally.refused += refused
        tally.accepted += not refused
        tally.slowest_s = max(tally.slowest_s, seconds)
        tally.peak_bytes = max(tally.peak_bytes, grown_bytes)
        assert seconds <= self.seconds, f"it took {seconds:.1f} s"
        assert grown_bytes <= self.growth_bytes, f"it took {grown_bytes / 2**20:.0f} MiB"

    def contents(self) -> Mapping[str, tuple[int, int]]:
        """Every file and folder that may not change, with size and time of its last change."""
        return {
            entry.path: (entry.stat(follow_symlinks=False).st_mtime_ns, entry.stat().st_size)
            if entry.is_file()
            else (0, 0)
            for folder in (self.inputs, self.here, self.home)
            for entry in _walk(folder)
        }


def check_sentence(text: str) -> None:
    """A refusal is one line of plain words.

    Raises:
        AssertionError: If it is not.
    """
    assert text.strip(), "it is refused without a word"
    assert text.isprintable(), f"the sentence is none: {text!r:.300}"
    assert len(text) <= MOST_WORDS, f"the sentence has {len(text)} characters: {text[:300]}"
    assert "Traceback" not in text, text
    assert " object at 0x" not in text, text


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))


@contextmanager
def _within_time(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hang(f"it goes on after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _within_memory() -> Iterator[Callable[[], int]]:
    """Gives a function that tells by how many bytes resident memory has grown at its peak."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    status = _status()
    most = status["VmSize"] + ADDRESSES_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    try:
        yield lambda: _status()["VmHWM"] - status["VmRSS"]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _status() -> dict[str, int]:
    """Linux's figures of this process, in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    lines = (line.split() for line in text.splitlines())
    return {line[0][:-1]: int(line[1]) * 1024 for line in lines if line[-1] == "kB"}
