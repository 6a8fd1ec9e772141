"""The hooks that a plugin may implement. All are optional.

A plugin is a module named by an entry point of the group ``rdfc``; it marks its implementations
with ``hookimpl``. The module must stay light: name components, load nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pluggy

from rdfc_core.plugin.component import Component

hookspec = pluggy.HookspecMarker("rdfc")
hookimpl = pluggy.HookimplMarker("rdfc")


@hookspec
def rdfc_components() -> Sequence[Component]:  # type: ignore[empty-body]
    """The components that this plugin offers."""


@hookspec
def rdfc_run_started(folder: Path, study: Mapping[str, Any]) -> None:
    """A run begins or resumes in ``folder``; ``study`` is the resolved study as plain data."""


@hookspec
def rdfc_epoch_ended(folder: Path, split: str, metrics: Mapping[str, float]) -> None:
    """An epoch of pretraining ended; ``metrics`` is the line written to ``metrics.jsonl``."""


@hookspec
def rdfc_run_finished(folder: Path, results: Mapping[str, Any]) -> None:
    """The run is complete; ``results`` is what ``results.json`` holds."""
