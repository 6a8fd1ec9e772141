"""Promises of a section of the report. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rdfc_core.contract.promises import require
from rdfc_core.results.report_blocks import MOST_BLOCKS, FigureBlock, TableBlock, TextBlock


def require_blocks(title: Any, blocks: Any, who: str) -> None:
    """A section has a heading, and gives a list of blocks.

    Raises:
        ContractError: If it does not.
    """
    require(
        isinstance(title, str) and len(title.strip()) > 0 and len(title) <= 100,
        f"{who}.title is {title!r:.120}; give a heading of up to 100 letters.",
    )
    require(
        isinstance(blocks, Sequence) and not isinstance(blocks, str | bytes),
        f"{who}.blocks() gave {type(blocks).__name__}; give a list of TextBlock, TableBlock and "
        "FigureBlock.",
    )
    for block in blocks:
        require(
            isinstance(block, TextBlock | TableBlock | FigureBlock),
            f"{who}.blocks() holds {block!r:.60}, which is none; put text into a TextBlock.",
        )
    require(
        len(blocks) <= MOST_BLOCKS,
        f"{who}.blocks() gave {len(blocks)} blocks; {MOST_BLOCKS} are the most.",
    )
