"""Signals by which systems and schedulers end a process, as an exception like Ctrl-C's."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

ENDING = ("SIGTERM", "SIGHUP")
"""SIGHUP: the terminal was closed, or the connection to it. Windows has none."""


class Terminated(BaseException):
    """The process was asked to end. No Exception, so that nothing takes it for an error.

    Args:
        number: Of the signal.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Inside, such a signal raises `Terminated` in the main thread, which then ends in good order.

    One that is ignored, as SIGHUP under ``nohup``, stays ignored.
    """
    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    before = {
        number: signal.signal(number, _end)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: object) -> NoReturn:
    raise Terminated(number)
