"""The report: one self-contained ``report.html``, drawn from a run folder and nothing else.

Neither the plugins nor torch nor the data are needed, so that a report can be drawn again
anywhere.
"""

from __future__ import annotations

from pathlib import Path

from rdfc_core.results.files import REPORT
from rdfc_core.utils.atomic import replacing

__all__ = ["write_report"]


def write_report(folder: Path) -> Path:
    """Draw ``report.html`` from what the run folder holds, and the cards beside its models.

    Sections without data say so.

    The same folder gives the same bytes. An earlier report is replaced whole or not at all.

    Args:
        folder: The run folder.

    Returns:
        The path of the report.

    Raises:
        DataError: If the folder holds none of a run's files, or one of them is damaged.
    """
    # Loaded when a report is drawn: matplotlib and scikit-learn take seconds.
    from rdfc_core.report.cards import write_cards
    from rdfc_core.report.load import read_run
    from rdfc_core.report.page import render

    run = read_run(folder)
    html = render(run)
    write_cards(folder, run)
    path = folder / REPORT
    with replacing(path) as partial:
        # replace: half a surrogate pair, which JSON may hold, is no character of any file.
        partial.write_bytes(html.encode("utf-8", errors="replace"))
    return path
