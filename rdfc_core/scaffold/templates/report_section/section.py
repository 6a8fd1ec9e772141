"""The methods of a run, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rdfc_core.interfaces import Block, ReportSection, TableBlock, TextBlock

from .config import ExampleConfig

if TYPE_CHECKING:
    from rdfc_core import Results


class Example(ReportSection):
    """A table of all methods by one metric."""

    title = "Methods by rank"

    def __init__(self, config: ExampleConfig) -> None:
        self.config = config

    def blocks(self, results: Results, folder: Path) -> Sequence[Block]:
        """A sentence and a table; nothing where nothing was evaluated."""
        metric = self.config.metric
        scored = [(row.mean, row) for row in results.rows if row.metric == metric]
        known = [(mean, row) for mean, row in scored if mean is not None]
        if not known:
            return []
        ranked = sorted(known, key=lambda one: one[0], reverse=True)
        return [
            TextBlock(text=f"By {metric}; differences may well be chance."),
            TableBlock(
                columns=("method", "input", metric),
                rows=tuple((row.method, row.input, mean) for mean, row in ranked),
            ),
        ]
