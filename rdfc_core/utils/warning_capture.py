"""What is warned of while something runs, wherever it is warned of: for the results and report."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Listener(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning, each once."""
        message = record.getMessage()
        if message not in self.heard:
            self.heard.append(message)


@contextmanager
def captured_warnings() -> Iterator[list[str]]:
    """A list that grows with every warning of rdfc and its plugins, as it is logged."""
    heard: list[str] = []
    listener = _Listener(heard)
    logger = logging.getLogger("rdfc")
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)
