"""What a run works with: components, store, executor, and who is told how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rdfc_core.extraction.store import Store
from rdfc_core.interfaces import Executor, LoggedRun
from rdfc_core.plugin.registry import Registry
from rdfc_core.plugin.run_loggers import RunLoggers
from rdfc_core.utils.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from rdfc_core.config.resolve import ResolvedStudy
    from rdfc_core.distributed.launcher import ProcessGroupLauncher
    from rdfc_core.pipeline.steps import Step
    from rdfc_core.results.schema import Results


@dataclass
class RunContext:
    """What a run needs besides its study.

    Args:
        registry: The installed components.
        store: Keeps what views made of cases.
        executor: Runs extraction.
        progress: Is told how far it is.
        team: Launcher of the processes that pretrain together; None: this one alone.
        loggers: Told of the run; whoever runs it tells them of its end.
    """

    registry: Registry
    store: Store
    executor: Executor
    progress: Progress = field(default_factory=Progress)
    team: ProcessGroupLauncher | None = None
    loggers: RunLoggers = field(default_factory=RunLoggers)

    def tell_begun(self, folder: Path, study: ResolvedStudy, until: Step, resumed: bool) -> None:
        """Tell loggers and plugins that a run begins, or goes on.

        Raises:
            StoppedError: If a plugin asks to stop it.
        """
        self.loggers.begin(LoggedRun(folder.name, folder, folder, study.dump(), until, resumed))
        self.registry.tell_started(folder=folder, study=study.dump())

    def tell_finished(self, folder: Path, results: Results) -> None:
        """Tell loggers and plugins the results, which lie in the run folder."""
        self.loggers.results(results)
        self.registry.tell("rdfc_run_finished", folder=folder, results=results.model_dump())
