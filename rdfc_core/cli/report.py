"""``rdfc report``: draw a run's report again."""

from __future__ import annotations

from rdfc_core.cli import options
from rdfc_core.cli.predict import Run


def report(run: Run, debug: options.Debug = False) -> None:
    """Draw report.html from the run's files alone; needs neither plugins nor data."""
    from rdfc_core.cli import console
    from rdfc_core.report import write_report

    with console.DrawnProgress().waiting("Drawing the report"):
        written = write_report(run.resolve())
    console.out.print(str(written), markup=False)
