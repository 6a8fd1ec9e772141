"""TensorBoard's files of a run, written where the training runs, without a thread."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pydantic import BaseModel
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar

from rdfc_core.interfaces.logger import Ending, LoggedRun, Logger


class TensorBoardLogger(Logger):
    """Scalars by epoch for TensorBoard, a folder a training.

    tensorboardX's own SummaryWriter hands events to a thread through a queue. A signal that comes
    while one is handed over can leave the queue as if it were empty; closing then waits for ever.
    """

    def __init__(self, config: BaseModel) -> None:
        self._events: EventsWriter | None = None

    def begin(self, run: LoggedRun) -> None:
        """Remember where the files go."""
        self._folder = run.own

    def begin_training(self, training: str, done: int) -> None:
        """Begin a file; what was shown after the epochs that are done is dropped."""
        self._close()
        folder = self._folder / training
        folder.mkdir(parents=True, exist_ok=True)
        self._events = EventsWriter(str(folder / "events"))
        if done:
            self._write(Event(step=done + 1, session_log=SessionLog(status=SessionLog.START)))

    def log(self, training: str, metrics: Mapping[str, float], epoch: int, step: int) -> None:
        """Show the metrics of an epoch; ``loss.a.b`` stands there as ``loss/a/b``."""
        for name, value in metrics.items():
            self._write(Event(step=epoch, summary=scalar(name.replace(".", "/"), value)))
        if self._events is not None:
            self._events.flush()

    def end(self, outcome: Ending, reason: str) -> None:
        """Close the last file."""
        self._close()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        if self._events is not None:
            self._events.write_event(event)

    def _close(self) -> None:
        if self._events is not None:
            self._events.close()
            self._events = None
