"""What C libraries write past Python, straight to the terminal."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

STREAMS = {"stdout": 1, "stderr": 2}

_LOCK = threading.RLock()
"""Standard output and error belong to the process: one block at a time turns them aside."""

_own: dict[tuple[int, int], TextIO] = {}
"""Device and inode of a file → Python's own way to it. Kept: other threads may be writing there."""


@contextmanager
def native_output_silenced() -> Iterator[None]:
    """Discard what C libraries write to standard output and error until the block ends.

    libtiff, libpng, ITK, NIfTI's and MetaImage's libraries print lines of their own about a file
    that is odd or damaged. What matters of them is raised as an error; a raw line would stand in
    the middle of a table or a progress bar, and names no case. Warnings of Python's libraries about
    such files are dropped too. What Python writes (a progress bar in another thread) goes on to
    where it went.
    """
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        turned = [name for name, number in STREAMS.items() if _is_open(number)]
        before = {name: getattr(sys, name) for name in turned}
        plugs = [os.open(os.devnull, os.O_RDWR)]
        while plugs[-1] <= max(STREAMS.values()):  # else the copies would take a closed number
            plugs.append(os.open(os.devnull, os.O_RDWR))
        kept = {name: os.dup(STREAMS[name]) for name in turned}
        try:
            for name, original in kept.items():
                _flush(before[name])
                if _leads_to(before[name], STREAMS[name]):
                    setattr(sys, name, _way_to(original, before[name]))
                os.dup2(plugs[-1], STREAMS[name])
            yield
        finally:
            for name, original in kept.items():
                os.dup2(original, STREAMS[name])
                os.close(original)
                setattr(sys, name, before[name])
            for plug in plugs:
                os.close(plug)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _flush(stream: TextIO | None) -> None:
    if stream is not None and not stream.closed:
        stream.flush()


def _leads_to(stream: TextIO | None, number: int) -> bool:
    try:
        return stream is not None and stream.fileno() == number
    except (OSError, ValueError):  # no file: a test's, or closed
        return False


def _way_to(descriptor: int, like: TextIO) -> TextIO:
    """A stream of Python's to the same file, by another number."""
    status = os.fstat(descriptor)
    place = status.st_dev, status.st_ino
    if place not in _own:
        _own[place] = open(  # noqa: PTH123, SIM115  (a descriptor; kept open)
            os.dup(descriptor), "w", buffering=1, encoding=like.encoding, errors=like.errors
        )
    return _own[place]
