"""SIGTERM, by which systems and schedulers end a process, as an exception like Ctrl-C's."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class Terminated(BaseException):
    """The process was asked to end. No Exception, so that nothing takes it for an error."""


@contextmanager
def heeding_sigterm() -> Iterator[None]:
    """Inside, SIGTERM raises `Terminated` in the main thread, which then ends in good order."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: object) -> NoReturn:
    raise Terminated
