"""What rdfc relies on in a `ReportSection`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rdfc_core.contract.promises import require, require_kind
from rdfc_core.testing.assertions import conformance
from rdfc_core.testing.results import example_results

if TYPE_CHECKING:
    from rdfc_core.interfaces import ReportSection
    from rdfc_core.results.schema import Results


@conformance
def check_report_section(section: ReportSection, run: Path | None = None) -> None:
    """Check a section on results of two methods, and on a run that has none.

    Args:
        section: Built.
        run: The folder of a finished run of one's own to be looked at, too.

    Raises:
        AssertionError: If it has no heading, gives anything but blocks, says something else when
            it is asked again, writes into the run folder, or needs what not every run has.
    """
    from rdfc_core.contract.global_state import left_alone
    from rdfc_core.contract.report_sections import require_blocks
    from rdfc_core.interfaces import ReportSection
    from rdfc_core.results.files import RESULTS
    from rdfc_core.results.schema import Results

    who = require_kind(section, ReportSection)
    runs: list[tuple[Results, Path | None]] = [
        (example_results(rows), None) for rows in (True, False)
    ]
    runs += [(Results.read(run / RESULTS), run)] if run else []
    for results, own in runs:
        with tempfile.TemporaryDirectory() as empty:
            folder = own or Path(empty)
            before = sorted(folder.rglob("*"))
            with left_alone(f"{who}.blocks()"):
                blocks = section.blocks(results, folder)
            require_blocks(section.title, blocks, who)
            require(
                list(section.blocks(results, folder)) == list(blocks),
                f"{who}.blocks() gave something else when it was asked again; the same run has to "
                "give the same report.",
            )
            require(
                sorted(folder.rglob("*")) == before,
                f"{who}.blocks() wrote into the run folder; read from it only.",
            )
