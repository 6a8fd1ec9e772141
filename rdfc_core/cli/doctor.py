"""``rdfc doctor``: what this environment is, and what is known to go wrong in it."""

from __future__ import annotations

import typer

from rdfc_core.cli import options
from rdfc_core.cli.streams import show_json
from rdfc_core.errors import one_line


def doctor(
    store: options.Store = None, as_json: options.Json = False, debug: options.Debug = False
) -> None:
    """Versions, devices, plugins and known traps; exit code 2 if a plugin is broken."""
    from rdfc_core.cli import console
    from rdfc_core.doctor import examine

    with console.DrawnProgress().waiting("Looking at libraries, devices and plugins"):
        examined = examine(store)
    if as_json:
        show_json(examined.findings)
    else:
        for title, lines in examined.findings.items():
            console.out.print(title, style="bold")
            for line in lines:
                console.out.print(f"  {one_line(line)}")
    if examined.broken:
        raise typer.Exit(2)
