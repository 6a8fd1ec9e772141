"""ReportSection: what a plugin adds to the report of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rdfc_core.results.report_blocks import Block, FigureBlock, TableBlock, TextBlock

if TYPE_CHECKING:
    from rdfc_core.results.schema import Results

__all__ = ["Block", "FigureBlock", "ReportSection", "TableBlock", "TextBlock"]


class ReportSection(ABC):
    """A section of ``report.html``. Built as ``Class(config)`` with its default options.

    Each installed section is asked once, when a run has its results, and what it gives is kept in
    the run folder: reports are drawn from there, also where the plugin is not installed. One that
    fails costs the report nothing but itself; it is named there.

    Attributes:
        title: Its heading, up to 100 letters.
    """

    title: ClassVar[str]

    @abstractmethod
    def blocks(self, results: Results, folder: Path) -> Sequence[Block]:
        """Paragraphs, tables and figures in their order; none where there is nothing to say.

        Everything in them is shown as text: HTML is not interpreted.

        Args:
            results: Of the run, as ``results.json`` holds them.
            folder: The run folder, to be read from: ``predictions.parquet``, ``embeddings.parquet``
                and so on (docs/reference/run-folder.md). Nothing may be written there.

        Called:
            Once a run, in its first process, when the results are written and before the report is.
        """
