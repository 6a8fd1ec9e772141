"""How long work tells how far it is; the command line draws it, a library call stays silent."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol


class Advance(Protocol):
    """Says that more is done."""

    def __call__(self, steps: int = 1, note: str = "", total: int | None = None) -> None:
        """``steps`` more are done.

        Args:
            steps: How many more.
            note: A word on the current state.
            total: Of the whole work, if that is known better now.
        """


class Progress:
    """Silent progress; the command line overrides its methods."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        """A piece of work of ``total`` steps."""

        def advance(steps: int = 1, note: str = "", total: int | None = None) -> None:
            return

        yield advance

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Work without steps: told, again and again, if it takes more than a moment."""
        yield

    def say(self, text: str) -> None:
        """One line about what happens next."""


class Clock:
    """When a run began, and how many seconds each stage of it took."""

    def __init__(self) -> None:
        self.started = datetime.now().astimezone().isoformat(timespec="seconds")
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time until its end to the stage's."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds[name] + time.perf_counter() - start, 2)
