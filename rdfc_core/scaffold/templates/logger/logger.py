"""The metrics of a run as a CSV table, a line an epoch."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rdfc_core.interfaces import Ending, LoggedRun, Logger

from .config import ExampleConfig

if TYPE_CHECKING:
    from rdfc_core import Results


class Example(Logger):
    """One table a run; what a resumed run trains again stands there twice."""

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def begin(self, run: LoggedRun) -> None:
        """Begin the table, or go on with the one that is there."""
        folder = run.own if self.config.folder is None else self.config.folder / run.name
        folder.mkdir(parents=True, exist_ok=True)
        self.table, self.summary = folder / "epochs.csv", folder / "summary.csv"
        if not (run.resumed and self.table.exists()):
            self._write(self.table, "w", "training", "epoch", "step", *self.config.metrics)

    def log(self, training: str, metrics: Mapping[str, float], epoch: int, step: int) -> None:
        """Write a line at once: the run may be killed."""
        values = [metrics.get(name, "") for name in self.config.metrics]
        self._write(self.table, "a", training, epoch, step, *values)

    def results(self, results: Results) -> None:
        """Write each method's metrics."""
        self._write(self.summary, "w", "method", "metric", "mean")
        for row in results.rows:
            self._write(self.summary, "a", row.method, row.metric, row.mean)

    def end(self, outcome: Ending, reason: str) -> None:
        """Write how it ended; a tracker would be closed here."""
        self._write(self.table, "a", "end", outcome, reason)

    def _write(self, path: Path, mode: str, *cells: object) -> None:
        with path.open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(cells)
