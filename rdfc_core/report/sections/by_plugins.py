"""Sections that plugins have added to a run, as the page shows them."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from rdfc_core.report.run_data import RunData
from rdfc_core.report.text import number
from rdfc_core.results.report_blocks import FigureBlock, RecordedSection, TableBlock, TextBlock


@dataclass(frozen=True)
class Cell:
    """What stands in a table: text, or a number."""

    text: str
    is_number: bool


@dataclass(frozen=True)
class Shown:
    """A block as the page shows it; what it has not is empty."""

    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    caption: str = ""
    picture: str = ""


@dataclass(frozen=True)
class PluginSection:
    """A section, or why there is none."""

    id: str
    title: str
    by: str
    blocks: tuple[Shown, ...]
    fault: str


def by_plugins(run: RunData) -> tuple[PluginSection, ...]:
    """The sections, in their order."""
    return tuple(_section(place, one) for place, one in enumerate(run.plugin_sections, start=1))


def _section(place: int, section: RecordedSection) -> PluginSection:
    blocks = tuple(_shown(block) for block in section.blocks)
    fault = section.fault or ""
    return PluginSection(f"plugin-{place}", section.title, section.by, blocks, fault)


def _shown(block: TextBlock | TableBlock | FigureBlock) -> Shown:
    if isinstance(block, TextBlock):
        return Shown(text=block.text)
    if isinstance(block, FigureBlock):
        picture = base64.b64encode(block.png).decode("ascii")
        return Shown(picture=f"data:image/png;base64,{picture}", caption=block.caption)
    rows = tuple(tuple(_cell(value) for value in row) for row in block.rows)
    return Shown(columns=block.columns, rows=rows, caption=block.caption)


def _cell(value: str | int | float | None) -> Cell:
    if isinstance(value, str):
        return Cell(value, is_number=False)
    written = number(value) if value is None or isinstance(value, float) else str(value)
    return Cell(written, is_number=True)
