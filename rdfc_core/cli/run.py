"""``rdfc run``, and its steps one by one."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rdfc_core.cli import options, process_options
from rdfc_core.cli.study_options import StudyOptions, takes_study_options
from rdfc_core.errors import StudyError
from rdfc_core.extraction.failures import Failure
from rdfc_core.pipeline.steps import Step
from rdfc_core.utils.heard import warnings_heard

if TYPE_CHECKING:
    from rdfc_core.config.resolve import ResolvedStudy
    from rdfc_core.distributed.launcher import ProcessGroupLauncher
    from rdfc_core.results.schema import Results
    from rdfc_core.utils.progress import Progress

log = logging.getLogger("rdfc")


@takes_study_options
def run(study: StudyOptions) -> None:
    """Run a study: extract, pretrain, evaluate, report. The same command resumes it."""
    _run(study, "evaluate")


@takes_study_options
def extract(
    study: StudyOptions,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="I/N",
            help="Only the I-th of N equal parts, into the store alone: for job arrays. Then "
            "rdfc store merge, if each had a store of its own, and rdfc run.",
        ),
    ] = None,
) -> None:
    """The first step of a study: features into the store and features.parquet."""
    if shard is None:
        _run(study, "extract")
    else:
        _extract_shard(study, shard)


@takes_study_options
def pretrain(study: StudyOptions) -> None:
    """A study up to the pretrained networks; needs no labels."""
    _run(study, "pretrain")


@takes_study_options
def evaluate(study: StudyOptions) -> None:
    """A study up to its results; steps that are done are not done again."""
    _run(study, "evaluate")


def _run(study: StudyOptions, until: Step) -> None:
    with process_options.team(study.devices, study.nodes) as team:
        execute(
            study.source(),
            study.overrides(),
            study.out,
            study.overwrite,
            study.store,
            study.executor,
            study.as_json,
            until,
            team,
        )


def _extract_shard(study: StudyOptions, shard: str) -> None:
    from rdfc_core.cli import console

    part = _part(shard)
    if study.out is not None:
        raise StudyError("--shard fills the store and writes no run folder: leave out --out.")
    console.log_to_stderr()
    resolved = _resolved(study.source(), study.overrides())

    from rdfc_core.data.cells import counted
    from rdfc_core.pipeline.context import extract_shard

    bench = options.workbench(study.store, study.executor)
    done = extract_shard(resolved, part, bench)
    bench.progress.say(
        f"Part {shard}: {counted(len(done.cases), 'case is', 'cases are')} in {bench.store.path}, "
        f"{done.made} of them new."
    )
    finish(done.failures)


def _part(shard: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", shard)
    number, parts = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= parts:
        raise StudyError(f"--shard {shard}: write I/N, such as 2/8 for the second of eight parts.")
    return number, parts


def _resolved(source: Path | dict[str, Any], overrides: list[str]) -> ResolvedStudy:
    """The study with every option checked: a mistake is told before torch is loaded."""
    from rdfc_core.config.resolve import resolve
    from rdfc_core.config.study import load_study
    from rdfc_core.plugin.registry import installed

    return resolve(load_study(source, overrides), installed())


def execute(
    source: Path | dict[str, Any],
    overrides: list[str],
    out: Path | None,
    overwrite: bool,
    store: Path | None,
    executor: str,
    as_json: bool,
    until: Step,
    team: ProcessGroupLauncher | None = None,
) -> Results:
    """Run a study and show what came of it; ends with the exit code that failed cases call for."""
    from rdfc_core.cli import console

    console.log_to_stderr()
    progress = console.DrawnProgress()
    with warnings_heard() as told, progress.waiting("Reading the study and loading its plugins"):
        resolved = _resolved(source, overrides)
    name = source.stem if isinstance(source, Path) else resolved.dataset.name
    folder = (out or Path("runs") / name).resolve()
    known: dict[str, str] = {}
    results = None
    if not overwrite:
        with progress.waiting("Looking for a finished run, and for changed files"):
            results = _finished(resolved, folder, progress, until, known)
    if results is None:
        console.announce_loading(progress)
        from rdfc_core.pipeline import run as studies

        bench = options.workbench(store, executor, team)
        results = studies.run(resolved, folder, bench, overwrite, until, known, told)
    # First of all: whoever reads the tables may close the pipe after one line.
    report = _report(folder) if until == "evaluate" else None
    if as_json:
        console.show_json(results.model_dump(mode="json"))
    elif report:
        console.show_results(results)
    progress.say(f"Report: {report}" if report else f"Run folder: {folder}")
    finish([Failure(**one) for one in results.failed])
    return results


def _finished(
    study: ResolvedStudy, folder: Path, progress: Progress, until: Step, known: dict[str, str]
) -> Results | None:
    from rdfc_core.pipeline.finished import finished_run
    from rdfc_core.plugin.registry import installed

    results = finished_run(study, folder, installed(), progress, until, known)
    if results is not None:
        for warning in results.warnings:
            log.warning("%s", warning)
        progress.say("This run is finished already: nothing to do.")
    return results


def _report(folder: Path) -> Path:
    """The report; drawn unless there is one that is newer than the results."""
    from rdfc_core.report import write_report
    from rdfc_core.results.files import REPORT, RESULTS

    report, results = folder / REPORT, folder / RESULTS
    if report.exists() and report.stat().st_mtime_ns >= results.stat().st_mtime_ns:
        return report
    return write_report(folder)


def finish(failed: Sequence[Failure]) -> None:
    """Name the cases that failed; exit 2 if their files are to blame, 1 if rdfc is."""
    from rdfc_core.cli import console

    console.show_failures(failed)
    if failed:
        raise typer.Exit(2 if all(one.fixable for one in failed) else 1)
