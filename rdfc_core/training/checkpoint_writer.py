"""Checkpoints that are written while the training goes on."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rdfc_core.errors import RdfcError
from rdfc_core.training import checkpoint
from rdfc_core.training.checkpoint import Packed
from rdfc_core.training.metrics_log import PretrainPaths
from rdfc_core.utils.signals import Terminated

log = logging.getLogger("rdfc")


def keep_stable(paths: PretrainPaths, state: Any) -> None:
    """Keep the state from which a larger budget goes on: before the learning rate began to fall.

    Raises:
        DataError: If it cannot be written.
    """
    checkpoint.save(paths.stable, state)


class CheckpointWriter:
    """Keeps a copy of the newest state, and writes it, when it is due, in a thread of its own.

    Left by an interruption, or by an error that the user can mend, it writes the newest state even
    if that was not due. Whichever way it is left, what is being written is finished first.

    Args:
        path: Of the checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[None] | None = None
        self._unwritten: Packed | None = None

    def keep(self, state: Any, due: bool) -> None:
        """Copy the state, and begin to write it if it is due, once the one before is written.

        Raises:
            DataError: If the one before could not be written.
        """
        if due:
            self._finish()  # first, so that a slow disk never means two copies
        self._unwritten = newest = checkpoint.packed(state)
        if due:
            self._write(newest)

    def finish(self) -> None:
        """Write the newest state now, if that was not due.

        Raises:
            DataError: If it could not be written.
        """
        self._finish()
        if self._unwritten is not None:
            self._write(self._unwritten)
            self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Write what is left to be written.

        Raises:
            DataError: If the last checkpoint could not be written.
        """
        try:
            self._finish()
            if self._unwritten is not None and isinstance(
                error, KeyboardInterrupt | Terminated | RdfcError
            ):
                self.finish()
                log.info("The state after the last whole epoch is kept in %s.", self.path)
        finally:
            self._thread.shutdown()

    def _write(self, state: Packed) -> None:
        self._unwritten = None
        self._writing = self._thread.submit(checkpoint.write, self.path, state)

    def _finish(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()
