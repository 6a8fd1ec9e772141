"""``rdfc doctor``: what this environment is, and what is known to go wrong in it."""

from __future__ import annotations

from rdfc_core.cli import options


def doctor(
    store: options.Store = None, as_json: options.Json = False, debug: options.Debug = False
) -> None:
    """Versions, devices, plugins and known traps of this environment."""
    from rdfc_core.cli import console
    from rdfc_core.doctor import examine

    with console.DrawnProgress().waiting("Looking at libraries, devices and plugins"):
        findings = examine(store)
    if as_json:
        console.show_json(findings)
        return
    for title, lines in findings.items():
        console.out.print(title, style="bold")
        for line in lines:
            console.out.print(f"  {line}", markup=False)
