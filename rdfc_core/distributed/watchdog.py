"""Ends this process if another that it waits for is gone, and nothing else would notice."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_S = 0.1
GRACE_S = 10.0
"""So long the main thread has to notice by itself, and to end in good order."""


@contextmanager
def watching(gone: Callable[[], str | None]) -> Iterator[None]:
    """Inside, the process ends with a sentence soon after another is gone.

    A broken connection is an error on a processor; on GPUs the main thread may wait for ever, in
    code that no exception reaches.

    Args:
        gone: The sentence, once the other is gone.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(1.0):
            if (sentence := gone()) and not done.wait(GRACE_S):
                sys.stderr.write(f"{sentence}\n")
                sys.stderr.flush()
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()
