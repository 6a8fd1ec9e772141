"""Run a study from Python."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdfc_core.api.logger_choice import DEFAULT, LoggerChoice
from rdfc_core.api.trained_run import Run
from rdfc_core.config.load import Source, load
from rdfc_core.errors import StudyError
from rdfc_core.plugin.registry import installed
from rdfc_core.utils.paths import undecodable
from rdfc_core.utils.progress import Progress
from rdfc_core.utils.warning_capture import captured_warnings

if TYPE_CHECKING:
    from rdfc_core.config.resolve import ResolvedStudy
    from rdfc_core.distributed.launcher import ProcessGroupLauncher
    from rdfc_core.interfaces import Executor, Logger
    from rdfc_core.pipeline.context import RunContext
    from rdfc_core.pipeline.steps import Step
    from rdfc_core.results.schema import Results

log = logging.getLogger("rdfc")


def run(
    study: Source,
    out: str | Path | None = None,
    *,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    until: Step = "evaluate",
    overwrite: bool = False,
    store: str | Path | None = None,
    executor: str | Executor = "local",
    devices: int = 1,
    loggers: Sequence[str | Logger] = DEFAULT,
    progress: Progress | None = None,
    team: ProcessGroupLauncher | None = None,
) -> Run:
    """Run a study: extract, pretrain, evaluate, report. The same call resumes it.

    A run that is finished already is not done again. A case that fails is named in
    ``run.results.failed`` and never stops the others.

    Args:
        study: A study file, its content as a mapping, or a `Study`.
        out: The run folder; None: ``runs/NAME``, named after the file or the data set.
        overrides: Dotted option → value, such as ``{"pretrain.steps": 2000}``; or ``KEY=VALUE``
            texts, as on the command line.
        until: The last step: ``extract``, ``pretrain`` or ``evaluate``.
        overwrite: Replace the run in ``out``.
        store: The file that keeps extracted features; None: in the user's cache.
        executor: What runs the extraction: ``local``, ``local:workers=4``, ``dask=ADDRESS``.
            Where workers are started, a script has to begin with ``if __name__ == "__main__":``.
        devices: How many GPUs of this machine pretrain together; without a GPU, how many processes.
            As with workers, a script has to begin with ``if __name__ == "__main__":``.
        loggers: Told what is measured, as it is: ``tensorboard``, ``mlflow:experiment=lung``, or
            a `Logger`; an empty list: nobody. They are no part of the study.
        progress: Is told how far the work is; None: nobody.
        team: The processes that pretrain together, where they are there already.

    Returns:
        The finished run.

    Raises:
        StudyError: If the study does not fit, the folder holds another one, there are fewer
            devices, or torchrun started several processes.
        DataError: If the data cannot be used, or a split would leak.
        PluginError: If a component is missing or fails.

    Example:
        ```python
        run = rdfc.run({"dataset": "manifest:root=DIR"}, "runs/mine", overrides={"seed": 1})
        run.results.to_dataframe()
        ```
    """
    if team is None:
        _check_processes(devices)
    progress = progress or Progress()
    with captured_warnings() as told, progress.waiting("Reading the study and loading its plugins"):
        resolved = load(study, overrides, installed())
        told_of_it = LoggerChoice.of(loggers)
    folder = _folder(out, study, resolved)
    known: dict[str, str] = {}
    if overwrite or not _finished(resolved, folder, progress, until, known):
        from rdfc_core.api.context import opened

        with (
            _team(devices, team) as together,
            opened(store, executor, progress, together, loggers=told_of_it) as context,
            context.loggers.ending(),  # once the report lies there, too
        ):
            _carry_out(resolved, folder, context, overwrite, until, known, told)
            return _reported(folder, until)
    return _reported(folder, until)


def _reported(folder: Path, until: Step) -> Run:
    done = Run(folder)
    if until == "evaluate":
        done.write_report(again=False)
    return done


def _carry_out(
    study: ResolvedStudy,
    folder: Path,
    context: RunContext,
    overwrite: bool,
    until: Step,
    known: dict[str, str],
    told: list[str],
) -> None:
    """The run itself, and what plugins say of it in its report."""
    from rdfc_core.pipeline.report_sections import record_sections
    from rdfc_core.pipeline.run import run as run_study

    results = run_study(study, folder, context, overwrite, until, known, told)
    if until == "evaluate":
        record_sections(folder, results, context.registry)


def _check_processes(devices: int) -> None:
    """Refuse what is no number of devices, and processes that would each run the whole study."""
    if not isinstance(devices, int) or isinstance(devices, bool) or devices < 1:
        raise StudyError(f"devices is {devices!r}. Give a whole number of at least 1.")
    if "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise StudyError(
            "rdfc.run would run the whole study in each of the processes that torchrun started. "
            "Give torchrun the command: torchrun … -m rdfc_core run STUDY.yaml; or call rdfc.run "
            "in one process, with devices=N for N GPUs of one machine."
        )


def _folder(out: str | Path | None, study: Source, resolved: ResolvedStudy) -> Path:
    """The run folder; by default named after the study's file, or its data set."""
    if out is None:
        name = Path(study).stem if isinstance(study, str | Path) else resolved.dataset.name
        out = Path("runs") / name
    folder = Path(out).resolve()
    if shown := undecodable(str(folder)):
        raise StudyError(
            f"The run folder {shown} holds bytes that are no UTF-8, and libraries that write into "
            "it cannot name it. Give another by --out, or rename the folder."
        )
    return folder


def _finished(
    study: ResolvedStudy, folder: Path, progress: Progress, until: Step, known: dict[str, str]
) -> Results | None:
    """The results, where there is nothing to do; found out without torch."""
    from rdfc_core.pipeline.finished import FINISHED, finished_run

    with progress.waiting("Looking for a finished run, and for changed files"):
        results = finished_run(study, folder, installed(), progress, until, known)
    if results is not None:
        for warning in results.warnings:
            log.warning("%s", warning)
        progress.say(FINISHED)
    return results


def _team(devices: int, team: ProcessGroupLauncher | None) -> Any:
    """The processes that pretrain, which end with the call if it starts them."""
    if team is not None or devices == 1:
        return nullcontext(team)
    from rdfc_core.distributed.launcher import ProcessGroupLauncher

    return ProcessGroupLauncher.on_this_machine(devices)
