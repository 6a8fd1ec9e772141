"""The hooks that a plugin may implement. All are optional.

A plugin is a module named by an entry point of the group ``rdfc``; it marks its implementations
with ``hookimpl``. The module must stay light: name components, load nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from rdfc_core.plugin.component import Component

hookspec = pluggy.HookspecMarker("rdfc")
hookimpl = pluggy.HookimplMarker("rdfc")


@dataclass(frozen=True)
class Stop:
    """What a hook returns to stop the run, as where the time that was given to it is over.

    The state is saved first, and the same command goes on from there.

    Args:
        reason: Why, in a few words that the user is told.
    """

    reason: str

    def __post_init__(self) -> None:
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise TypeError("a Stop needs a reason, in words")


MAY_STOP = ("rdfc_run_started", "rdfc_epoch_ended")
"""The hooks that may return a `Stop`."""


@hookspec
def rdfc_components() -> Sequence[Component]:  # type: ignore[empty-body]
    """The components that this plugin offers."""


@hookspec
def rdfc_run_started(folder: Path, study: Mapping[str, Any]) -> Stop | None:
    """A run begins or resumes in ``folder``; ``study`` is the resolved study as plain data.

    A `Stop` ends it before anything is measured.
    """


@hookspec
def rdfc_epoch_ended(folder: Path, split: str, metrics: Mapping[str, float]) -> Stop | None:
    """An epoch of pretraining ended; ``metrics`` is the line written to ``metrics.jsonl``.

    A `Stop` ends the run once the state after this epoch is saved, in all its processes.
    """


@hookspec
def rdfc_run_finished(folder: Path, results: Mapping[str, Any]) -> None:
    """The run is complete; ``results`` is what ``results.json`` holds."""
