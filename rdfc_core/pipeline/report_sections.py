"""What installed plugins add to the report of a run: asked once, and kept in its folder."""

from __future__ import annotations

import logging
from pathlib import Path

from rdfc_core.contract.report_sections import require_blocks
from rdfc_core.errors import ContractError
from rdfc_core.interfaces import ReportSection
from rdfc_core.plugin.component import Component
from rdfc_core.plugin.registry import Registry
from rdfc_core.results.report_blocks import RecordedSection, RecordedSections
from rdfc_core.results.schema import Results

log = logging.getLogger("rdfc")


def record_sections(folder: Path, results: Results, registry: Registry) -> None:
    """Ask each installed section what it says of a run, and keep it in the run folder.

    Whatever one of them raises costs it alone: it is warned of, and named in the report.

    Args:
        folder: Of the run.
        results: Its results.
        registry: Knows the sections.
    """
    found = []
    for component, _ in registry.components("report_section"):
        try:
            section = _asked(component, folder, results)
        except ContractError as error:
            section = _failed(component, f"it breaks its contract: {error}")
        except Exception as error:  # hours of training are worth more than a section
            log.debug("Section %s failed", component.full_label, exc_info=error)
            section = _failed(component, f"{type(error).__name__}: {error}")
        if section.blocks or section.fault:
            found.append(section)
    RecordedSections(sections=tuple(found)).write(folder)


def _asked(component: Component, folder: Path, results: Results) -> RecordedSection:
    section: ReportSection = component.build(component.load_config()())
    blocks = section.blocks(results, folder)
    require_blocks(section.title, blocks, type(section).__name__)
    return RecordedSection(
        title=section.title.strip(), by=component.full_label, blocks=tuple(blocks)
    )


def _failed(component: Component, reason: str) -> RecordedSection:
    sentence = " ".join(reason.split())[:500]
    log.warning(
        "The %s failed, and is left out of the report: %s Its author finds it with "
        "rdfc_core.testing.check_report_section.",
        *(component.full_label, sentence),
    )
    return RecordedSection(title=component.name, by=component.full_label, fault=sentence)
