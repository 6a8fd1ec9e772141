"""How long work tells how far it is; the command line draws it, a library call stays silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Says that more is done."""

    def __call__(self, steps: int = 1, note: str = "") -> None:
        """``steps`` more are done; ``note`` is a word on the current state."""


class Progress:
    """Silent progress; the command line overrides both methods."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Advance]:
        """A piece of work of ``total`` steps."""

        def advance(steps: int = 1, note: str = "") -> None:
            return

        yield advance

    def say(self, text: str) -> None:
        """One line about what happens next."""
