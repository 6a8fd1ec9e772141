"""EXAMPLE_SUMMARY, for rdfc.

This module is imported whenever plugins are listed, so it loads nothing heavy. A hook takes those
of its arguments that it needs, by name; one that fails is named, and the run goes on.
"""

from collections.abc import Mapping
from pathlib import Path

from rdfc_core import Stop, hookimpl

rdfc_interface = 1
"""The version of rdfc's interfaces that this plugin was written for."""

WORD = "STOP"
"""The file that asks a run to stop."""


@hookimpl
def rdfc_epoch_ended(folder: Path, split: str, metrics: Mapping[str, float]) -> Stop | None:
    """Stop where the file lies in the run folder; it is removed, so that the run can go on."""
    asked = folder / WORD
    if not asked.exists():
        return None
    asked.unlink()
    return Stop(f"{WORD} lay in the run folder, at a loss of {metrics['loss']:.3g} in {split}")
