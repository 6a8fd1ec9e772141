"""TensorBoard's file of a pretraining, written where the training runs, without a thread."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.summary import scalar


class TensorBoardLog:
    """Scalars by epoch, for TensorBoard.

    tensorboardX's own SummaryWriter hands events to a thread through a queue. A signal that comes
    while one is handed over can leave the queue as if it were empty; closing then waits for ever.

    Args:
        folder: Where the file goes; made if need be.
        done: Epochs that the checkpoint has behind it: what was shown after them is dropped.
    """

    def __init__(self, folder: Path, done: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._events = EventsWriter(str(folder / "events"))
        if done:
            session = SessionLog(status=SessionLog.START)
            self._write(Event(step=done + 1, session_log=session))

    def add(self, metrics: Mapping[str, float], epoch: int) -> None:
        """Show the metrics of an epoch; ``loss.a.b`` stands there as ``loss/a/b``."""
        for name, value in metrics.items():
            self._write(Event(step=epoch, summary=scalar(name.replace(".", "/"), value)))
        self._events.flush()

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        self._events.write_event(event)

    def __enter__(self) -> TensorBoardLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._events.close()
