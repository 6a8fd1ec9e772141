"""What a run works with: components, store, executor, and who is told how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import Executor
from rdfc_core.plugin.registry import Registry
from rdfc_core.utils.progress import Progress

if TYPE_CHECKING:
    from rdfc_core.distributed.launcher import ProcessGroupLauncher


@dataclass
class RunContext:
    """What a run needs besides its study.

    Args:
        registry: The installed components.
        store: Keeps what views made of cases.
        executor: Runs extraction.
        progress: Is told how far it is.
        team: Launcher of the processes that pretrain together; None: this one alone.
    """

    registry: Registry
    store: Store
    executor: Executor
    progress: Progress = field(default_factory=Progress)
    team: ProcessGroupLauncher | None = None
